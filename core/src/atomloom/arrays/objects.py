"""Arrays of Python objects, which numpy stores as a pickle."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from atomloom import inert
from atomloom.arrays.header import Header
from atomloom.arrays.place import Place
from atomloom.arrays.rows import Array, FileRows, taken


@final
class Inert(FileRows):
    """An array of Python objects, decoded at the first touch by `atomloom.inert`, which runs nothing.

    `value` is what the array holds: a dict for the customary ``numpy.savez(..., aa_to_id={...})``, else nested lists.
    Objects of unknown classes are `atomloom.inert.Stub`. As `Rows`, an `Inert` gives numpy arrays of objects.

    Args:
        place: where it lies.
        header: what it is said to be.
        read: gives the bytes behind the header.
    """

    def __init__(self, place: Place, header: Header, read: Callable[[], bytes]) -> None:
        super().__init__(place, header)
        self._read = read

    @cached_property
    def array(self) -> Array:
        """The decoded array."""
        name = f"{self.place.member!r} in {str(self.place.path)!r}" if self.place.member else repr(str(self.place.path))
        decoded = inert.loads(self._read(), name)
        if not isinstance(decoded, np.ndarray) or decoded.dtype != self.dtype or decoded.shape != self.shape:
            found = f"it holds {_what(decoded)} where its header declares objects of shape {self.shape}"
            raise self.place.error(found)
        return decoded

    @property
    def value(self) -> Any:
        """The decoded array as plain Python: the object itself for a 0-d array, else nested lists."""
        return self.array.tolist()

    def rows(self, which: slice | NDArray[np.int64]) -> Array:
        """These objects, in an array of objects."""
        return taken(self.array, which)

    def everything(self) -> Array:
        """All objects, in an array of objects."""
        return np.array(self.array)


def _what(decoded: Any) -> str:
    if isinstance(decoded, np.ndarray):
        return f"{decoded.dtype} values of shape {decoded.shape}"
    return repr(decoded) if isinstance(decoded, inert.Stub) else f"a {type(decoded).__name__}"
