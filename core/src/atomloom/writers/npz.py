"""Writes a data set as NPZ, field by field and block by block, so that it never has to fit into memory.

Ragged fields are padded to the longest frame, as this field's NPZ files are; `N` or `n_grid` says how much is real. A
member called ``atomloom`` records units, axes and `meta` as JSON, so that reading it back settles every question.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from atomloom.data import Batch, Dataset
from atomloom.errors import UnitError
from atomloom.progress import track
from atomloom.readers.numpy_files import HEADER
from atomloom.runs.atomic import atomic_file
from atomloom.specs import UNRESOLVED, Field

_BLOCK_BYTES = 1 << 24


def write_npz(dataset: Dataset, target: str | Path, /, *, compress: bool = False) -> None:
    """Write `dataset` to `target`; the file appears under its name only once it is whole.

    Args:
        compress: deflate the members; smaller, but they can no longer be mapped into memory.
    """
    for name, field in dataset.fields.items():
        if field.unit == UNRESOLVED:
            found = f"nothing says in which unit {name} is held"
            raise UnitError(f"write {name} to '{target}'", found, f"Settle it with --unit {name}=UNIT")
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with atomic_file(target, "wb") as file, zipfile.ZipFile(file, "w", method) as archive:
        _member(archive, HEADER, np.array(json.dumps(_header(dataset), default=_plain)))
        for name in track(dataset.columns, total=len(dataset.columns), label=f"writing {Path(target).name}"):
            _stream(archive, name, dataset)


def _member(archive: zipfile.ZipFile, name: str, values: np.ndarray[Any, Any]) -> None:
    with archive.open(f"{name}.npy", "w") as file:
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
    lengths = batch.sizes[_axis(batch.fields[name])]
    block = np.zeros((batch.frames, longest, *values.shape[1:]), dtype=values.dtype)
    block[np.arange(longest) < lengths[:, None]] = values
    return block


def _axis(field: Field) -> str:
    return field.ragged or "atom"


def _header(dataset: Dataset) -> dict[str, Any]:
    fields = {name: {"dims": field.dims, "unit": field.unit} for name, field in dataset.fields.items() if field.dims}
    return {"format": 1, "fields": fields, "meta": dataset.meta}


def _plain(value: object) -> Any:
    """What JSON does not know: numpy values as numbers and lists, everything else as its text."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
