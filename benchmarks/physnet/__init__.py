"""The parts of `bench_physnet.py`.

::

    training       experiments fitted as a user would, with the processor time of each epoch
    updates        one update of atomloom-jax on one batch, alone
    pinned         measurements in a process that has one core to itself
    e3x_model, painn_model      the peers

    conditioning, speed, states, ethanol, leakage, aimnet      the tables
"""
