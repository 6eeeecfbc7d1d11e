"""Arrays that lie in a file as they lie in memory."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from atomloom.arrays.header import Header
from atomloom.arrays.place import File, Place
from atomloom.arrays.rows import Array, FileRows, taken


@final
class MappedRows(FileRows):
    """A ``.npy`` file, or a member of a zip archive that is not compressed, mapped into memory where it is.

    Only the pages that hold the rows asked for are read. A member's CRC is therefore *not* checked: a flipped bit in
    an uncompressed archive goes unnoticed, as it does in an ``.npy`` file.

    Args:
        place: where the array lies.
        header: what it is.
        file: the file to map.
        offset: where the values begin in the file, in bytes.
    """

    def __init__(self, place: Place, header: Header, file: File, offset: int) -> None:
        super().__init__(place, header)
        self._file = file
        self._offset = offset

    def rows(self, which: slice | NDArray[np.int64]) -> Array:
        """These rows, copied out of the mapping."""
        return taken(self._view(), which)

    def everything(self) -> Array:
        """All rows, copied out of the mapping."""
        return np.array(self._view())

    def _view(self) -> np.ndarray[Any, Any]:
        mapping = self._file.mapping(self.place) if self.header.nbytes else b""
        return self.header.over(mapping, self._offset)
