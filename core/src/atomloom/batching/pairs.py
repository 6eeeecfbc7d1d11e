"""Pairs of atoms within each frame of a batch."""

from __future__ import annotations

import numpy as np

from atomloom.data.columns import Indices, offsets


def all_pairs(lengths: Indices) -> tuple[Indices, Indices]:
    """Every ordered pair of different atoms of the same frame, as (destination, source) into the packed atoms.

    >>> [side.tolist() for side in all_pairs(np.array([2, 1, 2]))]
    [[0, 1, 3, 4], [1, 0, 4, 3]]
    """
    others = np.maximum(lengths - 1, 0)
    first = np.repeat(offsets(lengths)[:-1], lengths * others)
    neighbours = np.repeat(others, lengths * others)
    within = np.arange(len(first), dtype=np.int64) - np.repeat(offsets(lengths * others)[:-1], lengths * others)
    destination, source = np.divmod(within, np.maximum(neighbours, 1))
    source += source >= destination
    return first + destination, first + source
