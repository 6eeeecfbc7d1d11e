"""The data that come with the package: potentials of small molecules and ions around their surfaces, from PBE0.

``plugins/dcmnet/data/make.py`` made them; ``surfaces.json`` beside them says with what.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np

from atomloom.data import Dataset, Packed, PerFrame
from atomloom.data.schema import declared

_RAGGED = {"Z": "N", "R": "N", "mono": "N", "atom_dipoles": "N", "vdw_surface": "n_grid", "esp": "n_grid"}
"""For each ragged array the one that counts its rows."""


def small_molecules() -> Dataset:
    """Frames with geometry, potential, charges and moments, and `molecule`, which geometries of one share.

    The names are Z, R, total_charge, total_spin, esp, vdw_surface, mono, atom_dipoles, D, quadrupole and molecule.
    """
    with (files("atomloom_dcmnet") / "data" / "surfaces.npz").open("rb") as file, np.load(file) as held:
        arrays = {name: held[name] for name in held.files}
    counts = {name: arrays.pop(name).astype(np.int64) for name in ("N", "n_grid")}
    arrays["total_spin"] = np.ones(len(counts["N"]), np.int64)
    columns = {
        name: Packed(rows, counts[_RAGGED[name]]) if name in _RAGGED else PerFrame(rows)
        for name, rows in arrays.items()
    }
    return Dataset(columns, {name: declared(name) for name in columns}, provenance())


def provenance() -> dict[str, Any]:
    """Level of theory, program and units of `small_molecules`."""
    found: dict[str, Any] = json.loads((files("atomloom_dcmnet") / "data" / "surfaces.json").read_text("utf-8"))
    return found
