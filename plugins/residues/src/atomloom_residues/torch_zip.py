"""Reads the zip archives that ``torch.save`` writes, without torch and without running anything.

The archive holds a pickle, ``NAME/data.pkl``, in which a tensor is a call with a storage, an offset, a shape and
strides, and the bytes of the storages in ``NAME/data/KEY``. The pickle is read inertly, and tensors are cut from the
storages here.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from atomloom import inert
from atomloom.errors import DataError
from atomloom.inert import Stub
from atomloom_residues.bfloat16 import widened

_TYPES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "ComplexDoubleStorage": "c16",
    "ComplexFloatStorage": "c8",
}
"""Dtypes of torch's storages, as numpy calls them."""


def read_torch(path: Path) -> Any:
    """What ``torch.save`` wrote, with numpy arrays for tensors; values of unknown classes are `Stub`.

    Raises:
        DataError: when the archive is damaged, or a tensor reaches beyond its storage.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
            if pickled is None:
                raise DataError(f"read '{path}'", "the archive has no data.pkl", "Give a file by torch.save")
            value = inert.plain(inert.loads(archive.read(pickled), f"'{pickled}' in '{path}'"))
            return _Tensors(archive, pickled.removesuffix("data.pkl"), path).within(value)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise DataError(f"read '{path}'", f"it is no whole zip archive ({error})", "Copy it once more") from error


class _Tensors:
    """Exchanges the calls that make tensors for arrays.

    Args:
        archive: the open archive.
        prefix: what the names of its members start with.
        path: of the archive, for messages.
    """

    def __init__(self, archive: zipfile.ZipFile, prefix: str, path: Path) -> None:
        self._archive, self._prefix, self._path = archive, prefix, path
        order = f"{prefix}byteorder"
        little = order not in archive.namelist() or archive.read(order) != b"big"
        self._order: Literal["<", ">"] = "<" if little else ">"
        self._storages: dict[str, NDArray[Any]] = {}

    def within(self, value: Any) -> Any:
        """The value with arrays in place of tensors, however deep in dicts, lists and tuples."""
        if isinstance(value, dict):
            return {key: self.within(held) for key, held in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self.within, value))
        if isinstance(value, Stub) and value.args:
            if value.path == "torch._utils._rebuild_parameter":
                return self.within(value.args[0])
            if value.path == "torch._utils._rebuild_tensor_v2" and len(value.args) >= 4:
                return self._tensor(*value.args[:4])
        return value

    def _tensor(self, storage: Any, offset: Any, shape: Any, strides: Any) -> NDArray[Any]:
        values = self._storage(storage)
        sizes = (offset, *shape, *strides) if isinstance(shape, tuple) and isinstance(strides, tuple) else (-1,)
        if not all(type(size) is int and size >= 0 for size in sizes) or len(shape) != len(strides):
            raise self._error("the shape of a tensor is not made of whole numbers")
        empty = not math.prod(shape)
        reach = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if not empty and reach >= len(values):
            raise self._error(f"a tensor of shape {shape} reaches beyond its storage of {len(values)} values")
        steps = tuple(stride * values.itemsize for stride in strides)
        start = 0 if empty else offset
        view = np.lib.stride_tricks.as_strided(values[start:], shape, steps, writeable=False)
        return np.ascontiguousarray(view).reshape(shape)

    def _storage(self, storage: Any) -> NDArray[Any]:
        held = storage.args[0] if isinstance(storage, Stub) and storage.args else None
        if not (isinstance(held, tuple) and len(held) >= 3 and held[0] == "storage" and isinstance(held[1], Stub)):
            raise self._error("a tensor has no storage that is known")
        kind, key = held[1].name, str(held[2])
        if kind not in _TYPES:
            raise self._error(f"a storage is a {kind}")
        if key not in self._storages:
            self._storages[key] = self._bytes(key, _TYPES[kind])
        return self._storages[key]

    def _bytes(self, key: str, dtype: str) -> NDArray[Any]:
        name = f"{self._prefix}data/{key}"
        try:
            member = self._archive.getinfo(name)
        except KeyError:
            raise self._error(f"the member '{name}' is missing") from None
        if member.file_size > self._path.stat().st_size:  # torch never compresses
            raise self._error(f"the member '{name}' claims {member.file_size} bytes, more than the whole file has")
        raw = self._archive.read(member)
        if dtype == "bfloat16":
            return widened(np.frombuffer(raw, f"{self._order}u2"))
        return np.frombuffer(raw, np.dtype(dtype).newbyteorder(self._order))

    def _error(self, found: str) -> DataError:
        return DataError(f"read '{self._path}'", found, "Get the file again, or save its state_dict by torch.save")
