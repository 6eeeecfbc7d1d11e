"""Batches of a data set in static shape: planned frames taken and padded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice

import numpy as np

from atomloom.batching.order import Order
from atomloom.batching.padded import PaddedBatch, pad, pad_several
from atomloom.batching.pairs import PairList
from atomloom.batching.plans import FixedPlan, Planned
from atomloom.batching.shape import Shape, Sizes
from atomloom.data import Chosen, Dataset
from atomloom.data.columns import Indices

FindPairs = Callable[[Indices], PairList | None]
"""The pairs of frames by number; None for all pairs, or for none where batches have no slots for them."""

STRETCH = 1 << 14
"""Frames that are looked up at once, at the most: enough that a batch of a few frames costs what its frames cost."""

MORE = 8
"""How many times more batches are looked up at once each time, up to these frames: the first one comes soon."""

HELD = 1 << 23
"""Bytes of a block that an allocator sees come and go; it then keeps twice as much."""

PAIRS, GIVEN = 1 << 22, 1 << 20
"""Slots for pairs of the batches that are looked up at once, at the most; and where pairs are given."""


def load(
    dataset: Dataset, planned: Planned, names: Sequence[str] | None = None, pairs: PairList | None = None
) -> PaddedBatch:
    """One planned batch of `dataset`, of all fields or of `names`, read right into its slots.

    Args:
        pairs: of these frames; see `pad`.
    """
    return pad(Chosen(dataset, planned.frames, names), planned.shape, pairs)


def load_several(
    dataset: Dataset, planned: Sequence[Planned], names: Sequence[str] | None = None, pairs: PairList | None = None
) -> Iterator[PaddedBatch]:
    """Several planned batches of one shape, looked up at once: what is done once for each call is done once for all.

    Args:
        pairs: of the frames of all batches, one behind the other; see `pad`.
    """
    frames = np.concatenate([each.frames for each in planned])
    return pad_several(Chosen(dataset, frames, names), [len(each.frames) for each in planned], planned[0].shape, pairs)


def feed(
    dataset: Dataset,
    planned: Iterable[Planned],
    names: Sequence[str] | None = None,
    pairs: FindPairs | None = None,
    *,
    together: int = STRETCH,
) -> Iterator[PaddedBatch]:
    """Planned batches of `dataset` one after the other; those of one shape are looked up together.

    Args:
        pairs: gives those of frames by number, such as `Near.of`; see `pad`.
        together: how many frames that may be. It begins with one batch, which nobody has to wait for.
    """
    _keep_memory()
    for stretch in _stretches(planned, together, given=pairs is not None):
        frames = np.concatenate([each.frames for each in stretch])
        yield from load_several(dataset, stretch, names, pairs(frames) if pairs and stretch[0].shape.pairs else None)


def _keep_memory() -> None:
    """Have the allocator keep the memory of one batch for the next.

    That of Linux gives it back to the system, which clears every page before it lends it again, unless it has seen
    larger blocks come and go. Making and dropping one, in which nothing is written, costs some microseconds.
    """
    np.empty(HELD, dtype=np.uint8)


def _stretches(planned: Iterable[Planned], together: int, *, given: bool) -> Iterator[list[Planned]]:
    """Batches of one shape that come one after the other: one, then `MORE`, and soon as many as are allowed.

    Args:
        together: frames of them.
        given: whether their pairs are, and take memory for all of them.
    """
    allowed = 1
    for shape, alike in groupby(planned, key=lambda each: each.shape):
        pairs = (GIVEN if given else PAIRS) // max(shape.pairs, 1)
        most = max(1, min(together // shape.frames, pairs))
        while stretch := list(islice(alike, min(allowed, most))):
            yield stretch
            allowed = min(MORE * allowed, together)


def fixed_shape(dataset: Dataset, batch_size: int, *, pairs: Indices | bool | None = None) -> Shape:
    """The shape into which any `batch_size` frames of `dataset` fit: its longest frame, so many times.

    Args:
        pairs: see `Sizes.of`.
    """
    order = Order(len(dataset), 0, shuffled=False)
    return FixedPlan(Sizes.of(dataset, pairs=pairs), order, batch_size).shapes[0]


def in_order(
    dataset: Dataset, shape: Shape, names: Sequence[str] | None = None, pairs: FindPairs | None = None
) -> Iterator[PaddedBatch]:
    """All frames in their order, `shape.frames` at a time, the last batch filled up with masked frames.

    Args:
        pairs: see `feed`.
    """
    plan = FixedPlan(Sizes.of(dataset), Order(len(dataset), 0, shuffled=False), shape.frames)
    for planned in plan.batches(0):
        yield load(dataset, Planned(planned.frames, shape), names, pairs and pairs(planned.frames))
