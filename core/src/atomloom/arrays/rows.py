"""What all arrays in files have in common: how rows are asked for."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from types import EllipsisType
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomloom.arrays.header import Header
from atomloom.arrays.place import Place

Array = np.ndarray[Any, Any]


class FileRows(ABC):
    """An array in a file, read along its first axis.

    A slice, an array of row numbers or one number gives these rows as a new array in memory; ``rows[...]`` and
    ``numpy.asarray(rows)`` give all of them. Pickling keeps the path and the member, not the values.

    Args:
        place: where it lies.
        header: what it is.
    """

    def __init__(self, place: Place, header: Header) -> None:
        self.place = place
        self.header = header
        self._path = place.path.absolute()

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of all axes, the rows first."""
        return self.header.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Kind of the values, byte order included."""
        return self.header.dtype

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a single value has no length")
        return self.shape[0]

    def __getitem__(self, key: slice | ArrayLike | EllipsisType) -> Any:
        if key is Ellipsis or (isinstance(key, tuple) and not key):
            return self.everything()
        if not self.shape:
            raise IndexError("a single value has no rows; [...] gives the value")
        if isinstance(key, slice):
            return self.rows(key)
        if isinstance(key, SupportsIndex) and not isinstance(key, np.ndarray):
            return self.rows(positions([operator.index(key)], len(self)))[0]
        return self.rows(positions(key, len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("an array in a file is read into new memory: copy=False cannot be had")
        return np.asarray(self.everything(), dtype)

    def __repr__(self) -> str:
        where = f"{self.place.path.name}:{self.place.member}" if self.place.member else self.place.path.name
        return f"<{self.dtype} {list(self.shape)} in {where}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from atomloom.arrays.opening import reopen  # the module that knows all kinds of rows

        return reopen, (self._path, self.place.member)

    @abstractmethod
    def rows(self, which: slice | NDArray[np.int64]) -> Array:
        """These rows in new memory; numbers are within the array and not negative."""

    @abstractmethod
    def everything(self) -> Array:
        """The whole array in new memory."""


def taken(view: Array, which: slice | NDArray[np.int64]) -> Array:
    """These rows of `view` in memory of their own (row numbers give a copy anyway, a slice does not)."""
    return np.array(view[which]) if isinstance(which, slice) else view[which]


def positions(key: ArrayLike | Any, length: int) -> NDArray[np.int64]:
    """Row numbers as non-negative integers, or an `IndexError`.

    >>> positions([0, -1], 5)
    array([0, 4])
    """
    numbers = np.asarray(key)
    if numbers.ndim != 1 or (numbers.dtype.kind not in "iu" and numbers.size):
        raise IndexError(f"rows are asked for by a slice or a list of whole numbers, not by {key!r:.80}")
    numbers = numbers.astype(np.int64)
    outside = (numbers < -length) | (numbers >= length)
    if outside.any():
        raise IndexError(f"row {int(numbers[outside][0])} is asked for, and there are {length}")
    return np.where(numbers < 0, numbers + length, numbers)
