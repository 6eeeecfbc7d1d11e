"""An HDF5 file that is opened when it is first needed, in every process anew, with errors for people."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError

_DENSE = 8
"""Of a span of rows at least one in so many is wanted: then the span is read, since HDF5 picks single rows slowly."""


class Hdf5:
    """A file and its datasets by name; it can be sent to other processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: tuple[int, Any] = (-1, None)

    @property
    def root(self) -> Any:
        """The open file."""
        process, file = self._open
        if process != os.getpid():
            file = _opened(self.path)
            self._open = (os.getpid(), file)
        return file

    def rows(self, name: str, rows: Indices) -> Array:
        """Some rows of a dataset, in the order asked for."""
        try:
            return _rows(self.root[name], rows)
        except OSError as error:
            raise damaged(self.path, f"'{name}' cannot be read ({error})") from error

    def all(self, name: str) -> Any:
        """A whole dataset; text as str."""
        try:
            dataset = self.root[name]
            text = h5py.check_string_dtype(dataset.dtype)
            values = dataset.asstr(errors="replace")[()] if text is not None else dataset[()]
        except OSError as error:
            raise damaged(self.path, f"'{name}' cannot be read ({error})") from error
        return values

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_open": (-1, None)}


class FlatRows:
    """A dataset as `atomloom.data.Rows`."""

    def __init__(self, file: Hdf5, name: str) -> None:
        dataset = file.root[name]
        self.file, self.name = file, name
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.dtype: np.dtype[Any] = dataset.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        if isinstance(key, np.ndarray):
            return self.file.rows(self.name, key)
        return np.asarray(self.file.root[self.name][key])


def _opened(path: Path) -> Any:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        reason = str(error)
        if "truncated" in reason:
            raise damaged(path, "the file is truncated") from error
        if "signature" in reason:
            todo = "Check that it is an HDF5 file, or choose another --reader"
            raise DataError(f"read '{path}' as HDF5", "it does not begin as HDF5 files do", todo) from error
        raise damaged(path, reason) from error


def damaged(path: Path, found: str) -> DataError:
    """An error about a file that HDF5 cannot read."""
    return DataError(f"read '{path}' as HDF5", found, "Check that its download or copy finished")


def _rows(dataset: Any, rows: Indices) -> Array:
    if not len(rows):
        return np.empty((0, *dataset.shape[1:]), dtype=dataset.dtype)
    low, high = int(rows.min()), int(rows.max()) + 1
    if high - low <= _DENSE * len(rows):
        span: Array = dataset[low:high]
        return span if len(rows) == high - low and bool(np.all(np.diff(rows) == 1)) else span[rows - low]
    wanted, place = np.unique(rows, return_inverse=True)
    picked: Array = dataset[wanted]
    return picked[place]
