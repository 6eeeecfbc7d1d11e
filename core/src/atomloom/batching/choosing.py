"""The plan that the ``[batching]`` table of an experiment asks for."""

from __future__ import annotations

import numpy as np

from atomloom.batching import buckets
from atomloom.batching.order import Order
from atomloom.batching.plans import BucketPlan, FixedPlan, PackedPlan, Plan
from atomloom.batching.shape import Shape, Sizes
from atomloom.experiment import Batching

_SPARE = 1.25
"""By how much frames and pairs of a packed batch may exceed what an average one has."""


def choose(batching: Batching, sizes: Sizes, seed: int, *, group: int = 1) -> Plan:
    """The plan for frames of these sizes.

    ``buckets`` makes a `BucketPlan`, ``atoms`` alone a `PackedPlan` with slots for as many frames, pairs and grid
    points as an average batch needs and a quarter more, and everything else a `FixedPlan`.
    """
    order = Order(len(sizes), seed, shuffled=batching.order != "file", block=batching.frames_per_block or 0)
    if batching.buckets is not None:
        turns = batching.order if batching.order in ("interleaved", "sequential") else "shuffled"
        bounds = _boundaries(batching.buckets, sizes)
        return BucketPlan(sizes, order, bounds, batching.frames or 0, batching.atoms or 0, turns, group)
    if batching.atoms is not None:
        return PackedPlan(sizes, order, packed_shape(sizes, batching.atoms), group)
    return FixedPlan(sizes, order, batching.frames or 1, batching.num_atoms or 0, group)


def packed_shape(sizes: Sizes, atoms: int) -> Shape:
    """A shape with this many atom slots, and of the others what such a batch needs on average and a quarter more."""
    total = max(int(sizes.atoms.sum()), 1)

    def slots(axis: str) -> int:
        along = sizes.along(axis)
        if along is None or not len(along):
            return 0
        return max(int(np.ceil(_SPARE * atoms * along.sum() / total)), sizes.longest(axis))

    return Shape(slots("frames"), atoms, slots("pairs"), slots("grid"))


def _boundaries(wanted: int | list[int], sizes: Sizes) -> tuple[int, ...]:
    bounds = buckets.optimal(sizes.atoms, wanted).tolist() if isinstance(wanted, int) else wanted
    return tuple(bounds)
