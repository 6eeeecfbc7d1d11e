"""Reads ASE databases in SQLite files (``ase.db``), row by row as they are asked for.

Fields are called as ASE calls them, in its units: eV, angstrom, e. Beside them come numbers among the key-value
pairs, and arrays in ``data``, which is where SchNetPack keeps properties; it records their units in the metadata of
the database. What a row adds is told by the first row, and by another with another number of atoms.

Results that only some rows have are left out with a warning; with ``having=("forces",)`` rows without forces are left
out instead. ``cell`` and ``pbc`` are fields if some row is periodic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.data import Column, Dataset
from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError
from atomloom.specs import Field
from atomloom_formats.ase_added import Added, decoded, find_added, value_of
from atomloom_formats.ase_tables import COLUMNS, Tables, unpacked
from atomloom_formats.lazy import Frames, Parsed
from atomloom_formats.left_out import KEY
from atomloom_formats.xyz_schema import UNITS

RULE = "ASE's convention"
SCHNETPACK_RULE = "the metadata of the database"
_CHARGES = frozenset({"charge", "total_charge"})  # which nobody counts in anything but e


def read(source: str | Path, /, *, having: Sequence[str] = ()) -> Dataset:
    """The rows of an ASE database as a raw data set.

    Args:
        having: names of ASE's results, such as ``forces``; rows that lack one of them are left out.
    """
    tables = Tables(Path(source))
    unknown = [name for name in having if name not in COLUMNS]
    if unknown:
        raise DataError(
            f"read the rows of '{source}' with {unknown[0]}", "ASE has no result of that name", "Correct it"
        )
    where = " AND ".join(f"{name} IS NOT NULL" for name in having) or "1"
    rows = tables.ask(f"SELECT id, natoms FROM systems WHERE {where} ORDER BY id")
    if not rows:
        raise tables.error("it holds no such rows" if having else "it holds no rows", "Check that it is the right file")
    ids, atoms = np.array(rows, dtype=np.int64).T
    return _dataset(tables, ids, atoms, having)


def _dataset(tables: Tables, ids: Indices, atoms: Indices, having: Sequence[str]) -> Dataset:
    counts, total = tables.counted(), len(tables.ask("SELECT id FROM systems"))
    if not tables.ask("SELECT 1 FROM systems WHERE pbc != 0 LIMIT 1"):
        counts["cell"] = counts["pbc"] = 0
    stored = [name for name, count in counts.items() if count == total or name in having]
    added = {n: a for n, a in find_added(tables, ids.tolist(), atoms.tolist()).items() if n not in stored}
    left_out = {n: f"{count} of {total} rows have it" for n, count in counts.items() if count and n not in stored}
    source = _Rows(tables, ids, atoms, stored, added)
    columns: dict[str, Column] = {}
    for name in stored:
        form = COLUMNS[name]
        dtype = form.dtype.newbyteorder("=")
        columns[name] = Parsed(source, name, dtype, form.item, atoms if form.ragged else len(ids))
    for name, extra in added.items():
        columns[name] = Parsed(source, name, extra.dtype, extra.item, atoms if extra.ragged else len(ids))
    fields, rules = _fields(tables.metadata(), columns, added)
    meta = {"source": tables.path.name, "unit_rules": rules, KEY: left_out}
    return Dataset(columns, fields, {key: value for key, value in meta.items() if value})


def _fields(
    metadata: Mapping[str, Any], columns: Mapping[str, Column], added: Mapping[str, Added]
) -> tuple[dict[str, Field], dict[str, str]]:
    """The declarations, and by which rule their units are known."""
    given = metadata.get("_property_unit_dict")
    told = dict(given) if isinstance(given, dict) else {}
    if isinstance(metadata.get("_distance_unit"), str):
        told["positions"] = metadata["_distance_unit"]
    fields, rules = {}, {}
    for name in columns:
        unit = str(told.get(name) or "")
        rule = SCHNETPACK_RULE if unit else RULE
        if not unit and (name not in added or name in _CHARGES):
            unit = UNITS.get(name, "")
        fields[name] = Field(name=name, unit=unit)
        if unit:
            rules[name] = rule
    return fields, rules


class _Rows(Frames):
    """The rows of a database."""

    def __init__(
        self, tables: Tables, ids: Indices, atoms: Indices, stored: list[str], added: Mapping[str, Added]
    ) -> None:
        super().__init__()
        self.tables, self.ids, self.atoms, self.stored, self.added = tables, ids, atoms, stored, added

    def parse(self, frames: Indices) -> Mapping[str, Array]:
        """See `Frames.parse`."""
        places = sorted({form.place for form in self.added.values()})
        ids, atoms = self.ids[frames], self.atoms[frames]
        rows = list(zip(*self.tables.rows((*self.stored, *places), ids.tolist()), strict=True))
        out = {
            name: unpacked(self.tables, name, values, ids, atoms)
            for name, values in zip(self.stored, rows, strict=False)
        }
        for place, held in zip(places, rows[len(self.stored) :], strict=True):
            found = [decoded(place, value) for value in held]
            for name, form in self.added.items():
                if form.place == place:
                    out[name] = self._added(name, form, found, frames)
        return out

    def _added(self, name: str, form: Added, found: list[Mapping[str, Any]], frames: Indices) -> Array:
        values = []
        for frame, held in zip(frames, found, strict=True):
            value = value_of(held, name, form, int(self.atoms[frame]))
            if value is None:
                problem = f"the row {int(self.ids[frame])} has no {name} of the shape that the first row has"
                raise self.tables.error(problem, f"Give every row one, or leave it out with --as {name}=ignore")
            values.append(value)
        return np.concatenate(values) if form.ragged else np.stack(values)


def example(folder: str | Path, /) -> Path:
    """Write a tiny database, for the conformance kit and for tests."""
    from atomloom_formats.ase_writing import write

    target = Path(folder) / "example.db"
    water = {"Z": [8, 1, 1], "R": [[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0.0]], "E": -2079.1}
    hydrogen = {"Z": [1, 1], "R": [[0, 0, 0], [0, 0, 0.74]], "E": -31.7}
    frames = [{**frame, "F": np.zeros((len(frame["R"]), 3))} for frame in (water, hydrogen)]  # type: ignore[arg-type]
    write(Dataset.from_frames(frames), target)  # type: ignore[arg-type]  # of what may be an array
    return target
