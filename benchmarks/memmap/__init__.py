"""The parts of `bench_memmap.py`.

::

    molecules        what is stored, and the truth that every contender is held to
    contenders       what a contender is, and why one is left out    measuring    alternating runs, medians, ratios
    laying           rows and records into padded arrays, as fast as numpy does it

    compiled (gather.c), plain, lmdbs, arrows, records, chunked, graphs, ours     the contenders, by family
    random_batches, packed_batches, packing, opening, growth, cold, checking      the tables
"""
