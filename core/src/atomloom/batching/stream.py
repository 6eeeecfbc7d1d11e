"""Batches of one fixed shape from a data set, in order or shuffled anew each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from atomloom.batching.padded import PaddedBatch, Shape, pad
from atomloom.data import Dataset
from atomloom.data.columns import Indices


def fixed_shape(dataset: Dataset, batch_size: int, *, pairs: bool = False) -> Shape:
    """The shape into which any `batch_size` frames of `dataset` fit: its longest frame, so many times."""
    sizes = dataset.sizes.get("atom", np.zeros(1, dtype=np.int64))
    longest = int(sizes.max(initial=0))
    return Shape(batch_size, batch_size * longest, batch_size * longest * max(longest - 1, 0) if pairs else 0)


def in_order(dataset: Dataset, shape: Shape, names: Sequence[str] | None = None) -> Iterator[PaddedBatch]:
    """All frames in their order, the last batch filled up with masked frames."""
    return _batches(dataset, np.arange(len(dataset), dtype=np.int64), shape, names)


def shuffled(
    dataset: Dataset, shape: Shape, *, seed: int, epoch: int, names: Sequence[str] | None = None
) -> Iterator[PaddedBatch]:
    """All frames in an order that depends on `seed` and `epoch` alone."""
    order = np.random.default_rng([seed, epoch]).permutation(len(dataset))
    return _batches(dataset, order.astype(np.int64), shape, names)


def _batches(dataset: Dataset, order: Indices, shape: Shape, names: Sequence[str] | None) -> Iterator[PaddedBatch]:
    for start in range(0, len(order), shape.frames):
        yield pad(dataset.take(order[start : start + shape.frames], names), shape)
