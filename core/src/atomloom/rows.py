"""The one thing that core asks of an array, wherever it lies."""

from __future__ import annotations

from types import EllipsisType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Rows(Protocol):
    """An array that is read along its first axis: in memory, mapped from a file, or decoded on demand.

    ``rows[a:b]`` and ``rows[indices]`` give these rows as an array, ``rows[...]`` gives everything, which is the
    only way to a 0-d array's value. numpy arrays are rows; so is what `atomloom.arrays.open_arrays` returns.

    >>> isinstance(np.zeros((3, 2)), Rows)
    True
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of all axes, the rows first."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Kind of the values, byte order included."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice | NDArray[np.int64] | EllipsisType, /) -> Any: ...
