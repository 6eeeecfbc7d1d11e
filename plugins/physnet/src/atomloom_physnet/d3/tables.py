"""Reference data of the elements: systems that D3 interpolates between, radii, and what C8 follows from.

``data/d3.json`` says where they are from; ``plugins/physnet/data/d3_tables.py`` made them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomloom.elements import symbol
from atomloom.errors import DataError

LARGEST = 103
"""The last element that there are data for."""

Floats = NDArray[np.float64]


class Tables(NamedTuple):
    """Rows are atomic numbers, of which 0 is padding: it has one reference system without any dispersion.

    Args:
        systems: the numbers of an element's reference systems, filled up with 0 ``[elements, most]``.
        there: which of these are real ``[elements, most]``.
        coordination: coordination number of each system ``[systems]``.
        c6: between systems, in hartree bohr^6 ``[systems, systems]``.
        radius: 4/3 of the covalent radius, in bohr ``[elements]``.
        pairwise: van der Waals radii of pairs, in bohr ``[elements, elements]``.
        q: square root of ``sqrt(Z) <r^4> / (2 <r^2>)``, in bohr: C8 is ``3 C6 q q`` ``[elements]``.
    """

    systems: NDArray[np.int64]
    there: NDArray[np.bool_]
    coordination: Floats
    c6: Floats
    radius: Floats
    pairwise: Floats
    q: Floats


@cache
def tables() -> Tables:
    """All of them, read once.

    >>> systems = tables().systems[6]
    >>> tables().coordination[systems[tables().there[6]]].tolist()
    [0.0, 0.9868, 1.9985, 2.9987, 3.9844]
    """
    with (files("atomloom_physnet") / "data" / "d3.npz").open("rb") as file, np.load(file) as held:
        stored = dict(held)
    element = stored["element"]
    own = [np.flatnonzero(element == number) + 1 for number in range(LARGEST + 1)]
    own[0] = np.zeros(1, np.int64)
    systems = np.zeros((LARGEST + 1, max(map(len, own))), np.int64)
    there = np.zeros(systems.shape, bool)
    for number, found in enumerate(own):
        systems[number, : len(found)], there[number, : len(found)] = found, True
    return Tables(
        systems=systems,
        there=there,
        coordination=np.append(0.0, stored["coordination"]),
        c6=_whole(stored["c6_upper"], len(element)),
        radius=stored["radius"],
        pairwise=_whole(stored["pairwise_upper"], LARGEST),
        q=stored["q"],
    )


def _whole(upper: Floats, count: int) -> Floats:
    """A symmetric matrix from its upper triangle, behind a row and a column of zeros for padding."""
    first, second = np.triu_indices(count)
    whole = np.zeros((count + 1, count + 1))
    whole[first + 1, second + 1] = whole[second + 1, first + 1] = upper
    return whole


def check_known(numbers: ArrayLike) -> None:
    """Stops at elements that D3 has no data for.

    >>> check_known([1, 104])
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot compute the dispersion D3: there are atoms of Rf, and data up to Lr. Leave these \
frames out, or set dispersion = "none".
    """
    unknown = np.unique(np.asarray(numbers)[np.asarray(numbers) > LARGEST])
    if unknown.size:
        found = f"there are atoms of {', '.join(map(symbol, unknown.tolist()))}, and data up to {symbol(LARGEST)}"
        todo = 'Leave these frames out, or set dispersion = "none"'
        raise DataError("compute the dispersion D3", found, todo)
