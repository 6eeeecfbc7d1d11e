"""Readers for ``.npz`` and ``.npy``: nothing is unpickled, and nothing but headers is read on opening.

An NPZ of this field holds one array for each quantity, with the frames along the first axis: padded to the longest
molecule (``[frames, longest, 3]``), of one molecule throughout (``z`` given once), or packed, with all atoms one behind
the other and their numbers in ``N``. Which of these it is shows in the shape of the positions. What our own writer
wrote says of itself which field has which axes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.arrays import Inert, open_arrays
from atomloom.data import Column, Constant, Dataset, Mapped, Packed, PerFrame
from atomloom.data.columns import Indices, whole_lengths
from atomloom.data.schema import named_like
from atomloom.errors import DataError
from atomloom.readers.described import described
from atomloom.rows import Rows
from atomloom.specs import Field


def read_npz(source: str | Path, /) -> Dataset:
    """The arrays of an NPZ as a raw data set, each under the name that it has there.

    A file that `atomloom` wrote comes back with the axes and units of its fields.
    """
    path = Path(source)
    arrays = open_arrays(path)
    own = described(arrays, path)
    return own or from_found(arrays, {}, {"source": path.name})


def read_npy(source: str | Path, /, *, name: str = "") -> Dataset:
    """One array as a raw data set of one field, called like the file unless `name` says otherwise."""
    path = Path(source)
    ((stem, rows),) = open_arrays(path).items()
    return from_found({name or stem: rows}, {}, {"source": path.name})


def from_found(arrays: Mapping[str, Rows], units: Mapping[str, str], meta: Mapping[str, Any]) -> Dataset:
    """A raw data set from arrays by name, for any format that holds such arrays.

    Strings, single numbers without a declared name and pickled objects go to `meta`; everything else becomes a column.

    Args:
        arrays: by the names that they have in the source.
        units: by the same names, as far as the source says them.
        meta: what else the source says.
    """
    found = {name: rows for name, rows in arrays.items() if _is_column(name, rows)}
    extra = {name: plain(rows) for name, rows in arrays.items() if name not in found}
    if not found:
        raise DataError(
            "find the frames of the data set", "it holds no numeric array", "Check that this is the file you meant"
        )
    frames, packed = _frames(found)
    columns = {name: _column(name, rows, frames, packed) for name, rows in found.items()}
    fields = {name: Field(name=name, unit=units.get(name, "")) for name in columns}
    return Dataset(columns, fields, {**extra, **meta})


def plain(rows: Rows) -> Any:
    """What an array holds, as plain Python where it is a single value or was pickled."""
    if isinstance(rows, Inert):
        return rows.value
    values = np.asarray(rows[...])
    return values.item() if values.ndim == 0 else values


def _column(name: str, rows: Rows, frames: int, packed: Indices | None) -> Column:
    leading = rows.shape[:1]
    if packed is not None and leading == (int(packed.sum()),):
        if leading != (frames,):
            return Packed(rows, packed)
        # Frames of one atom each: whether a column is over frames or atoms is not for the reader to say.
        return Mapped(PerFrame(rows), _one_atom) if _is_one_geometry(name, rows) else PerFrame(rows)
    if leading == (frames,) and not (frames == 1 and _is_one_geometry(name, rows)):
        return PerFrame(rows)
    return Constant(np.asarray(rows[...]), frames)


def _one_atom(positions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Positions of one atom a frame with an axis for that atom."""
    return positions[:, None]


def _is_one_geometry(name: str, rows: Rows) -> bool:
    return _means("R", name) and rows.shape[1:] == (3,)


def _frames(arrays: Mapping[str, Rows]) -> tuple[int, Indices | None]:
    """The number of frames, and the atoms of each where the arrays are packed."""
    positions = next((rows for name, rows in arrays.items() if _means("R", name)), None)
    counts = _counts(arrays)
    if positions is not None and len(positions.shape) == 3:
        return positions.shape[0], None
    if positions is not None and positions.shape[1:] == (3,):
        if counts is None:
            return 1, None
        if int(counts.sum()) == positions.shape[0]:
            return len(counts), counts
        found = f"N adds up to {int(counts.sum())} atoms and there are {positions.shape[0]} positions"
        raise DataError("lay out the packed positions", found, "Check that N and the positions belong together")
    leading = Counter(rows.shape[0] for rows in arrays.values() if rows.shape)
    if counts is not None and int(counts.sum()) in leading and len(counts) in leading:
        return len(counts), counts if int(counts.sum()) != len(counts) else None
    return max(leading, key=lambda length: (leading[length], length), default=1), None


def _counts(arrays: Mapping[str, Rows]) -> Indices | None:
    """The number of atoms in each frame, if the source says it for more than one frame at once."""
    rows = next((rows for name, rows in arrays.items() if _means("N", name)), None)
    if rows is None or rows.shape not in {rows.shape[:1], (*rows.shape[:1], 1)} or not rows.shape:
        return None
    return whole_lengths(np.asarray(rows[...]).reshape(-1), "N")


def _means(field: str, name: str) -> bool:
    return field in {each.name for each in named_like(name)}


def _is_column(name: str, rows: Rows) -> bool:
    if isinstance(rows, Inert) or rows.dtype.kind in "OMmV":
        return False
    return bool(rows.shape) or (rows.dtype.kind in "iufb" and bool(named_like(name)))
