"""Rows picked out of bytes that are read some at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from atomloom.arrays.header import Header

Bytes = NDArray[np.uint8]

Read = Callable[[int, Bytes], None]
"""Fills an array with the bytes from a position on."""

BLOCK: Final = 1 << 20
"""Bytes that are read at a time."""

GAP: Final = 1 << 14
"""Bytes between two rows that are read and dropped rather than skipped."""


def picked(read: Read, header: Header, start: int, which: slice | NDArray[np.int64]) -> np.ndarray[Any, Any]:
    """Rows of the array whose values begin at `start`, in new memory and in the order asked for.

    They are read in ascending order. In Fortran order the values of one row lie all over the array, one in each column.
    """
    if isinstance(which, slice):
        first, stop, step = which.indices(header.shape[0])
        if step == 1 and not header.fortran:
            return _run(read, header, start, first, max(stop - first, 0))
        which = np.arange(first, stop, step)
    return _scattered(read, header, start, which)


def _run(read: Read, header: Header, start: int, first: int, count: int) -> np.ndarray[Any, Any]:
    """Rows one behind the other, straight into the memory where they stay."""
    size = math.prod(header.shape[1:]) * header.dtype.itemsize
    out = np.empty(count * size, np.uint8)
    read(start + first * size, out)
    return np.ndarray((count, *header.shape[1:]), header.dtype, out)


def _scattered(read: Read, header: Header, start: int, numbers: NDArray[np.int64]) -> np.ndarray[Any, Any]:
    if not numbers.size or not header.nbytes:
        return np.empty((numbers.size, *header.shape[1:]), header.dtype)
    wanted, back = np.unique(numbers, return_inverse=True)
    found = (_columns if header.fortran else _records)(read, header, start, wanted)
    return found if np.array_equal(wanted, numbers) else found[back.reshape(-1)]


def _records(read: Read, header: Header, start: int, wanted: NDArray[np.int64]) -> np.ndarray[Any, Any]:
    """Rows that lie one behind the other."""
    out = np.empty((len(wanted), math.prod(header.shape[1:]) * header.dtype.itemsize), np.uint8)
    _pick(read, out, wanted, start)
    return out.reshape(-1).view(header.dtype).reshape(len(wanted), *header.shape[1:])


def _columns(read: Read, header: Header, start: int, wanted: NDArray[np.int64]) -> np.ndarray[Any, Any]:
    """Rows in Fortran order: one value of each in every column, columns one behind the other."""
    size, columns = header.dtype.itemsize, math.prod(header.shape[1:])
    out = np.empty((columns, len(wanted), size), np.uint8)
    for column in range(columns):
        _pick(read, out[column], wanted, start + column * header.shape[0] * size)
    return out.reshape(-1).view(header.dtype).reshape(*reversed(header.shape[1:]), len(wanted)).T


def _pick(read: Read, out: Bytes, wanted: NDArray[np.int64], start: int) -> None:
    """Fills `out` with the records `wanted` (ascending) of those that begin at `start`, a block at a time."""
    size = out.shape[1]
    blocks = wanted // max(1, BLOCK // size)
    apart = (np.diff(blocks) > 0) | (np.diff(wanted) * size > GAP)
    for low, high in pairwise([0, *(np.flatnonzero(apart) + 1).tolist(), len(wanted)]):
        first, last = int(wanted[low]), int(wanted[high - 1])
        if last - first == high - low - 1:
            read(start + first * size, out[low:high].reshape(-1))
        else:
            block = np.empty((last - first + 1, size), np.uint8)
            read(start + first * size, block.reshape(-1))
            out[low:high] = block[wanted[low:high] - first]
