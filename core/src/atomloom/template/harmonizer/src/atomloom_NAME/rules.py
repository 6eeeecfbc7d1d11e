"""Makes the energy of a frame of its energy per atom."""

from __future__ import annotations

import numpy as np
from atomloom import Dataset
from atomloom.data import PerFrame
from atomloom.data.schema import declared
from atomloom.harmonizing import Choices, Finding


def total_energy(dataset: Dataset, /, *, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """E is the energy per atom times the number of atoms, in the same unit.

    A rule is pure: it returns another data set, and says what it did. What a data set has already stays as it is.
    """
    if "E" in dataset:
        return dataset, []
    energies = dataset["energy_per_atom"] * dataset.sizes["atom"]
    field = declared("E").replace(unit=dataset.fields["energy_per_atom"].unit)
    made = dataset.with_columns({"E": PerFrame(energies)}, {"E": field}).without("energy_per_atom")
    return made, [Finding("E", "energy_per_atom", "per atom", "times the number of atoms")]


def example() -> Dataset:
    """Two molecules with the energy per atom, for the conformance kit and for the tests."""
    values = {
        "Z": np.array([1, 1, 8, 1, 1]),
        "R": np.arange(15.0).reshape(5, 3),
        "energy_per_atom": np.array([-15.85, -693.0]),
    }
    return Dataset.from_arrays(values, lengths={"atom": np.array([2, 3])})
