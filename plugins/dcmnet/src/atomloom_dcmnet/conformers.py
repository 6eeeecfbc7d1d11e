"""Several conformers of one molecule, which one set of charges shall describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom_dcmnet.local_frames import LEAST_SINE, LocalAxes, choose_frames
from atomloom_dcmnet.molecules import Subject, subject


class Conformers(NamedTuple):
    """What is fitted jointly.

    Args:
        subjects: one or several geometries of the same atoms.
        axes: of the atoms.
    """

    subjects: tuple[Subject, ...]
    axes: LocalAxes


def conformers(
    dataset: Dataset,
    frames: Sequence[int],
    charge: float | None = None,
    shell: tuple[float, float] | None = None,
) -> Conformers:
    """What `subject` makes of each frame; where there are several, displacements are told in axes of the atoms.

    Args:
        frames: with the same atoms in the same order, and the same charge.
        charge, shell: as for `subject`.
    """
    found = [subject(dataset, frame, charge, shell) for frame in frames]
    for frame, other in zip(frames, found, strict=True):
        _check_alike(found[0], other, f"fit frames {frames[0]} and {frame} jointly")
    axes = choose_frames(np.stack([each.potential.positions for each in found]))
    if len(found) == 1:
        return Conformers((found[0],), axes)
    return Conformers(tuple(_turning(each, axes) for each in found), axes)


def _check_alike(first: Subject, other: Subject, asked: str) -> None:
    if not np.array_equal(first.numbers, other.numbers):
        todo = "Choose conformers of one molecule, whose atoms are in the same order"
        raise DataError(asked, "their atoms are not the same in the same order", todo)
    if first.potential.total != other.potential.total:
        charges = f"{first.potential.total:g} and {other.potential.total:g}"
        raise DataError(asked, f"their charges are {charges}", "Choose frames of one charge, or say it with --charge")


def _turning(each: Subject, axes: LocalAxes) -> Subject:
    """With the axes that the atoms have in this conformer."""
    positions = each.potential.positions
    if axes.sines(positions).min() < LEAST_SINE:
        found = "the atoms of one are nearly on a line, which fixes no axes across it"
        raise DataError("fit conformers jointly", found, "Fit one frame at a time")
    return each._replace(potential=replace(each.potential, axes=axes.at(positions)))
