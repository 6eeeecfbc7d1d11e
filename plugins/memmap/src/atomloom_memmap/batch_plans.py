"""The plan that a loader's batches follow: what was asked for, turned into one of core's plans."""

from __future__ import annotations

from typing import TypedDict

from atomloom.batching import BucketPlan, FixedPlan, Order, PackedPlan, Plan, Shape, Sizes, buckets, packed_shape
from atomloom.errors import ConfigError

MOST_BUCKETS = 8
"""Shapes that ``bucket_size`` leads to at the most: each is compiled once."""


class How(TypedDict, total=False):
    """How frames are put together into batches; see `PackedMemmapLoader.batches`.

    Attributes:
        bucket_size: about so many frames share a length bucket, each of which makes batches of its own shape.
        buckets: how many length buckets, cut where padding costs least, or their inclusive boundaries.
        atoms: atom slots of a batch, which is filled with as many frames as fit.
        frames, grid: slots of such a batch for frames and grid points; what an average batch needs without them.
        pairs: False for batches without pairs; a number of slots for the pairs of a batch of so many `atoms`.
        cutoff: pairs nearer than this, in angstrom; all pairs of a frame without it.
    """

    bucket_size: int
    buckets: int | list[int]
    atoms: int
    frames: int
    pairs: bool | int
    grid: int
    cutoff: float


class Wanted(How, total=False):
    """The same with the option that has a place of its own.

    Attributes:
        num_atoms: atom slots of each frame; those of the longest without it.
    """

    num_atoms: int


_OPTIONS = ("num_atoms", *How.__annotations__)


def make(how: Wanted, sizes: Sizes, order: Order, batch_size: int, group: int) -> Plan:
    """The plan for frames of these sizes."""
    _check(how)
    if "atoms" in how:
        return PackedPlan(sizes, order, _budgets(how, sizes), group)
    if bounds := _boundaries(how, sizes):
        return BucketPlan(sizes, order, bounds, batch_size, group=group)
    return FixedPlan(sizes, order, batch_size, how.get("num_atoms", 0), group)


def _budgets(how: Wanted, sizes: Sizes) -> Shape:
    usual = packed_shape(sizes, how["atoms"])
    pairs = how.get("pairs", True)
    # True is a number too, and means that the pairs get as many slots as they usually need.
    slots = usual.pairs if isinstance(pairs, bool) else pairs
    return Shape(how.get("frames", usual.frames), how["atoms"], slots, how.get("grid", usual.grid))


def _boundaries(how: Wanted, sizes: Sizes) -> tuple[int, ...]:
    """Inclusive boundaries of length buckets; none where none are wanted."""
    wanted = how.get("buckets")
    if wanted is None and how.get("bucket_size"):
        wanted = min(max(len(sizes) // how["bucket_size"], 1), MOST_BUCKETS)
    if wanted is None:
        return ()
    return tuple(wanted) if isinstance(wanted, list) else tuple(buckets.optimal(sizes.atoms, wanted).tolist())


def _check(how: Wanted) -> None:
    """Stops at what is unknown, and at what excludes something else."""
    for name in how:
        if name not in _OPTIONS:
            known = ", ".join(_OPTIONS)
            raise ConfigError(f"make batches with {name!r}", "there is no such option", f"The options are {known}")
    packed = [name for name in ("frames", "grid") if name in how and "atoms" not in how]
    if packed:
        found = f"{packed[0]} is a budget of packed batches, and no budget of atoms is given"
        raise ConfigError("make batches", found, "Give atoms as well")
    ways = [name for name in ("atoms", "buckets", "bucket_size", "num_atoms") if how.get(name)]
    if len(ways) > 1:
        found = f"{' and '.join(ways)} are given, and each is a way of its own"
        raise ConfigError("make batches", found, "Give one of them")
