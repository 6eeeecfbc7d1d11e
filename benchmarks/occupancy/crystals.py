"""The crystals that are refined, and their data as every program can read them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np

from atomloom_occupancy.reflection_files import load_reflections

SHARED = Path(os.environ.get("ATOMLOOM_SHARED_DATA", "../shared/data")) / "xtal"


@dataclass(frozen=True)
class Crystal:
    """A deposited crystal.

    Args:
        name: its code in the PDB.
        model: a file below the folder of crystals.
        data: another.
        flagged: whether the data have free flags, and none are made at random.
    """

    name: str
    model: str
    data: str
    flagged: bool = True


CRYSTALS = (
    Crystal("6MW0", "6MW0/6mw0.cif", "6MW0/6mw0-sf.cif.gz", flagged=False),
    Crystal("4HG7", "4HG7/4hg7.pdb", "4HG7/4hg7-sf.cif"),
    Crystal("7RIN", "7RIN/7rin.pdb", "7RIN/7rin_phases.mtz"),
)


def amplitudes(crystal: Crystal, folder: Path) -> Path:
    """An MTZ file of the amplitudes and free flags that all programs get."""
    data = load_reflections(SHARED / crystal.data)
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = data.group
    mtz.set_cell_for_all(data.cell)
    mtz.add_dataset("amplitudes")
    for label, kind in (("FP", "F"), ("SIGFP", "Q"), ("FREE", "I")):
        mtz.add_column(label, kind)
    columns = [data.hkl, data.amplitude, data.sigma, np.where(data.free, 0, 1)]
    mtz.set_data(np.column_stack(columns).astype(np.float32))
    path = folder / f"{crystal.name}.mtz"
    mtz.write_to_file(str(path))
    return path
