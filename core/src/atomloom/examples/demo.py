"""Core's demo: shaken molecules in the units and under the names that a stranger's file would have, a fit, a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.examples.morse import make
from atomloom.experiment import load, resolved
from atomloom.pipeline import fit, prepare
from atomloom.report import Report
from atomloom.units import convert

FRAMES = 1200
EXPERIMENT = """\
title = "Ridge regression on Coulomb-matrix spectra"

[[data.source]]
path = "molecules.npz"
reader = "npz"
unit = { E = "kcal/mol", R = "angstrom", F = "kcal/mol/angstrom" }

[data.split]
train = 0.8
valid = 0.1
test = 0.1
seed = 1

[model]
name = "ridge"

[training]
num_epochs = 40
"""


def run(folder: Path, /) -> Report:
    """Make the data, write the experiment, fit it, and give its report."""
    np.savez(folder / "molecules.npz", **as_strangers_write(make(FRAMES, seed=7)))  # type: ignore[arg-type]
    experiment = folder / "experiment.toml"
    experiment.write_text(EXPERIMENT)
    return fit(prepare(resolved(load(experiment), folder)), folder / "run")[1]


def as_strangers_write(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """The data set padded with zeros, in kcal/mol, under other names and with no word about its units."""
    lengths = dataset.sizes["atom"]
    real = np.arange(lengths.max()) < lengths[:, None]
    numbers = np.zeros(real.shape, dtype=np.int64)
    coordinates, forces = np.zeros((*real.shape, 3)), np.zeros((*real.shape, 3))
    numbers[real], coordinates[real] = dataset["Z"], dataset["R"]
    forces[real] = convert(dataset["F"], "eV/angstrom", "kcal/mol/angstrom")
    energies = convert(dataset["E"], "eV", "kcal/mol")
    return {"atomic_numbers": numbers, "coords": coordinates, "energies": energies, "forces": forces}
