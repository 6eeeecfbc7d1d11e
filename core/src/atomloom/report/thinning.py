"""Which of very many points to draw: always the same ones, and never without the extremes."""

from __future__ import annotations

import numpy as np

from atomloom.report.arrays import Array

SEED = 20
"""Of the one fixed order in which points are dropped; any number would do, changing it changes every thinned plot."""


def scattered(many: int, points: int, *keys: Array) -> Array:
    """Indices, ascending, of `many` out of `points` points.

    The smallest and the largest of each of the `keys` (coordinates, errors) stay; the others are a fixed
    pseudo-random choice.

    >>> scattered(3, 6, np.array([0, 9, 0, 0, -9, 0]))
    array([0, 1, 4])
    """
    if points <= many:
        return np.arange(points)
    extremes = [place for key in keys for place in (int(np.argmin(key)), int(np.argmax(key)))]
    order = np.concatenate([np.array(extremes, dtype=np.int64), np.random.default_rng(SEED).permutation(points)])
    unique, first = np.unique(order, return_index=True)
    return np.sort(unique[np.argsort(first)][:many])


def along(many: int, y: Array) -> Array:
    """Indices, ascending, of at most `many` points of a curve: both ends, lowest and highest of equal stretches.

    >>> along(6, np.array([0.0, 0.0, 9.0, 0.0, 0.0, 0.0, -9.0, 0.0]))
    array([0, 2, 4, 6, 7])
    """
    if y.size <= max(many, 4):
        return np.arange(y.size)
    stretches = np.array_split(np.arange(y.size), max((many - 2) // 2, 1))
    low, high = np.where(np.isnan(y), np.inf, y), np.where(np.isnan(y), -np.inf, y)
    peaks = [part[place] for part in stretches for place in (np.argmin(low[part]), np.argmax(high[part]))]
    return np.unique([0, *peaks, y.size - 1])


def shares(many: int, sizes: list[int]) -> list[int]:
    """How many points each series may keep, so that together they are about `many`, each in its proportion."""
    total = sum(sizes)
    return [size if total <= many else min(size, max(2, many * size // total)) for size in sizes]
