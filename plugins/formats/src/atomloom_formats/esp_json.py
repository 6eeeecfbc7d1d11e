"""Reads ESP records of openff-recharge: one conformer, grid points, the potential there, and tagged SMILES.

Elements and the total charge are those of the SMILES pattern, whose atoms carry the places of their coordinates. The
fields' units are fixed by openff-recharge: angstrom, hartree/e, and hartree/(e bohr) for the electric field. A file
holds one record or a list of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Column, Dataset, Packed, PerFrame
from atomloom.data.schema import declared
from atomloom.errors import DataError
from atomloom.specs import Field
from atomloom_formats.elements import atomic_number

RULE = "openff-recharge's documentation"

_ATOM = re.compile(r"\[(\d*)([A-Z][a-z]?|[a-z]{1,2})(@{0,2})(H\d*)?(\++|-+|[+-]\d+)?:(\d+)\]")
_NEEDED = ("tagged_smiles", "conformer", "grid_coordinates", "esp")


def read(source: str | Path, /) -> Dataset:
    """The records of a file, a frame each."""
    path = Path(source)
    records = [_record(path, number, entry) for number, entry in enumerate(_entries(path))]
    if not records:
        raise DataError(f"read '{path}' as ESP records", "the list is empty", "Check that this is the file you meant")
    atoms = np.array([len(record["Z"]) for record in records])
    points = np.array([len(record["esp"]) for record in records])
    columns: dict[str, Column] = {
        "Z": Packed(np.concatenate([record["Z"] for record in records]), atoms),
        "R": Packed(np.concatenate([record["R"] for record in records]), atoms),
        "total_charge": PerFrame(np.array([record["total_charge"] for record in records])),
        "vdw_surface": Packed(np.concatenate([record["vdw_surface"] for record in records]), points),
        "esp": Packed(np.concatenate([record["esp"] for record in records]), points),
    }
    fields = {name: declared(name) for name in columns}
    if all(record["electric_field"] is not None for record in records):
        columns["electric_field"] = Packed(np.concatenate([record["electric_field"] for record in records]), points)
        fields["electric_field"] = Field(name="electric_field", unit="hartree/e/bohr")
    return Dataset(columns, fields, _meta(path, records))


def _meta(path: Path, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    levels = {record["level"] for record in records}
    smiles = [record["smiles"] for record in records]
    return {
        "source": path.name,
        "smiles": smiles[0] if len(smiles) == 1 else smiles,
        "level_of_theory": levels.pop() if len(levels) == 1 else "",
        "unit_rules": dict.fromkeys(("R", "vdw_surface", "esp", "electric_field", "total_charge"), RULE),
    }


def _entries(path: Path) -> list[Any]:
    asked = f"read '{path}' as ESP records"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        todo = "Check that its download or copy finished, or choose another --reader"
        raise DataError(asked, f"it is not JSON ({error})", todo) from error
    entries = held if isinstance(held, list) else [held]
    for entry in entries:
        missing = [key for key in _NEEDED if not isinstance(entry, dict) or key not in entry]
        if missing:
            todo = "Check that it holds ESP records of openff-recharge, or choose another --reader"
            raise DataError(asked, f"it has no {' and no '.join(missing)}", todo)
    return entries


def _record(path: Path, number: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    asked = f"read record {number} of '{path}'"
    positions = _array(asked, entry, "conformer", 3)
    grid = _array(asked, entry, "grid_coordinates", 3)
    numbers, charge = _elements(asked, str(entry["tagged_smiles"]), len(positions))
    potential = _array(asked, entry, "esp", 1)[:, 0]
    given = entry.get("electric_field")
    electric = _array(asked, entry, "electric_field", 3) if given is not None else None
    for name, values in (("esp", potential), ("electric_field", electric)):
        if values is not None and len(values) != len(grid):
            found = f"{name} has {len(values)} values and there are {len(grid)} grid points"
            raise DataError(asked, found, "Check that they belong together")
    settings = entry.get("esp_settings") or {}
    level = "/".join(str(settings[key]) for key in ("method", "basis") if key in settings)
    return {
        "Z": numbers,
        "R": positions,
        "total_charge": charge,
        "vdw_surface": grid,
        "esp": potential,
        "electric_field": electric,
        "smiles": entry["tagged_smiles"],
        "level": level,
    }


def _array(asked: str, entry: Mapping[str, Any], name: str, width: int) -> NDArray[np.float64]:
    try:
        values = np.array(entry[name], dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(asked, f"{name} is not a table of numbers ({error})", "Correct it") from error
    if values.ndim == 1 and width == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] != width:
        found = f"the shape of {name} is {list(values.shape)}"
        raise DataError(asked, found, f"Give it as rows of {width} number{'s' if width > 1 else ''}")
    return values


def _elements(asked: str, smiles: str, atoms: int) -> tuple[NDArray[np.int64], float]:
    """Atomic numbers in the order of the coordinates, and the sum of the formal charges."""
    found = {int(match[6]): match for match in _ATOM.finditer(smiles)}
    if sorted(found) != list(range(1, atoms + 1)) or smiles.count("[") != len(found):
        problem = f"the SMILES {smiles!r} numbers {len(found)} atoms and there are coordinates of {atoms}"
        raise DataError(asked, problem, "Number every atom, from 1 up, in the order of the coordinates")
    try:
        numbers = [atomic_number(found[place][2]) for place in range(1, atoms + 1)]
    except KeyError as error:
        raise DataError(asked, f"the SMILES {smiles!r} has an element {error}", "Correct it") from error
    return np.array(numbers, dtype=np.int64), float(sum(_charge(match[5] or "") for match in found.values()))


def _charge(text: str) -> int:
    """The formal charge that a SMILES atom carries.

    >>> [_charge(text) for text in ("", "+", "--", "+2")]
    [0, 1, -2, 2]
    """
    if text[1:].isdigit():
        return int(text)
    return text.count("+") - text.count("-")


def example(folder: str | Path, /) -> Path:
    """Write a tiny file of this format, for the conformance kit and for tests."""
    target = Path(folder) / "example.json"
    record = {
        "tagged_smiles": "[H:1][O-:2]",
        "conformer": [[0.0, 0.0, 0.97], [0.0, 0.0, 0.0]],
        "grid_coordinates": [[0.0, 0.0, 3.0], [0.0, 3.0, 0.0], [3.0, 0.0, 0.0]],
        "esp": [[-0.11], [-0.2], [-0.2]],
        "electric_field": None,
        "esp_settings": {"method": "hf", "basis": "6-31g*"},
    }
    target.write_text(json.dumps(record), encoding="utf-8")
    return target
