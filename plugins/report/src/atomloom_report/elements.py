"""How atoms look: the colours of Jmol, and sizes and bonds from covalent radii."""

from __future__ import annotations

import numpy as np

from atomloom.harmonizing.elements import RADIUS
from atomloom.report.arrays import Array

# H to Xe; beyond, and for a dummy atom, `OTHER`.
_COLORS = """
ffffff d9ffff cc80ff c2ff00 ffb5b5 7f7f7f 3050f8 ff0d0d 90e050 b3e3f5 ab5cf2 8aff00 bfa6a6 f0c8a0 ff8000 ffd930 1ff01f
80d1e3 8f40d4 3dff00 e6e6e6 bfc2c7 a6a6ab 8a99c7 9c7ac7 e06633 f090a0 50d050 c88033 7d80b0 c28f8f 668f8f bd80e3 ffa100
a62929 5cb8d1 702eb0 00ff00 94ffff 94e0e0 73c2c9 54b5b5 3b9e9e 248f8f 0a7d8c 006985 c0c0c0 ffd98f a67573 668080 9e63b5
d47a00 940094 429eb0
"""

OTHER = "#d070a0"
"""The colour of elements beyond xenon and of dummy atoms."""

SHARE = 0.45
"""The size of a drawn atom, as a share of its covalent radius; bonds stay visible between two."""

LONGEST = 1.25
"""Two atoms up to this many sums of their covalent radii apart are drawn with a bond."""

MOST_ATOMS = 2000
"""Beyond this no bonds are drawn: atoms that many are seen as a cloud."""


def color(number: int) -> str:
    """The colour of an element.

    >>> color(8), color(0)
    ('#ff0d0d', '#d070a0')
    """
    known = _COLORS.split()
    return f"#{known[number - 1]}" if 1 <= number <= len(known) else OTHER


def radii(numbers: Array) -> Array:
    """Covalent radii in angstrom, (atoms,), 1.5 where none is known."""
    known = RADIUS[np.where((numbers >= 0) & (numbers < RADIUS.size), numbers, 0)]
    return np.asarray(np.where(np.isnan(known), 1.5, known))


def bonds(numbers: Array, positions: Array) -> Array:
    """Pairs of atoms, (bonds, 2), that are near enough for a bond.

    >>> bonds(np.array([1, 1, 1]), np.array([[0, 0, 0], [0.74, 0, 0], [3, 0, 0.0]])).tolist()
    [[0, 1]]
    """
    if not 1 < numbers.size <= MOST_ATOMS:
        return np.empty((0, 2), np.int64)
    sizes = radii(numbers)
    distances = np.linalg.norm(positions[:, None] - positions, axis=-1)
    near = distances < LONGEST * (sizes[:, None] + sizes)
    return np.argwhere(np.triu(near, 1))
