"""Predictions of a fitted model for a data set, as a data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from atomloom.batching import Near, PaddedBatch, fixed_shape, in_order
from atomloom.data import Column, Dataset, Packed, PerFrame
from atomloom.data.columns import Array
from atomloom.data.schema import declared
from atomloom.pipeline.fitted import Fitted
from atomloom.progress import track

FRAMES = 64
"""How many frames are predicted at a time, and fewer where they have more than `PAIRS` pairs together."""

PAIRS = 1 << 22
"""Slots for pairs in a batch, unless a single frame needs more."""


def predict(fitted: Fitted, dataset: Dataset) -> Dataset:
    """The predicted fields of every frame, in canonical units."""
    spec = fitted.spec
    dataset = fitted.complete(dataset)
    near = fitted.near(dataset)
    shape = fixed_shape(dataset, at_a_time(near), pairs=near.counts)
    batches = in_order(dataset, shape, spec.needs, near.of)
    return gathered(fitted, dataset, track(batches, total=-(-len(dataset) // shape.frames), label="predicting"))


def gathered(fitted: Fitted, dataset: Dataset, batches: Iterable[PaddedBatch]) -> Dataset:
    """The predicted fields of these batches, which hold the frames of `dataset` in their order."""
    rows: dict[str, list[Array]] = defaultdict(list)
    for batch in batches:
        predicted = fitted.predict(batch)
        for name in fitted.spec.predicts:
            if name in predicted:
                rows[name].append(_real(np.asarray(predicted[name]), name, batch))
    columns = {name: _column(name, np.concatenate(parts), dataset) for name, parts in rows.items()}
    return Dataset(columns, {name: declared(name) for name in columns}, {"model": fitted.spec.name})


def at_a_time(near: Near) -> int:
    """How many frames of a data set are predicted at a time."""
    longest = 0 if near.counts is None else int(near.counts.max(initial=0))
    return max(1, min(FRAMES, len(near.dataset), PAIRS // max(longest, 1)))


def _real(values: Array, name: str, batch: PaddedBatch) -> Array:
    """The rows that are no padding, wherever in the batch they stand."""
    rows: Array = values[batch[f"{declared(name).ragged or 'frame'}_mask"]]
    return rows


def _column(name: str, values: Array, dataset: Dataset) -> Column:
    axis = declared(name).ragged
    return Packed(values, dataset.sizes[axis]) if axis else PerFrame(values)
