"""``atomloom demo memmap``: molecules, a store of them, and batches from both, measured side by side.

::

    molecules   as many as wanted, with energies and forces in closed form
    measuring   repeated, alternating timings
    job         what is done with them         page   the report of it
"""
