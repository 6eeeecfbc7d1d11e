"""Van der Waals radii of Bondi (1964), and of Mantina and others (2009) for main-group elements that he has none of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomloom.elements import symbol
from atomloom.errors import DataError

BONDI: Mapping[int, float] = {
    1: 1.20, 2: 1.40, 3: 1.82, 4: 1.53, 5: 1.92, 6: 1.70, 7: 1.55, 8: 1.52, 9: 1.47, 10: 1.54,
    11: 2.27, 12: 1.73, 13: 1.84, 14: 2.10, 15: 1.80, 16: 1.80, 17: 1.75, 18: 1.88,
    19: 2.75, 20: 2.31, 28: 1.63, 29: 1.40, 30: 1.39, 31: 1.87, 32: 2.11, 33: 1.85, 34: 1.90, 35: 1.85, 36: 2.02,
    46: 1.63, 47: 1.72, 48: 1.58, 49: 1.93, 50: 2.17, 51: 2.06, 52: 2.06, 53: 1.98, 54: 2.16,
}  # fmt: skip
"""By atomic number, in angstrom."""


def radii(numbers: ArrayLike) -> NDArray[np.float64]:
    """Of atoms by their atomic numbers, in angstrom.

    >>> radii([8, 1]).tolist()
    [1.52, 1.2]
    >>> radii([92])
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot measure distances from the surface of these atoms: there is no van der Waals \
radius of U. Leave out the frames with such atoms.
    """
    given = np.asarray(numbers, dtype=int)
    unknown = sorted(set(given.ravel().tolist()) - BONDI.keys())
    if unknown:
        found = f"there is no van der Waals radius of {', '.join(map(symbol, unknown))}"
        todo = "Leave out the frames with such atoms"
        raise DataError("measure distances from the surface of these atoms", found, todo)
    table = np.zeros(max(BONDI) + 1)
    table[list(BONDI)] = list(BONDI.values())
    found_radii: NDArray[np.float64] = table[given]
    return found_radii
