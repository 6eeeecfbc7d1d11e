"""Arrays that lie in a file as they lie in memory."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from atomloom.arrays.header import Header
from atomloom.arrays.place import File, Place
from atomloom.arrays.records import Bytes, picked
from atomloom.arrays.rows import Array, FileRows, taken


@final
class StoredRows(FileRows):
    """A ``.npy`` file, a member of a zip archive that is not compressed, or a file without a header, read where it is.

    Only what holds the rows asked for is read. A member's CRC is therefore *not* checked: a flipped bit in an
    uncompressed archive goes unnoticed, as it does in an ``.npy`` file. Rows that lie apart are looked up in a mapping
    of the file; where a mapping cannot be had they are read one after the other.

    Args:
        place: where the array lies.
        header: what it is.
        file: the file with it.
        offset: where the values begin in the file, in bytes.
    """

    def __init__(self, place: Place, header: Header, file: File, offset: int) -> None:
        super().__init__(place, header)
        self._file = file
        self._offset = offset

    def rows(self, which: slice | NDArray[np.int64]) -> Array:
        """These rows in new memory."""
        together = isinstance(which, slice) and not self.header.fortran
        if not together and self.header.nbytes and (mapping := self._file.spare_mapping(self.place)) is not None:
            return taken(self.header.over(mapping, self._offset), which)
        return picked(self._read, self.header, self._offset, which)

    def everything(self) -> Array:
        """All rows in new memory."""
        values = np.empty(self.header.nbytes, np.uint8)
        self._read(self._offset, values)
        return self.header.over(values, 0)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.header.start:
            return super().__reduce__()
        from atomloom.arrays.raw import reopen_raw  # which opens what has no header by making one of these

        return reopen_raw, (self._path, self.dtype, self.shape)

    def _read(self, at: int, out: Bytes) -> None:
        self._file.read(at, out, self.place)
