"""Readers for ``.npz`` and ``.npy``: nothing is unpickled, and nothing but headers is read on opening.

An NPZ of this field holds one array for each quantity, with the frames along the first axis: padded to the longest
molecule (``[frames, longest, 3]``), of one molecule throughout (``z`` given once), or packed, with all atoms one behind
the other and their numbers in ``N``. Which of these it is shows in the shape of the positions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.arrays import Inert, open_arrays
from atomloom.data import Column, Constant, Dataset, Packed, PerFrame
from atomloom.data.schema import named_like
from atomloom.errors import DataError
from atomloom.rows import Rows
from atomloom.specs import Field

HEADER = "atomloom"
"""Name of the member in which our own writer records units and `meta`, as JSON."""


def read_npz(source: str | Path, /) -> Dataset:
    """The arrays of an NPZ as a raw data set, each under the name that it has there."""
    arrays = open_arrays(Path(source))
    header = _header(arrays.pop(HEADER, None))
    units = {name: field.get("unit", "") for name, field in header.get("fields", {}).items()}
    meta = {**header.get("meta", {}), "source": Path(source).name}
    return from_found(arrays, units, meta)


def read_npy(source: str | Path, /, *, name: str = "") -> Dataset:
    """One array as a raw data set of one field, called like the file unless `name` says otherwise."""
    path = Path(source)
    ((stem, rows),) = open_arrays(path).items()
    return from_found({name or stem: rows}, {}, {"source": path.name})


def from_found(arrays: Mapping[str, Rows], units: Mapping[str, str], meta: Mapping[str, Any]) -> Dataset:
    """A raw data set from arrays by name, for any format that holds such arrays.

    Strings, single numbers without a declared name and pickled objects go to `meta`; everything else becomes a column.
    """
    numeric = {name: rows for name, rows in arrays.items() if _is_column(name, rows)}
    extra = {name: _plain(rows) for name, rows in arrays.items() if name not in numeric}
    if not numeric:
        raise DataError(
            "find the frames of the data set", "it holds no numeric array", "Check that this is the file you meant"
        )
    frames, packed = _frames(numeric)
    columns: dict[str, Column] = {}
    for name, rows in numeric.items():
        columns[name] = _column(rows, frames, packed)
    fields = {name: Field(name=name, unit=units.get(name, "")) for name in columns}
    return Dataset(columns, fields, {**extra, **meta})


def _column(rows: Rows, frames: int, packed: np.ndarray[Any, Any] | None) -> Column:
    if packed is not None and rows.shape[:1] == (int(packed.sum()),):
        return Packed(rows, packed)
    if rows.shape[:1] == (frames,) and not (frames == 1 and len(rows.shape) == 2 and rows.shape[1] == 3):
        return PerFrame(rows)
    return Constant(_plain_array(rows), frames)


def _frames(arrays: Mapping[str, Rows]) -> tuple[int, np.ndarray[Any, Any] | None]:
    """The number of frames, and the atoms of each where the arrays are packed."""
    positions = _like("R", arrays)
    if positions is not None and len(positions.shape) == 3:
        return positions.shape[0], None
    counts = _like("N", arrays)
    if positions is not None and len(positions.shape) == 2 and positions.shape[1] == 3:
        if counts is not None and len(counts.shape) == 1:
            lengths = np.asarray(counts[:], dtype=np.int64)
            if int(lengths.sum()) == positions.shape[0]:
                return len(lengths), lengths
            found = f"N adds up to {int(lengths.sum())} atoms and there are {positions.shape[0]} positions"
            raise DataError("lay out the packed positions", found, "Check that N and the positions belong together")
        return 1, None
    leading = Counter(rows.shape[0] for rows in arrays.values() if rows.shape)
    return max(leading, key=lambda length: (leading[length], length), default=1), None


def _like(field: str, arrays: Mapping[str, Rows]) -> Rows | None:
    return next((rows for name, rows in arrays.items() if field in {f.name for f in named_like(name)}), None)


def _is_column(name: str, rows: Rows) -> bool:
    if isinstance(rows, Inert) or rows.dtype.kind in "OMmV":
        return False
    return bool(rows.shape) or (rows.dtype.kind in "iufb" and bool(named_like(name)))


def _plain_array(rows: Rows) -> np.ndarray[Any, Any]:
    return np.asarray(rows[:]) if rows.shape else np.asarray(rows)


def _plain(rows: Rows) -> Any:
    if isinstance(rows, Inert):
        return rows.value
    values = _plain_array(rows)
    return values.item() if values.ndim == 0 else values


def _header(rows: Rows | None) -> dict[str, Any]:
    if rows is None:
        return {}
    try:
        header = json.loads(str(_plain(rows)))
    except ValueError:
        return {}
    return header if isinstance(header, dict) else {}
