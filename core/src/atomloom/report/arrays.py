"""Numbers of a report: read-only arrays in memory, short lists or base64 in JSON.

A list of up to `READABLE` numbers stays a list that a person can read (``[0.5, "NaN", "-Infinity"]``: JSON has no
word for these, so they are strings). A longer one is ``{"base64": ..., "dtype": "<f8", "shape": [1000000]}``, the
bytes of the array in little-endian order. Both give back every float64 exactly.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from atomloom.errors import DataError

Array = npt.NDArray[Any]
"""What a figure holds: any array-like is accepted, and kept as a read-only float64 (or int64) copy."""

READABLE = 256
"""The largest number of elements that is written as a list."""

WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""The JSON strings for the floats that JSON cannot spell."""

TODO = "Give numbers (a list, or a numpy array of bool, integer or float type)"


def floats(values: npt.ArrayLike, what: str, shape: tuple[int | None, ...] = (None,)) -> Array:
    """A read-only float64 copy of `values`; `what` names it in the error if it is no array of `shape`.

    Args:
        values: anything array-like; a masked element becomes NaN.
        what: such as ``"x of 'train'"``.
        shape: lengths of the axes, None for any.

    >>> floats([1, 2], "x of 'train'")
    array([1., 2.])
    """
    array = _numeric(values, what).astype(np.float64)
    if isinstance(array, np.ma.MaskedArray):
        array = array.filled(np.nan)
    return _frozen(_shaped(array, what, shape))


def integers(values: npt.ArrayLike, what: str, shape: tuple[int | None, ...] = (None,)) -> Array:
    """A read-only int64 copy of `values`; floats are accepted when they are whole numbers."""
    array = np.array(_numeric(values, what))
    whole = array.astype(np.int64) if np.isfinite(array).all() else None
    if whole is None or not np.array_equal(whole, array):
        raise DataError(f"put {what} in a report", "it holds numbers that are not whole", "Round them first")
    return _frozen(_shaped(whole, what, shape))


def _numeric(values: npt.ArrayLike, what: str) -> Array:
    try:
        array = np.asanyarray(values)
    except ValueError as error:
        raise DataError(f"put {what} in a report", f"it is no array ({error})", TODO) from error
    if array.dtype.kind not in "fiub":
        raise DataError(f"put {what} in a report", f"it holds values of type {array.dtype}", TODO)
    return array


def _shaped(array: Array, what: str, shape: tuple[int | None, ...]) -> Array:
    if array.size == 0 and array.ndim == 1 and len(shape) == 2:
        array = array.reshape(0, shape[1] or 0)
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = "x".join("n" if want is None else str(want) for want in shape)
        raise DataError(f"put {what} in a report", f"its shape is {array.shape}, not {wanted}", "Reshape it first")
    return array


def _frozen(array: Array) -> Array:
    fresh: Array = np.array(array)
    fresh.flags.writeable = False
    return fresh


def pack(array: Array) -> list[Any] | dict[str, Any]:
    """The JSON form of an array.

    >>> pack(np.array([0.5, 1.0]))
    [0.5, 1.0]
    """
    if array.size <= READABLE and (array.size or array.ndim == 1):
        return list(array.tolist())
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
    text = base64.b64encode(little.tobytes()).decode("ascii")
    return {"dtype": little.dtype.str, "shape": list(array.shape), "base64": text}


def unpack(packed: object) -> Array:
    """The array that `pack` wrote.

    >>> unpack([0.5, "NaN"])
    array([0.5, nan])
    """
    try:
        return _from_bytes(packed) if isinstance(packed, Mapping) else np.array(_spelt(packed))
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        found = f"an array in it is damaged ({error})"
        raise DataError("read the report", found, "Write report.json again from its run") from error


def _from_bytes(packed: Mapping[str, Any]) -> Array:
    if packed["dtype"] not in ("<f8", "<i8"):
        raise ValueError(f"dtype {packed['dtype']!r} instead of '<f8' or '<i8'")
    content = base64.b64decode(packed["base64"], validate=True)
    return np.frombuffer(content, dtype=packed["dtype"]).reshape(packed["shape"])


def _spelt(packed: Any) -> Any:
    if isinstance(packed, list):
        return [_spelt(item) for item in packed]
    return WORDS[packed] if isinstance(packed, str) else packed
