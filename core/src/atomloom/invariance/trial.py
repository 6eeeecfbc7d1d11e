"""A model with a few frames, and what it predicts for them in any layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.batching import Near, PaddedBatch, Planned, Shape, fixed_shape, load
from atomloom.data import Dataset, Packed, PerFrame, concatenate
from atomloom.data.columns import Array
from atomloom.invariance.moving import exchanged
from atomloom.invariance.precision import tolerance, widened
from atomloom.pipeline.fitted import Fitted
from atomloom.pipeline.predicting import at_a_time, gathered

FEWEST = 4
"""Frames that a trial has at least, so that batches can be mixed; copies that are shaken fill it up."""

SHAKE = 0.02
"""Standard deviation of the coordinates of such copies, in angstrom."""

SPARE = Shape(frames=3, atoms=17, pairs=29, grid=13)
"""Slots that a batch with more padding has beyond what its frames need."""


REPEATING = ("cell", "pbc")
"""Fields that change what a model sees of a frame without being read by it: the pairs of its batches follow them."""


class Deviation(NamedTuple):
    """How far a model is from a promise in one field.

    Args:
        field: that was compared.
        size: the largest deviation of any of its numbers; NaN where the model gave some.
        unit: of both.
        tolerance: what is still rounding.
    """

    field: str
    size: float
    unit: str
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the promise is kept; NaN does not."""
        return self.size <= self.tolerance

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.field} is off by {self.size:.2g}{unit}, and {self.tolerance:.2g} would be rounding"


@dataclass(frozen=True)
class Trial:
    """What the probes work with.

    Args:
        fitted: the model, in float64 where its backend can.
        dataset: frames in memory, with the fields that the model reads.
        precision: ``"float64"`` or ``"float32"``.
    """

    fitted: Fitted
    dataset: Dataset
    precision: str

    @classmethod
    def of(cls, fitted: Fitted, dataset: Dataset) -> Trial:
        """A trial on all frames of `dataset`."""
        held = _enough(_in_memory(dataset, [*fitted.spec.needs, *(name for name in REPEATING if name in dataset)]))
        fitted, precision = widened(fitted, tight_batch(fitted, held[:1]))
        return cls(fitted, held, precision)

    @cached_property
    def predictions(self) -> Dataset:
        """For the frames as they are."""
        return self.predict(self.dataset)

    def predict(self, dataset: Dataset, *, together: int = 0, spare: bool = False, apart: bool = False) -> Dataset:
        """Predictions for any frames.

        Args:
            together: frames in a batch.
            spare: whether batches have `SPARE` slots too many.
            apart: whether each frame has slots of its own, as many as the longest needs.
        """
        near = self.fitted.near(dataset)
        together = together or min(at_a_time(near), max(1, len(dataset) // 2))
        shape = fixed_shape(dataset, together, pairs=near.counts)
        if not apart:
            shape = shape._replace(per_frame=0)
        if spare:
            extra = SPARE._replace(grid=SPARE.grid if shape.grid else 0)
            shape = Shape(*(have + more for have, more in zip(shape, extra, strict=True)))
        cuts = range(0, len(dataset), together)
        frames = [np.arange(start, min(start + together, len(dataset))) for start in cuts]
        return gathered(self.fitted, dataset, (_batch(self.fitted, near, some, shape) for some in frames))

    def compare(self, found: Dataset, expected: Dataset, names: Sequence[str] | None = None) -> list[Deviation]:
        """How far two predictions for the same frames are apart, field by field."""
        wanted = found.columns if names is None else names
        return [self.deviation(found, name, found[name], expected[name]) for name in wanted]

    def deviation(self, found: Dataset, name: str, values: Array, expected: Array) -> Deviation:
        """How far the values of a field are apart."""
        return Deviation(name, largest(values - expected), found.fields[name].unit, tolerance(expected, self.precision))

    @property
    def unlike(self) -> NDArray[np.int64]:
        """An order in which frames have other neighbours than in their own."""
        half = -(-len(self.dataset) // 2)
        return np.array([number for start in range(half) for number in range(start, len(self.dataset), half)])


def tight_batch(fitted: Fitted, dataset: Dataset) -> PaddedBatch:
    """All frames of a small data set in one batch, one right behind the other, with the fields that a model reads."""
    near, frames = fitted.near(dataset), np.arange(len(dataset))
    return _batch(fitted, near, frames, fixed_shape(dataset, len(frames), pairs=near.counts)._replace(per_frame=0))


def largest(values: Array) -> float:
    """The largest size of any value; NaN if one is, and 0 of none."""
    return float(np.max(np.abs(values), initial=0.0))


def _batch(fitted: Fitted, near: Near, frames: NDArray[np.int64], shape: Shape) -> PaddedBatch:
    return load(near.dataset, Planned(frames, shape), fitted.spec.needs, near.of(frames))


def _in_memory(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """These fields of all frames, floating numbers in float64."""
    columns = {}
    for name in names:
        values, axis = dataset[name], dataset.axis(name)
        values = values.astype(np.float64) if values.dtype.kind == "f" else values
        columns[name] = Packed(values, dataset.sizes[axis]) if axis else PerFrame(values)
    return Dataset(columns, dataset.fields, dataset.meta)


def _enough(dataset: Dataset) -> Dataset:
    """At least `FEWEST` frames, no two of which are alike."""
    parts, random = [dataset], np.random.default_rng(0)
    while sum(map(len, parts)) < FEWEST and len(dataset) and "R" in dataset:
        shaken = dataset["R"] + random.normal(scale=SHAKE, size=dataset["R"].shape)
        parts.append(exchanged(dataset, {"R": shaken}))
    return _in_memory(concatenate(parts), list(dataset.columns))
