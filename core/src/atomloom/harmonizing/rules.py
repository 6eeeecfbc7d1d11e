"""Core's own harmonizers: fields that follow from others."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset, Mapped, PerFrame
from atomloom.data.schema import declared
from atomloom.harmonizing.choices import Choices
from atomloom.harmonizing.findings import Finding


def forces_from_gradient(dataset: Dataset, /, *, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """F is the negative of a gradient of the energy, in the same unit."""
    if "F" in dataset:
        return dataset, []
    field = declared("F").replace(unit=dataset.fields["gradient"].unit)
    negative = Mapped(dataset.columns["gradient"], np.negative)
    made = dataset.with_columns({"F": negative}, {"F": field}).without("gradient")
    return made, [Finding("F", "gradient", "sign", "the negative of the gradient")]


def multiplicity_from_unpaired(dataset: Dataset, /, *, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """total_spin is one more than the number of unpaired electrons."""
    if "total_spin" in dataset:
        return dataset, []
    made = Mapped(dataset.columns["unpaired_electrons"], lambda unpaired: unpaired + 1)
    dataset = dataset.with_columns({"total_spin": made}, {"total_spin": declared("total_spin")})
    return dataset.without("unpaired_electrons"), [Finding("total_spin", "unpaired_electrons", "2S+1", "one more")]


def grid_counted(dataset: Dataset, /, *, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """n_grid is the number of points at which there is a potential."""
    if "n_grid" in dataset:
        return dataset, []
    counted = PerFrame(np.array(dataset.sizes["grid"]))
    made = dataset.with_columns({"n_grid": counted}, {"n_grid": declared("n_grid")})
    return made, [Finding("n_grid", "esp", "counted", "from the length of esp")]


def atoms_counted(dataset: Dataset, /, *, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """N is the number of atoms in each frame."""
    if "N" in dataset:
        return dataset, []
    counted = PerFrame(np.array(dataset.sizes["atom"]))
    made = dataset.with_columns({"N": counted}, {"N": declared("N")})
    return made, [Finding("N", "R", "counted", "from the length of R")]
