"""The header of an ``.npy`` file: what the array is, before any of it is read."""

from __future__ import annotations

import ast
import io
import math
import struct
import tokenize
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.lib import format as npy

from atomloom.arrays.place import Place

LONGEST: Final = 10_000
"""Bytes of a header's text; numpy's own limit, because longer ones are slow or dangerous to parse."""

PREFIX: Final = LONGEST + 12
"""Bytes at the beginning of a file that hold the whole header."""

MOST_AXES: Final = 32
"""Axes of an array in every version of numpy."""

_MALFORMED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
)
"""What numpy raises on headers that make no sense; the last comes from its second try, for headers of Python 2."""


@dataclass(frozen=True)
class Header:
    """What stands in front of an array.

    Args:
        shape: sizes of its axes.
        dtype: of its values, byte order included.
        fortran: whether the first axis varies fastest.
        start: bytes of the header, which is where the values begin.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def pickled(self) -> bool:
        """Whether Python objects follow instead of plain values."""
        return self.dtype.hasobject

    def over(self, buffer: Any, offset: int) -> np.ndarray[Any, Any]:
        """The array whose values begin at `offset` of `buffer`."""
        order: Literal["C", "F"] = "F" if self.fortran else "C"
        source = buffer if self.nbytes else b""
        return np.ndarray(self.shape, self.dtype, source, offset if self.nbytes else 0, order=order)


def read_header(prefix: bytes, place: Place) -> Header:
    """The header at the beginning of `prefix`, which is the first `PREFIX` bytes of an array or all of them."""
    stream = io.BytesIO(prefix)
    try:
        version = npy.read_magic(stream)
        shape, fortran, dtype = _described(stream, version)
    except _MALFORMED as error:
        raise place.error(f"its header makes no sense ({_brief(error)})") from None
    header = Header(shape, dtype, fortran, stream.tell())
    _check(header, place)
    return header


def _described(stream: io.BytesIO, version: tuple[int, int]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    if version == (1, 0):
        return npy.read_array_header_1_0(stream, max_header_size=LONGEST)
    if version == (2, 0):
        return npy.read_array_header_2_0(stream, max_header_size=LONGEST)
    if version == (3, 0):
        return _newest(stream)
    raise ValueError(f"version {version[0]}.{version[1]} of the format is unknown")


def _newest(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Version 3.0, for field names that are not latin-1; numpy has no public function for it."""
    (length,) = struct.unpack("<I", stream.read(4))
    text = stream.read(length)
    if length > LONGEST or len(text) < length:
        raise ValueError(f"its text of {length} bytes is cut off or too long")
    described = ast.literal_eval(text.decode("utf-8"))
    if not isinstance(described, dict) or set(described) != npy.EXPECTED_KEYS:
        raise ValueError("it does not say shape, order and dtype")
    if not isinstance(described["shape"], tuple) or not isinstance(described["fortran_order"], bool):
        raise ValueError("its shape or order has the wrong type")
    return described["shape"], described["fortran_order"], npy.descr_to_dtype(described["descr"])


def _check(header: Header, place: Place) -> None:
    if len(header.shape) > MOST_AXES or not all(type(side) is int and side >= 0 for side in header.shape):
        raise place.error(f"its header declares the shape {str(header.shape)[:80]}, which no array has")
    sides = math.prod([side for side in header.shape if side])
    if sides * max(header.dtype.itemsize, 1) >= 2**63:
        raise place.error(f"its header declares the shape {header.shape}, which is more than any memory")
    if header.dtype.subdtype is not None or (not header.dtype.itemsize and 0 not in header.shape):
        raise place.error(f"its header declares values of kind {header.dtype}, which an array does not have")


def _brief(error: BaseException) -> str:
    said = str(error.args[0]) if error.args else ""
    return (said.splitlines() or [type(error).__name__])[0][:200]
