"""Which frames of a pool to label next: those that an ensemble is least sure of, and no near duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Column, Dataset, PerFrame
from atomloom.ensemble.likeness import Likeness
from atomloom.ensemble.predictor import Ensemble
from atomloom.ensemble.spread import SUFFIX
from atomloom.errors import DataError
from atomloom.pipeline.predicting import predict
from atomloom.progress import track
from atomloom.specs import Field

APART = 0.1
"""In angstrom: frames are near duplicates whose distances differ by less."""

GEOMETRY = ("Z", "R", "N", "cell", "pbc")

_FOUND = (
    Field(name="pool_frame", dims=("frame",), dtype="int", summary="Number of the frame in the pool."),
    Field(name="score", dims=("frame",), summary="Largest standard uncertainty in the frame, which it was chosen by."),
)


@dataclass(frozen=True)
class Selection:
    """The frames to label next, the most uncertain first.

    Args:
        frames: their numbers in the pool.
        scores: the uncertainty that each was chosen by.
        by: the field that is uncertain, and its `unit`.
        dataset: the frames with what a model reads of them, ``pool_frame``, ``score`` and all uncertainties.
        skipped: how many near duplicates of chosen frames were passed over.
    """

    frames: NDArray[np.int64]
    scores: NDArray[np.float64]
    by: str
    unit: str
    dataset: Dataset
    skipped: int


def select(ensemble: Ensemble, pool: Dataset, count: int, *, by: str | None = None, apart: float = APART) -> Selection:
    """The frames of a pool that are most uncertain, none a near duplicate of another; see `likeness`.

    Frames are looked at from the largest uncertainty down, and one that is a near duplicate of a chosen one is passed
    over. The uncertainty of a frame is the largest of its atoms where the field has one for each.

    Args:
        count: how many to choose; fewer come out where the pool has no more that differ.
        by: a field that the model predicts; by default the forces if it does, else the first.
        apart: tolerance in distances, in angstrom; 0 lets near duplicates in.

    Raises:
        DataError: when the pool is empty, or the field is none of the model's.
    """
    if not len(pool):
        raise DataError("choose frames to label", "the pool has no frames", "Name files that hold some")
    name = _field(ensemble, by)
    pool = ensemble.complete(pool)
    predictions = predict(ensemble, pool)
    scores = _scores(predictions, name + SUFFIX)
    chosen, skipped = _apart(ensemble, pool, np.argsort(-scores, kind="stable"), count, apart)
    kept = _to_label(ensemble, pool, predictions, chosen, scores)
    return Selection(chosen, scores[chosen], name, ensemble.predicts[name].unit, kept, skipped)


def _field(ensemble: Ensemble, by: str | None) -> str:
    predicted = ensemble.spec.predicts
    if by is None:
        return "F" if "F" in predicted else predicted[0]
    if by not in predicted:
        found = f"the model predicts {', '.join(predicted)}"
        raise DataError(f"choose frames by the uncertainty of {by!r}", found, "Name one of these")
    return by


def _scores(predictions: Dataset, name: str) -> NDArray[np.float64]:
    """The largest value in each frame, 0 in one that has none; what is no number counts as infinite."""
    values = np.nan_to_num(predictions[name].astype(np.float64), nan=np.inf)
    axis = predictions.axis(name)
    if not axis:
        return values
    largest = np.zeros(len(predictions))
    np.maximum.at(largest, np.repeat(np.arange(len(predictions)), predictions.sizes[axis]), values)
    return largest


def _apart(
    ensemble: Ensemble, pool: Dataset, order: NDArray[np.int64], count: int, apart: float
) -> tuple[NDArray[np.int64], int]:
    """The first frames of an order of which none is near another, and how many were passed over on the way."""
    state = [name for name in ensemble.spec.needs if name not in GEOMETRY and not pool.axis(name)]
    names = [name for name in (*GEOMETRY, *state) if name in pool]
    chosen: list[int] = []
    seen: list[Likeness] = []
    skipped = 0
    candidates = iter(order.tolist())
    for _ in track(range(min(count, len(order))), total=min(count, len(order)), label="choosing"):
        for frame in candidates:
            own = Likeness.of(pool.take([frame], names).frame(0), state)
            if not any(own.near(other, apart) for other in seen):
                chosen.append(frame)
                seen.append(own)
                break
            skipped += 1
    return np.array(chosen, dtype=np.int64), skipped


def _to_label(
    ensemble: Ensemble, pool: Dataset, predictions: Dataset, chosen: NDArray[np.int64], scores: NDArray[np.float64]
) -> Dataset:
    """What a model reads of the chosen frames, without any labels that the pool may hold, and the uncertainties."""
    named = dict.fromkeys((*GEOMETRY, *ensemble.spec.needs))
    unsure = [name for name in predictions.columns if name not in ensemble.spec.predicts]
    kept, told = pool[chosen], predictions[chosen]
    columns: dict[str, Column] = {name: kept.columns[name] for name in named if name in kept}
    fields = {name: kept.fields[name] for name in columns}
    columns |= {name: told.columns[name] for name in unsure}
    fields |= {name: told.fields[name] for name in unsure}
    for field, values in zip(_FOUND, (chosen, scores[chosen]), strict=True):
        columns[field.name], fields[field.name] = PerFrame(values), field
    return Dataset(columns, fields, kept.meta)
