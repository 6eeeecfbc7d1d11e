"""When two frames are near duplicates, so that labelling one of them is enough.

They are if they are made of the same elements in the same state (total charge, multiplicity, whatever a model reads of
a frame as such), and their distances agree: with the distances between atoms of each pair of elements sorted, none
differs by as much as a tolerance. That does not depend on how a frame is turned, moved, mirrored or numbered. In
periodic frames a distance is that to the nearest image along the edges of the cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Likeness:
    """What is compared of a frame.

    Args:
        kind: what has to be the same: elements and state.
        distances: sorted within each pair of elements, in angstrom.
    """

    kind: tuple[Any, ...]
    distances: NDArray[np.float64]

    @classmethod
    def of(cls, frame: Mapping[str, Array], state: Sequence[str] = ()) -> Likeness:
        """Of a frame with Z and R, ``cell`` and ``pbc`` if it repeats, and the fields that describe its state.

        >>> one = {"Z": np.array([8, 1]), "R": np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.97]])}
        >>> other = {"Z": np.array([1, 8]), "R": np.array([[5.0, 0.0, 0.0], [5.0, 0.98, 0.0]])}
        >>> Likeness.of(one).near(Likeness.of(other), 0.1), Likeness.of(one).near(Likeness.of(other), 0.001)
        (True, False)
        """
        numbers, positions = np.asarray(frame["Z"]), np.asarray(frame["R"], dtype=np.float64)
        first, second = np.triu_indices(len(numbers), 1)
        vectors = _nearest_image(positions[second] - positions[first], frame)
        ends = np.sort(np.stack([numbers[first], numbers[second]]), axis=0)
        distances = np.linalg.norm(vectors, axis=1)
        kind = (np.sort(numbers).tolist(), *(np.asarray(frame[name]).tolist() for name in state))
        return cls(kind, distances[np.lexsort((distances, *ends))])

    def near(self, other: Likeness, tolerance: float) -> bool:
        """Whether the two are near duplicates; with a tolerance of 0 none are."""
        if self.kind != other.kind or tolerance <= 0:
            return False
        return bool(np.max(np.abs(self.distances - other.distances), initial=0.0) < tolerance)


def _nearest_image(vectors: NDArray[np.float64], frame: Mapping[str, Array]) -> NDArray[np.float64]:
    repeats = np.broadcast_to(np.asarray(frame.get("pbc", "cell" in frame), dtype=bool), 3)
    if "cell" not in frame or not repeats.any():
        return vectors
    cell = np.asarray(frame["cell"], dtype=np.float64)
    whole = np.where(repeats[:, None], cell, np.eye(3))
    shifts = np.where(repeats, np.round(vectors @ np.linalg.inv(whole)), 0.0)
    nearest: NDArray[np.float64] = vectors - shifts @ cell
    return nearest
