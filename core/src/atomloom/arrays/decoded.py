"""Compressed arrays that are small enough to be decoded whole."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from atomloom.arrays.directory import Member
from atomloom.arrays.header import Header
from atomloom.arrays.inflate import whole
from atomloom.arrays.place import File
from atomloom.arrays.rows import Array, FileRows, taken

KEPT: Final = 1 << 30
"""Bytes of decoded members that are kept per archive; the one that was not used for longest goes first."""


class Kept:
    """The decoded members of one archive, as far as they fit."""

    def __init__(self) -> None:
        self._arrays: OrderedDict[str, Array] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, member: Member, file: File) -> Array:
        """The bytes of this member, decoded now or before."""
        name = member.place.member
        with self._lock:
            if name not in self._arrays:
                self._arrays[name] = whole(member, file)
                self._trim()
            self._arrays.move_to_end(name)
            return self._arrays[name]

    def _trim(self) -> None:
        while len(self._arrays) > 1 and sum(array.nbytes for array in self._arrays.values()) > KEPT:
            self._arrays.popitem(last=False)


@final
class DecodedRows(FileRows):
    """A compressed member of an archive, decoded and checked (CRC) at the first touch.

    Args:
        member: where it lies.
        header: what it is.
        file: the archive.
        kept: the decoded members of the archive.
    """

    def __init__(self, member: Member, header: Header, file: File, kept: Kept) -> None:
        super().__init__(member.place, header)
        self._member = member
        self._file = file
        self._kept = kept

    def rows(self, which: slice | NDArray[np.int64]) -> Array:
        """These rows in new memory."""
        return taken(self._view(), which)

    def everything(self) -> Array:
        """All rows in new memory."""
        return np.array(self._view())

    def _view(self) -> Array:
        return self.header.over(self._kept.get(self._member, self._file), self.header.start)
