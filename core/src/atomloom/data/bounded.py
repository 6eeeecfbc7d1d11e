"""How many frames are read at once, so that neither many small frames nor a large one take more memory than need be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from atomloom.data.columns import Column, Indices

BLOCK_BYTES = 1 << 22
"""Bytes that are read at once. Converting them and laying them out takes some times as many."""


def bounded(columns: Sequence[Column], frames: Indices | range, size: int) -> Iterator[Indices]:
    """These frames in stretches of `size`, or of fewer that take `BLOCK_BYTES` to read, but of one at least.

    >>> from atomloom.data import PerFrame
    >>> rows = PerFrame(np.zeros((5, 1 << 18)))  # 2 MiB in a frame
    >>> [frames.tolist() for frames in bounded([rows], range(5), 100)]
    [[0, 1], [2, 3], [4]]
    """
    start = 0
    while start < len(frames):
        some = np.asarray(frames[start : start + size], dtype=np.int64)
        taken = np.zeros(len(some), dtype=np.int64)
        for column in columns:
            row = math.prod(column.item) * column.dtype.itemsize
            taken += column.reads + (row if column.lengths is None else row * column.lengths[some])
        count = max(1, int(np.searchsorted(np.cumsum(taken), BLOCK_BYTES, side="right")))
        yield some[:count]
        start += count
