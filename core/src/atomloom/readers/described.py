"""NPZ files that say of themselves which field has which axes and units, as our own writer makes them.

The member `HEADER` is a JSON text::

    {"format": 1, "fields": {"R": {"dims": ["frame", "atom", "xyz"], "unit": "angstrom"}}, "lengths": {"atom": "N"},
     "meta": {}}

A ragged field is padded to the longest frame, and ``lengths`` names the member that says how much of each axis is real.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.data import Column, Dataset, Padded, PerFrame
from atomloom.data.columns import Indices
from atomloom.data.schema import known_field
from atomloom.errors import DataError
from atomloom.rows import Rows
from atomloom.specs import Field

HEADER = "atomloom"
"""Name of the member with the description."""

FORMAT = 1
"""The version of the description that this module reads and the writer writes."""


def described(arrays: Mapping[str, Rows], path: Path) -> Dataset | None:
    """The data set in a file with a description; None for a file without one."""
    header = _header(arrays.get(HEADER))
    if header is None:
        return None
    if header["format"] != FORMAT:
        found = f"it is of format {header['format']}, and this atomloom reads format {FORMAT}"
        raise DataError(f"read '{path}'", found, "Update atomloom")
    try:
        lengths = {axis: _lengths(arrays[member]) for axis, member in header["lengths"].items()}
        fields = {name: _field(name, said) for name, said in header["fields"].items()}
        columns = {name: _column(arrays[name], field, lengths) for name, field in fields.items()}
        return Dataset(columns, fields, {**header["meta"], "source": path.name})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"its member '{HEADER}' does not describe its other members ({type(error).__name__}: {error})"
        raise DataError(f"read '{path}'", found, f"Write it again, or without '{HEADER}'") from error


def _header(rows: Rows | None) -> dict[str, Any] | None:
    if rows is None or rows.shape or rows.dtype.kind != "U":
        return None
    try:
        header = json.loads(str(rows[...]))
    except ValueError:
        return None
    return header if isinstance(header, dict) and "format" in header else None


def _field(name: str, said: Mapping[str, Any]) -> Field:
    dims, unit = tuple(map(str, said["dims"])), str(said["unit"])
    field = known_field(name)
    return field.replace(unit=unit) if field and field.dims == dims else Field(name=name, dims=dims, unit=unit)


def _column(rows: Rows, field: Field, lengths: Mapping[str, Indices]) -> Column:
    axis = field.ragged or field.name
    if field.dims and len(rows.shape) != len(field.dims):
        raise ValueError(f"{field.name} has {len(rows.shape)} axes and not {' x '.join(field.dims)}")
    return Padded(PerFrame(rows), lengths[axis]) if field.ragged or axis in lengths else PerFrame(rows)


def _lengths(rows: Rows) -> Indices:
    values = np.asarray(rows[...])
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(f"lengths are {values.dtype} of shape {values.shape}")
    return values.astype(np.int64)
