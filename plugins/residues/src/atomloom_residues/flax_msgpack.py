"""Reads what ``flax.serialization.to_bytes`` writes, without flax."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from atomloom.errors import DataError
from atomloom_residues.bfloat16 import widened

_ARRAY, _COMPLEX, _SCALAR = 1, 2, 3
"""The extension types of flax."""

_CHUNKED = "__msgpack_chunked_array__"
"""Marks a large array that is cut into pieces."""


def read_msgpack(path: Path) -> Any:
    """Nested dicts of numpy arrays; flax writes lists and tuples as dicts with the keys "0", "1", ...

    Raises:
        DataError: when the file is damaged or of another kind.
    """
    try:
        return _joined(msgspec.msgpack.decode(path.read_bytes(), ext_hook=_extension))
    except (msgspec.DecodeError, TypeError, ValueError, KeyError, RecursionError) as error:
        todo = "Give a file by flax.serialization.to_bytes"
        raise DataError(f"read '{path}'", f"it is no tree in flax' msgpack ({error})", todo) from error


def _extension(code: int, data: memoryview) -> Any:
    if code == _COMPLEX:
        return complex(*msgspec.msgpack.decode(data))
    if code not in (_ARRAY, _SCALAR):
        raise ValueError(f"the extension type {code} is not one of flax")
    shape, name, raw = msgspec.msgpack.decode(data)
    size = math.prod(shape)
    name = name.decode() if isinstance(name, bytes) else name
    array = widened(np.frombuffer(raw, "<u2")) if name == "bfloat16" else np.frombuffer(raw, _plain(name))
    if array.size != size:
        raise ValueError(f"an array of shape {tuple(shape)} comes with {array.size} values")
    return array.reshape(shape)


def _plain(name: str) -> np.dtype[Any]:
    dtype = np.dtype(name)
    if dtype.kind not in "fciub":
        raise ValueError(f"an array has the dtype {name}")
    return dtype.newbyteorder("<")


def _joined(value: Any) -> Any:
    """The value with arrays that were cut into pieces whole again."""
    if not isinstance(value, dict):
        return value
    if _CHUNKED not in value:
        return {key: _joined(held) for key, held in value.items()}
    shape, chunks = value["shape"], value["chunks"]
    sides = [shape[str(place)] for place in range(len(shape))] if isinstance(shape, dict) else list(shape)
    pieces = [chunks[str(place)] for place in range(len(chunks))] if isinstance(chunks, dict) else list(chunks)
    return np.concatenate([np.ravel(piece) for piece in pieces]).reshape(sides)
