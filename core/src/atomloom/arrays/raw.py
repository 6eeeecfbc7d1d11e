"""Files that are the bytes of one array and nothing else, as ``ndarray.tofile`` and ``numpy.memmap`` write them."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from atomloom.arrays.header import Header
from atomloom.arrays.place import File, Place
from atomloom.arrays.stored import StoredRows
from atomloom.rows import Rows


def open_raw(path: str | Path, dtype: DTypeLike, item_shape: tuple[int, ...] = ()) -> Rows:
    """The rows in a file without a header, of which only its size has been looked at.

    Args:
        path: of the file; one of 0 bytes has no rows.
        dtype: of the values, which nothing in the file says.
        item_shape: of a row.

    Raises:
        DataError: the file is missing, cannot be read, or its size is no whole number of rows.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.arange(6.0).tofile(Path(folder, "R.f64"))
    ...     rows = open_raw(Path(folder, "R.f64"), "<f8", (3,))
    ...     rows.shape, rows[1:]
    ((2, 3), array([[3., 4., 5.]]))
    """
    return _opened(Path(path), np.dtype(dtype), item_shape)


def _opened(path: Path, dtype: np.dtype[Any], item: tuple[int, ...]) -> StoredRows:
    place = Place(path)
    row = math.prod(item) * dtype.itemsize
    if not row or dtype.hasobject:
        raise ValueError(f"rows of {dtype} {list(item)} do not lie in files")
    size = _size(path, place)
    if size % row:
        found = f"it has {size} bytes, which is no whole number of rows of {row} bytes ({dtype} {list(item)})"
        raise place.error(found)
    header = Header((size // row, *item), dtype, fortran=False, start=0)
    return StoredRows(place, header, File(path.absolute(), size), 0)


def reopen_raw(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> StoredRows:
    """The rows of a file that had this shape, which is how they come back from a pickle."""
    rows = _opened(path, dtype, shape[1:])
    if rows.shape != shape:
        raise rows.place.error(f"it had {shape[0]} rows when it was opened first, and now it has {rows.shape[0]}")
    return rows


def _size(path: Path, place: Place) -> int:
    try:
        with open(path, "rb") as stream:
            return os.fstat(stream.fileno()).st_size
    except FileNotFoundError:
        raise place.error("there is no such file", "Check the path") from None
    except OSError as error:
        raise place.error(f"the system answers {error.strerror!r}", "Check the path and its permissions") from None
