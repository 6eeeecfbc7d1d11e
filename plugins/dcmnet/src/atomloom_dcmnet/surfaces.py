"""Points around molecules: on surfaces of scaled van der Waals radii, and how far any point is from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom_dcmnet.radii import radii

GOLDEN = np.pi * (3 - 5**0.5)
"""The angle between points that follow each other on a spiral, in radians."""

_AT_ONCE = 1 << 22  # distances that are held at the same time: 32 MiB
_INSIDE = 1e-6  # a part of the radius, within which a point counts as lying on the surface

Array = NDArray[Any]


def sphere(count: int) -> Array:
    """So many directions, evenly spread along a spiral, ``[count, 3]``.

    >>> sphere(4).round(2).tolist()[0]
    [0.66, 0.0, 0.75]
    """
    height = 1 - (2 * np.arange(count) + 1) / count
    angle = GOLDEN * np.arange(count)
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=1)


def surface(numbers: Array, positions: Array, scale: float, density: float) -> Array:
    """Points where the union of spheres of `scale` times the van der Waals radii ends, in angstrom ``[points, 3]``.

    Args:
        numbers, positions: of the atoms ``[atoms]`` and, in angstrom, ``[atoms, 3]``.
        density: points on each square angstrom.

    >>> surface(np.array([2]), np.zeros((1, 3)), scale=2.0, density=0.1).shape  # 4 pi 2.8^2 square angstrom
    (9, 3)
    """
    lengths = scale * radii(numbers)
    found = []
    for place, length in zip(positions, lengths, strict=True):
        points = place + length * sphere(int(4 * np.pi * length**2 * density))
        found.append(points[scaled_distances(points, numbers, positions) >= scale * (1 - _INSIDE)])
    return np.concatenate(found)


def scaled_distances(points: Array, numbers: Array, positions: Array) -> Array:
    """The smallest r / r_vdw over the atoms of each point, ``[points]``; a number without unit.

    >>> scaled_distances(np.array([[0.0, 0.0, 3.04]]), np.array([8]), np.zeros((1, 3))).tolist()
    [2.0]
    """
    return _smallest(points, positions, radii(numbers))[0]


def nearest_atoms(points: Array, numbers: Array, positions: Array) -> NDArray[np.int64]:
    """The number of the atom whose r / r_vdw is the smallest, for each point ``[points]``.

    >>> positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> nearest_atoms(np.array([[0.0, 0.0, 3.0]]), np.array([8, 1]), positions).tolist()
    [1]
    """
    return _smallest(points, positions, radii(numbers))[1]


def _smallest(points: Array, positions: Array, lengths: Array) -> tuple[Array, NDArray[np.int64]]:
    """The least of the distances in units of the lengths, and whose it is; some points at a time."""
    least, owner = np.empty(len(points)), np.empty(len(points), np.int64)
    step = max(1, _AT_ONCE // len(positions))
    for start in range(0, len(points), step):
        part = slice(start, start + step)
        apart = np.linalg.norm(points[part, None] - positions, axis=2) / lengths
        owner[part] = apart.argmin(axis=1)
        least[part] = apart.min(axis=1)
    return least, owner
