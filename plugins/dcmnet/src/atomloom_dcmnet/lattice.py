"""The potential of charges at any points, and on a lattice around a molecule, to be looked at as a cube file."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset
from atomloom_dcmnet.linear import KCAL_ANGSTROM, Array
from atomloom_dcmnet.molecules import KCAL

SPACING, MARGIN = 0.2, 4.0  # angstrom

NEAREST = 0.1
"""Angstrom: nearer to a charge its potential is that at this distance, since no file has room for infinity."""

_AT_ONCE = 1 << 21  # distances that are held at the same time: 16 MiB


def potential_of(charges: Array, places: Array, points: Array) -> Array:
    """The potential of charges in e at points in angstrom, in hartree/e ``[points]``; some points at a time.

    >>> float(potential_of(np.ones(1), np.zeros((1, 3)), np.array([[0.0, 0.0, 0.529177210903]]))[0].round(6))
    1.0
    """
    step = max(1, _AT_ONCE // len(charges))
    found = np.empty(len(points))
    for start in range(0, len(points), step):
        apart = points[start : start + step, None] - places
        distances = np.maximum(np.linalg.norm(apart, axis=2), NEAREST)
        found[start : start + step] = KCAL_ANGSTROM / KCAL * (charges / distances).sum(axis=1)
    return found


def lattice(positions: Array, spacing: float = SPACING, margin: float = MARGIN) -> Array:
    """Points of a box that reaches by `margin` beyond the atoms, the last axis fastest, in angstrom ``[points, 3]``."""
    low, high = positions.min(axis=0) - margin, positions.max(axis=0) + margin
    axes = [
        begin + spacing * np.arange(1 + int(np.ceil((end - begin) / spacing)))
        for begin, end in zip(low, high, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def on_lattice(numbers: Array, positions: Array, charges: Array, places: Array, points: Array) -> Dataset:
    """One frame with the potential at `points`."""
    values = potential_of(charges, places, points)
    frame = {"Z": numbers, "R": positions, "vdw_surface": points, "esp": values}
    return Dataset.from_frames([frame])
