"""What padding costs: one width, buckets, the best buckets of as many, and packing, beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from atomloom.batching import Order, PackedPlan, Shape, Sizes, buckets
from atomloom_residues.protein_source import Indices

LONGEST = 4
"""The budget of a packed batch, in frames of the longest length."""


class Cost(NamedTuple):
    """What one way to lay out frames costs.

    Args:
        layout: in words.
        widths: to which frames are filled up; of a packed batch, how many beads it holds.
        compilations: shapes, each of which a compiler compiles once.
        beads: share of the bead slots that are padding, 0 to 1.
        pairs: the same of the square of beads; None for packing, which lists pairs.
    """

    layout: str
    widths: tuple[int, ...]
    compilations: int
    beads: float
    pairs: float | None


def costs(lengths: Indices, chosen: Sequence[int], seed: int = 0) -> list[Cost]:
    """The costs of one width, the `chosen` buckets, the best of as many, and packing in the shuffled order of an epoch.

    >>> import numpy as np
    >>> [(cost.layout, round(cost.beads, 3)) for cost in costs(np.array([10, 10, 20]), [10, 20])][:2]
    [('one width', 0.333), ('these buckets', 0.0)]
    """
    longest = int(lengths.max())
    best = buckets.optimal(lengths, len(chosen))
    rows = [_padded("one width", lengths, [longest]), _padded("these buckets", lengths, chosen)]
    return [*rows, _padded("optimal buckets", lengths, best.tolist()), _packed(lengths, seed)]


def _padded(layout: str, lengths: Indices, bounds: Sequence[int]) -> Cost:
    used = set(buckets.assign(lengths, bounds).tolist())
    widths = tuple(int(bound) for place, bound in enumerate(bounds) if place in used)
    beads, pairs = buckets.waste(lengths, bounds), buckets.waste(lengths, bounds, linear=0.0, quadratic=1.0)
    return Cost(layout, widths, len(widths), beads, pairs)


def _packed(lengths: Indices, seed: int) -> Cost:
    """Batches of a fixed number of beads, as many frames in each as fit."""
    budget = LONGEST * int(lengths.max())
    shape = Shape(frames=max(1, budget // max(int(lengths.min()), 1)), atoms=budget)
    plan = PackedPlan(Sizes(lengths), Order(len(lengths), seed), shape)
    return Cost("packing", (budget,), 1, plan.waste().atoms, None)
