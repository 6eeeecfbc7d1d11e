"""Compressed arrays that are too large to be decoded whole."""

from __future__ import annotations

import math
import threading
from itertools import pairwise
from typing import final

import numpy as np
from numpy.typing import NDArray

from atomloom.arrays.directory import Member
from atomloom.arrays.header import Header
from atomloom.arrays.inflate import BLOCK, Inflater
from atomloom.arrays.place import File
from atomloom.arrays.rows import Array, FileRows


@final
class StreamedRows(FileRows):
    """A large compressed member of an archive: decoded up to the rows asked for, which alone are kept.

    Rows in ascending order cost one pass over the member; going back costs a stretch of at most 1/64 of it (or
    16 MiB). Memory is that of the rows asked for plus a few MB. In Fortran order the values of one row lie all over
    the member, so any row costs a full pass. The CRC is checked whenever a pass reaches the end.
    `atomloom convert` to an uncompressed archive or a packed store is worth it before training.

    Args:
        member: where it lies.
        header: what it is.
        file: the archive.
    """

    def __init__(self, member: Member, header: Header, file: File) -> None:
        super().__init__(member.place, header)
        self._lock = threading.Lock()
        self._inflater = Inflater(member, file)

    def rows(self, which: slice | NDArray[np.int64]) -> Array:
        """These rows, in one pass forward."""
        numbers = np.arange(len(self))[which] if isinstance(which, slice) else which
        if not numbers.size or not self.header.nbytes:
            return np.empty((numbers.size, *self.shape[1:]), self.dtype)
        wanted, back = np.unique(numbers, return_inverse=True)
        with self._lock:
            found = self._columns(wanted) if self.header.fortran else self._records(wanted)
        return found if np.array_equal(wanted, numbers) else found[back.reshape(-1)]

    def everything(self) -> Array:
        """The whole array, in one pass."""
        with self._lock:
            return self.header.over(self._inflater.read(self.header.start, self.header.nbytes), 0)

    def _records(self, wanted: NDArray[np.int64]) -> Array:
        """Rows that lie one behind the other."""
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        out = np.empty((len(wanted), size), np.uint8)
        self._pick(out, wanted, self.header.start)
        return out.reshape(-1).view(self.dtype).reshape(len(wanted), *self.shape[1:])

    def _columns(self, wanted: NDArray[np.int64]) -> Array:
        """Rows in Fortran order: one value of each in every column, columns one behind the other."""
        columns = math.prod(self.shape[1:])
        out = np.empty((columns, len(wanted), self.dtype.itemsize), np.uint8)
        for column in range(columns):
            self._pick(out[column], wanted, self.header.start + column * len(self) * self.dtype.itemsize)
        return out.reshape(-1).view(self.dtype).reshape(*reversed(self.shape[1:]), len(wanted)).T

    def _pick(self, out: NDArray[np.uint8], wanted: NDArray[np.int64], start: int) -> None:
        """Fills `out` with the records `wanted` (ascending) of those that begin at `start`, a block at a time."""
        size = out.shape[1]
        blocks = wanted // max(1, BLOCK // size)
        edges = [0, *(np.flatnonzero(np.diff(blocks)) + 1).tolist(), len(wanted)]
        for low, high in pairwise(edges):
            first, last = int(wanted[low]), int(wanted[high - 1])
            read = self._inflater.read(start + first * size, (last - first + 1) * size)
            out[low:high] = read.reshape(-1, size)[wanted[low:high] - first]
