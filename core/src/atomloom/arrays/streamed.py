"""Compressed arrays that are too large to be decoded whole."""

from __future__ import annotations

import threading
from typing import final

import numpy as np
from numpy.typing import NDArray

from atomloom.arrays.directory import Member
from atomloom.arrays.header import Header
from atomloom.arrays.inflate import Inflater
from atomloom.arrays.place import File
from atomloom.arrays.records import picked
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
        with self._lock:
            return picked(self._inflater.read_into, self.header, self.header.start, which)

    def everything(self) -> Array:
        """The whole array, in one pass."""
        with self._lock:
            return self.header.over(self._inflater.read(self.header.start, self.header.nbytes), 0)
