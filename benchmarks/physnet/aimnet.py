"""Molecules and ions of fourteen elements, of AIMNet2's tests: fitted to, and asked for all charges of one geometry.

195 frames are too few to learn fourteen elements from; what is shown is that charges are heard. Errors are those of
frames that were learnt from.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from tables import Limit, table

from atomloom import Dataset
from atomloom.elements import symbol
from atomloom.pipeline import predict
from atomloom.report import mae
from physnet.training import SHARED, started, trained

DATA = SHARED / "charge_spin_aimnet" / "dataset.h5"
EXPERIMENT = """\
[[data.source]]
path = "{path}"
reader = "hdf5"
[data.split]
train = 0.9
test = 0.1
[batching]
batch_size = 8
[model]
name = "physnet"
charge_min = -3
spin_max = 3
[training]
num_epochs = {epochs}
table_every_n_epochs = 0
"""
EPOCHS = 30
APART = 1e-3
"""The least difference between the energies of two charges, in eV."""


def run(epochs: int) -> list[Limit]:
    """Print the errors, and the energy of each charge of the smallest molecule."""
    if not DATA.is_file():
        print("\naimnet: ATOMLOOM_SHARED_DATA does not have it")
        return []
    with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
        done = trained(started(EXPERIMENT.format(path=DATA, epochs=epochs), Path(folder)), Path(folder))
        learnt = done.job.data.dataset[done.job.parts.train]
        found = predict(done.fitted, learnt)
        asked = charged(learnt)
        energies = predict(done.fitted, asked)["E"]
    told = f"learnt frames: {mae(found['E'], learnt['E']):.2f} eV and {mae(found['F'], learnt['F']):.2f} eV/A MAE"
    above = zip(asked["total_charge"], asked["total_spin"], energies - energies.min(), strict=True)
    rows = [[f"{charge:+.0f}", str(spin), f"{energy:.3f}"] for charge, spin, energy in above]
    title = f"AIMNet2's set after {epochs} epochs: one geometry of {formula(asked)} in every charge"
    table(title, ("charge", "2S+1", "E above the lowest, eV"), rows, [told])
    apart = float(np.diff(np.sort(energies)).min())
    return [Limit("aimnet: least difference between two charges, eV", apart, APART)]


def charged(dataset: Dataset) -> Dataset:
    """The first molecule in every charge that occurs in the data, each in the lowest multiplicity that it can have."""
    first, charges = dataset[[0]], np.unique(np.rint(dataset["total_charge"]))
    parities = (int(first["Z"].sum()) - charges.astype(int)) % 2
    return Dataset.from_frames(
        [
            {"Z": first["Z"], "R": first["R"], "total_charge": charge, "total_spin": 1 + parity}
            for charge, parity in zip(charges, parities, strict=True)
        ]
    )


def formula(dataset: Dataset) -> str:
    """Of the first molecule.

    >>> formula(Dataset.from_frames([{"Z": [8, 1, 1]}]))
    'H2O'
    """
    numbers, counts = np.unique(dataset[[0]]["Z"], return_counts=True)
    pairs = zip(numbers.tolist(), counts.tolist(), strict=True)
    return "".join(symbol(number) + str(count if count > 1 else "") for number, count in pairs)
