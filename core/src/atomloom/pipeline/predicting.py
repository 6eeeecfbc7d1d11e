"""Predictions of a fitted model for a data set, as a data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np

from atomloom.batching import Near, PaddedBatch, fixed_shape, in_order
from atomloom.data import Column, Dataset, Packed, PerFrame
from atomloom.data.columns import Array
from atomloom.progress import track
from atomloom.specs import Field, ModelSpec

FRAMES = 64
"""How many frames are predicted at a time, and fewer where they have more than `PAIRS` pairs together."""

PAIRS = 1 << 22
"""Slots for pairs in a batch, unless a single frame needs more."""


class Predictor(Protocol):
    """What predicts: a fitted model, or several together."""

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""

    @property
    def predicts(self) -> Mapping[str, Field]:
        """The declarations of what it may predict, by name."""

    def complete(self, dataset: Dataset) -> Dataset:
        """Data to predict for with all that the model reads."""

    def near(self, dataset: Dataset) -> Near:
        """The pairs of atoms of a data set that the model looks at."""

    def predict(self, batch: PaddedBatch) -> Mapping[str, Array]:
        """The predicted fields in the slots of a batch."""


def predict(fitted: Predictor, dataset: Dataset) -> Dataset:
    """The predicted fields of every frame, in canonical units."""
    spec = fitted.spec
    dataset = fitted.complete(dataset)
    near = fitted.near(dataset)
    shape = fixed_shape(dataset, at_a_time(near), pairs=near.counts)
    batches = in_order(dataset, shape, spec.needs, near.of)
    return gathered(fitted, dataset, track(batches, total=-(-len(dataset) // shape.frames), label="predicting"))


def gathered(fitted: Predictor, dataset: Dataset, batches: Iterable[PaddedBatch]) -> Dataset:
    """The predicted fields of these batches, which hold the frames of `dataset` in their order."""
    rows: dict[str, list[Array]] = defaultdict(list)
    fields = fitted.predicts
    for batch in batches:
        predicted = fitted.predict(batch)
        for name, field in fields.items():
            if name in predicted:
                rows[name].append(_real(np.asarray(predicted[name]), field, batch))
    columns = {name: _column(fields[name], np.concatenate(parts), dataset) for name, parts in rows.items()}
    return Dataset(columns, fields, {"model": fitted.spec.name})


def at_a_time(near: Near) -> int:
    """How many frames of a data set are predicted at a time."""
    longest = 0 if near.counts is None else int(near.counts.max(initial=0))
    return max(1, min(FRAMES, len(near.dataset), PAIRS // max(longest, 1)))


def _real(values: Array, field: Field, batch: PaddedBatch) -> Array:
    """The rows that are no padding, wherever in the batch they stand."""
    rows: Array = values[batch[f"{field.ragged or 'frame'}_mask"]]
    return rows


def _column(field: Field, values: Array, dataset: Dataset) -> Column:
    axis = field.ragged
    return Packed(values, dataset.sizes[axis]) if axis else PerFrame(values)
