"""Writes a data set as NPZ, field by field and block by block, so that it never has to fit into memory.

Ragged fields are padded to the longest frame, as this field's NPZ files are; `N` or `n_grid` says how much is real. A
member called ``atomloom`` records units, axes and `meta` as JSON (see `atomloom.readers.described`), so that reading it
back settles every question.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from atomloom.data import Batch, Dataset
from atomloom.data.columns import Indices
from atomloom.data.meta import jsonable
from atomloom.errors import DataError, UnitError
from atomloom.progress import track
from atomloom.readers.described import FORMAT, HEADER
from atomloom.runs.atomic import atomic_file
from atomloom.specs import UNRESOLVED

_BLOCK_BYTES = 1 << 22
_COUNTS = {"atom": "N", "grid": "n_grid"}


def write_npz(dataset: Dataset, target: str | Path, /, *, compress: bool = False) -> None:
    """Write `dataset` to `target`; the file appears under its name only once it is whole.

    Args:
        compress: deflate the members; smaller, but they can no longer be mapped into memory.
    """
    _check(dataset, target)
    counts = {axis: _member_for(axis, lengths, dataset) for axis, lengths in dataset.sizes.items()}
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with atomic_file(target, "wb") as file, zipfile.ZipFile(file, "w", method) as archive:
        _member(archive, HEADER, np.array(json.dumps(_header(dataset, counts))))
        for axis, name in counts.items():
            if name not in dataset:
                _member(archive, name, np.asarray(dataset.sizes[axis]))
        for name in track(dataset.columns, total=len(dataset.columns), label=f"writing {Path(target).name}"):
            _stream(archive, name, dataset)


def _check(dataset: Dataset, target: str | Path) -> None:
    """Stops before anything is written at what an NPZ cannot hold or could not say."""
    for name, field in dataset.fields.items():
        if field.unit == UNRESOLVED:
            found = f"nothing says in which unit {name} is held"
            raise UnitError(f"write {name} to '{target}'", found, f"Settle it with --unit {name}=UNIT")
        if dataset.columns[name].dtype.hasobject:
            found = "its values are Python objects"
            raise DataError(f"write {name} to '{target}'", found, f"Leave it out with --as {name}=ignore")
        if name == HEADER:
            found = "that name is taken by the description of the file"
            raise DataError(f"write a field {name!r} to '{target}'", found, f"Leave it out with --as {name}=ignore")


def _member_for(axis: str, lengths: Indices, dataset: Dataset) -> str:
    """The member that says how many rows of an axis are real in each frame: a field that says so, or a new name."""
    name = _COUNTS.get(axis, f"n_{axis}")
    while name in dataset and not _says(dataset, name, lengths):
        name += "_"
    return name


def _says(dataset: Dataset, name: str, lengths: Indices) -> bool:
    column = dataset.columns[name]
    flat = column.lengths is None and not column.item and column.dtype.kind in "iu"
    return flat and np.array_equal(dataset[name], lengths)


def _member(archive: zipfile.ZipFile, name: str, values: np.ndarray[Any, Any]) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, values, allow_pickle=False)


def _stream(archive: zipfile.ZipFile, name: str, dataset: Dataset) -> None:
    column = dataset.columns[name]
    longest = 0 if column.lengths is None else int(column.lengths.max(initial=0))
    shape = (len(dataset), *column.item) if column.lengths is None else (len(dataset), longest, *column.item)
    row = max(1, int(np.prod(shape[1:], dtype=np.int64)) * column.dtype.itemsize)
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        _write_header(file, shape, column.dtype)
        for batch in dataset.blocks(max(1, _BLOCK_BYTES // row), [name]):
            block = batch[name] if column.lengths is None else _padded(batch, name, longest)
            file.write(np.ascontiguousarray(block, dtype=column.dtype).tobytes())


def _write_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(file, described)


def _padded(batch: Batch, name: str, longest: int) -> np.ndarray[Any, Any]:
    values = batch[name]
    block = np.zeros((batch.frames, longest, *values.shape[1:]), dtype=values.dtype)
    block[np.arange(longest) < batch.sizes[batch.axis(name)][:, None]] = values
    return block


def _header(dataset: Dataset, counts: Mapping[str, str]) -> dict[str, Any]:
    fields = {name: {"dims": field.dims, "unit": field.unit} for name, field in dataset.fields.items()}
    return {"format": FORMAT, "fields": fields, "lengths": counts, "meta": jsonable(dataset.meta)}
