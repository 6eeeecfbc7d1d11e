"""Writes ASE databases (SQLite), in ASE's units, by ASE itself.

Energies, forces, dipoles and charges become results of a calculator, as ASE's own tools expect them. Other numbers of
a frame become key-value pairs, arrays become ``data``. Units are recorded in the metadata, where SchNetPack looks for
them.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.errors import TargetError
from atomloom.runs.atomic import atomic_path
from atomloom_formats.frames_out import batches, check

RESULTS = {"E": "energy", "F": "forces", "D": "dipole", "mono": "charges"}
"""Fields that ASE knows as results of a calculator."""

_GEOMETRY = frozenset({"Z", "R", "cell", "pbc"})
_PAIRS = {"total_charge": "total_charge", "total_spin": "multiplicity"}


def write(dataset: Dataset, target: str | Path, /) -> None:
    """Write `dataset` to `target`; the file appears under its name only once it is whole."""
    import sqlite3

    from ase.db import connect

    names = check(dataset, target)
    with atomic_path(target) as temporary:
        database = connect(str(temporary), type="db", use_lock_file=False)
        try:
            database.metadata = _metadata(dataset, names)
            with database:
                for batch in batches(dataset, names, target):
                    for index in range(batch.frames):
                        _insert(database, batch.frame(index))
        except sqlite3.OperationalError as error:
            raise TargetError(f"write '{target}'", str(error), "Free some space or choose another place") from error


def _metadata(dataset: Dataset, names: tuple[str, ...]) -> dict[str, Any]:
    called = {**RESULTS, **_PAIRS}
    units = {called.get(name, name): dataset.fields[name].unit for name in names if name not in _GEOMETRY}
    return {"_property_unit_dict": units, "_distance_unit": dataset.fields["R"].unit}


def _insert(database: Any, values: dict[str, NDArray[Any]]) -> None:
    pairs, data = {}, {}
    for name, value in values.items():
        if name in _GEOMETRY or name in RESULTS:
            continue
        if name in _PAIRS:
            pairs[_PAIRS[name]] = value.item()
        else:
            data[name] = value.tolist() if value.dtype.kind == "U" else np.asarray(value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ASE warns of key names that look like formulas
        database.write(_atoms(values), key_value_pairs=pairs, data=data)


def _atoms(values: dict[str, NDArray[Any]]) -> Any:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = Atoms(numbers=values["Z"], positions=values["R"], cell=values.get("cell"), pbc=values.get("pbc"))
    results = {called: values[name] for name, called in RESULTS.items() if name in values}
    if "energy" in results:
        results["energy"] = results["energy"].item()
    if results:
        atoms.calc = SinglePointCalculator(atoms, **{key: _float(value) for key, value in results.items()})
    return atoms


def _float(value: Any) -> Any:
    return value.astype(np.float64) if isinstance(value, np.ndarray) else float(value)
