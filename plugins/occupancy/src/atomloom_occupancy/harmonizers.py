"""Harmonizers of crystal data: amplitudes from intensities, and free flags where there are none."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset, Packed
from atomloom.data.columns import Array
from atomloom.data.schema import declared
from atomloom.harmonizing import Choices, Finding
from atomloom_occupancy import french_wilson
from atomloom_occupancy.crystal_fields import cell_of, group_of
from atomloom_occupancy.free_flags import make_flags


def amplitudes_from_intensities(dataset: Dataset, /, *, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """F_obs and sigma_F from I_obs and sigma_I by the method of French and Wilson."""
    if "F_obs" in dataset:
        return dataset, []
    pairs = [_amplitudes(dataset, frame) for frame in range(len(dataset))]
    for name, parts in zip(("F_obs", "sigma_F"), zip(*pairs, strict=True), strict=True):
        dataset = _with(dataset, name, np.concatenate(parts))
    return dataset, [Finding("F_obs", "I_obs", "French-Wilson", french_wilson.NOTE)]


def flags_made(dataset: Dataset, /, *, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """free_flag drawn at random, by the seed that the command has by default."""
    if "free_flag" in dataset:
        return dataset, []
    made = [make_flags(int(count)) for count in dataset.sizes["reflection"]]
    dataset = _with(dataset, "free_flag", np.concatenate([flags for flags, _ in made]))
    return dataset, [Finding("free_flag", "", "drawn", made[0][1], "inferred")]


def _amplitudes(dataset: Dataset, frame: int) -> tuple[Array, Array]:
    fields = dataset.take([frame], ["I_obs", "sigma_I", "hkl", "cell", "space_group"])
    cell, group = cell_of(fields), group_of(fields)
    return french_wilson.of_crystal(fields["I_obs"], fields["sigma_I"], fields["hkl"], cell, group)


def _with(dataset: Dataset, name: str, values: Array) -> Dataset:
    column = Packed(values, dataset.sizes["reflection"])
    return dataset.with_columns({name: column}, {name: declared(name)})
