"""Charge and multiplicity of data: said or assumed, possible, and within what a model is for."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset, PerFrame
from atomloom.data.schema import declared
from atomloom.errors import DataError
from atomloom.harmonizing.electrons import check_electrons
from atomloom_physnet.config import Config

ASSUMED = {"total_charge": ("assume_charge", np.float64), "total_spin": ("assume_spin", np.int64)}
"""For each field that data may lack the option that stands for it, and the type of its values."""


def completed(dataset: Dataset, config: Config) -> Dataset:
    """The data with charge and multiplicity of every frame, or the reason why they are not known.

    What data say is never overruled: the options stand for what they do not say. A charge and a multiplicity that no
    molecule of so many electrons has are refused.

    >>> hydrogen = Dataset.from_arrays({"Z": [[1, 1]], "R": [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.74]]]})
    >>> completed(hydrogen, Config(assume_charge=1, assume_spin=2))["total_spin"].tolist()
    [2]
    >>> completed(hydrogen, Config())
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot tell the electronic states: the data hold no total_charge, no total_spin. Bring \
them, or say what holds for all frames with --assume-charge 0 --assume-spin 1.
    """
    missing = [name for name in ASSUMED if name not in dataset]
    values = {name: getattr(config, ASSUMED[name][0]) for name in missing}
    unsaid = [name for name, value in values.items() if value is None]
    if unsaid:
        flags = {"total_charge": "--assume-charge 0", "total_spin": "--assume-spin 1"}
        found = f"the data hold {', '.join(f'no {name}' for name in unsaid)}"
        todo = f"Bring them, or say what holds for all frames with {' '.join(flags[name] for name in unsaid)}"
        raise DataError("tell the electronic states", found, todo)
    if not missing:
        return dataset
    columns = {name: PerFrame(np.full(len(dataset), value, ASSUMED[name][1])) for name, value in values.items()}
    whole = dataset.with_columns(columns, {name: declared(name) for name in columns})
    check_electrons(whole)
    return whole


def check_electrons_of(numbers: np.ndarray, charge: float, multiplicity: int) -> None:
    """Stops at a charge and multiplicity that a molecule of these atoms cannot have.

    >>> check_electrons_of(np.array([8, 1, 1]), 1, 1)
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot use the multiplicities: 1 of 1 frame (0) have an impossible one: frame 0 of \
charge 1 has 9 electrons and multiplicity 1. Correct them; if the field counts unpaired electrons, say so with \
--as FIELD=unpaired_electrons.
    """
    arrays = {"Z": numbers[None], "total_charge": np.array([charge]), "total_spin": np.array([multiplicity])}
    check_electrons(Dataset.from_arrays(arrays))
