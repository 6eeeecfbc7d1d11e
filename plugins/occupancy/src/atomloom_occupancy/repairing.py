"""Sums over one brought to one, on request alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom.runs.targets import writing
from atomloom_occupancy.checking import altlocs
from atomloom_occupancy.rounding import two_decimals
from atomloom_occupancy.standard_form import Together
from atomloom_occupancy.structure import occupancies_of
from atomloom_occupancy.writing import write_models

_FULL = 1e-6


def brought_to_one(occupancy: Array, sites: Iterable[tuple[str, list[int]]]) -> tuple[Array, list[str]]:
    """Occupancies of which no site has more than one, ratios kept, and what was changed, in sentences.

    Args:
        occupancy: (atoms,)
        sites: where, and which atoms share it.

    >>> brought_to_one(np.array([0.8, 0.3, 0.5]), [("A 1", [0, 1]), ("A 2", [2])])
    (array([0.72727273, 0.27272727, 0.5       ]), ['A 1: altlocs added up to 1.10 and now to 1'])
    """
    values, said = occupancy.copy(), dict[str, None]()
    for where, atoms in sites:
        total = float(occupancy[atoms].sum())
        if total > 1 + _FULL:
            values[atoms] = occupancy[atoms] / total
            said[f"{where}: altlocs added up to {total:.2f} and now to 1"] = None
    return values, list(said)


def write_repaired(source: Path, structure: gemmi.Structure, folder: Path) -> tuple[tuple[Path, Path], list[str]]:
    """A model as ``repaired.cif`` and ``repaired.pdb`` with its sums brought to one, and what was changed."""
    sites = [(where, [number for number, _ in letters.values()]) for where, _, letters in altlocs(structure)]
    read = occupancies_of(structure)
    values, said = brought_to_one(read, sites)
    for _, atoms in sites:
        if np.any(values[atoms] != read[atoms]):
            values[atoms] = two_decimals(values[atoms], (Together(tuple(range(len(atoms)))),))
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return write_models(source, structure, values, folder, "repaired"), said
