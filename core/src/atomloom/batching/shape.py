"""How much a frame takes and how much a batch holds, along each axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from atomloom.data import Dataset
from atomloom.data.columns import Indices


class Shape(NamedTuple):
    """The slots of a batch.

    Args:
        frames: slots for frames.
        atoms: slots for atoms, over all frames.
        pairs: slots for ordered pairs, over all frames; 0 for no pair list.
        grid: slots for grid points, over all frames; 0 for none.
        per_frame: atom slots that each frame has for itself; 0 where frames stand one right behind the other.
    """

    frames: int
    atoms: int
    pairs: int = 0
    grid: int = 0
    per_frame: int = 0


AXES = ("frames", "atoms", "pairs", "grid")
"""The axes of a `Shape` that a budget limits."""


@dataclass(frozen=True)
class Sizes:
    """What each frame takes.

    Args:
        atoms: of each frame.
        pairs: of each frame, or None for no pair list; see `dense_pairs`.
        grid: grid points of each frame, or None.
    """

    atoms: Indices
    pairs: Indices | None = None
    grid: Indices | None = None

    @classmethod
    def of(cls, dataset: Dataset, *, pairs: Indices | bool | None = None) -> Sizes:
        """The sizes of a data set.

        Args:
            pairs: how many each frame has, as `Near` counts them, or True for all pairs within a frame.
        """
        atoms = dataset.sizes.get("atom", np.zeros(len(dataset), dtype=np.int64))
        if isinstance(pairs, bool):
            pairs = dense_pairs(atoms) if pairs else None
        return cls(atoms, pairs, dataset.sizes.get("grid"))

    def __len__(self) -> int:
        return len(self.atoms)

    def along(self, axis: str) -> Indices | None:
        """What each frame takes along one of `AXES`."""
        if axis == "frames":
            return np.broadcast_to(np.int64(1), len(self.atoms))
        values: Indices | None = getattr(self, axis)
        return values

    def longest(self, axis: str, frames: Indices | slice = slice(None)) -> int:
        """The most that one of these frames takes along an axis."""
        along = self.along(axis)
        return 0 if along is None else int(along[frames].max(initial=0))


def dense_pairs(atoms: Indices) -> Indices:
    """How many ordered pairs of different atoms frames of so many atoms have: n (n - 1)."""
    pairs: Indices = atoms * (atoms - 1)
    return pairs
