"""`TrainingMetrics`: what is measured on some frames, in a form in which measurements of parts add up exactly.

Of each loss its sum and its count are kept, of each compared field the number, sum, sum of magnitudes, sum of squares
and extremes of its errors (predicted less reference). Batches, devices and hosts add theirs; means are taken last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from atomloom.model import WeightedLoss


class TrainingMetrics(NamedTuple):
    """Measurements by name.

    Args:
        sums: what adds up: ``frames``, ``loss/LOSS/sum``, ``loss/LOSS/count``, and of each field ``FIELD/count``,
            ``/total``, ``/absolute``, ``/squares``.
        maxima: what the largest is kept of: ``FIELD/high`` of the errors, ``FIELD/low`` of their negatives.
    """

    sums: dict[str, Any]
    maxima: dict[str, Any]

    def plus(self, other: TrainingMetrics) -> TrainingMetrics:
        """Both together."""
        sums = {name: value + other.sums[name] for name, value in self.sums.items()}
        xp = jnp if any(isinstance(value, jax.Array) for value in self.maxima.values()) else np
        return TrainingMetrics(
            sums, {name: xp.maximum(value, other.maxima[name]) for name, value in self.maxima.items()}
        )

    def over(self, axis: str) -> TrainingMetrics:
        """Those of all devices along an axis of a mesh together."""
        return TrainingMetrics(jax.lax.psum(self.sums, axis), jax.lax.pmax(self.maxima, axis))

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of `packed`."""
        return (*sorted(self.sums), *sorted(self.maxima))

    def packed(self) -> jax.Array:
        """All values in one vector, to be fetched at once."""
        values = [
            *(self.sums[name] for name in sorted(self.sums)),
            *(self.maxima[name] for name in sorted(self.maxima)),
        ]
        return jnp.stack([jnp.asarray(value, float) for value in values])

    def unpacked(self, vector: np.ndarray) -> TrainingMetrics:
        """Metrics of the names of this one with the values of `vector`, as float64 on the host."""
        values = dict(zip(self.names, np.asarray(vector, np.float64), strict=True))
        return TrainingMetrics({name: values[name] for name in self.sums}, {name: values[name] for name in self.maxima})

    def loss(self, losses: Sequence[WeightedLoss]) -> Any:
        """The weighted sum of the means: sum over losses of ``weight * sum / count``."""
        return sum(loss.weight * mean(self, loss.name) for loss in losses)

    def summary(self, losses: Sequence[WeightedLoss]) -> dict[str, float]:
        """What people read: ``loss``, ``loss/NAME`` unweighted, and of each field ``mae rmse mean std min max``."""
        parts = {f"loss/{loss.name}": float(mean(self, loss.name)) for loss in losses}
        fields = sorted(name.removesuffix("/high") for name in self.maxima if name.endswith("/high"))
        values = {f"{field}/{key}": value for field in fields for key, value in self._errors(field).items()}
        return {"loss": float(self.loss(losses)), **(parts if len(parts) > 1 else {}), **values}

    def means(self) -> dict[str, float]:
        """The means over the updates of an epoch: ``learning_rate`` and ``gradient_norm``."""
        updates = float(self.sums["update/good"])
        return {name: float(self.sums[f"update/{name}"]) / updates for name in ("learning_rate", "gradient_norm")}

    def _errors(self, field: str) -> dict[str, float]:
        count = float(self.sums[f"{field}/count"])
        if not count:
            return {}
        total, absolute, squares = (float(self.sums[f"{field}/{key}"]) for key in ("total", "absolute", "squares"))
        return {
            "mae": absolute / count,
            "rmse": math.sqrt(squares / count),
            "mean": total / count,
            "std": math.sqrt(max(squares / count - (total / count) ** 2, 0.0)),
            "min": -float(self.maxima[f"{field}/low"]),
            "max": float(self.maxima[f"{field}/high"]),
        }


def mean(metrics: TrainingMetrics, loss: str) -> Any:
    """The mean of a loss over what it counted; zero where it counted nothing."""
    count = metrics.sums[f"loss/{loss}/count"]
    return metrics.sums[f"loss/{loss}/sum"] / (count + (count == 0))


def errors(field: str, predicted: Any, reference: Any, mask: Any) -> TrainingMetrics:
    """The errors of one field where `mask` is true, over all its components."""
    shaped = mask.reshape(mask.shape + (1,) * (predicted.ndim - 1))
    error = jnp.where(shaped, predicted - reference, 0.0)
    count = mask.sum() * math.prod(predicted.shape[1:])
    sums = {"count": count, "total": error.sum(), "absolute": jnp.abs(error).sum(), "squares": (error**2).sum()}
    extremes = {"high": error, "low": -error}
    return TrainingMetrics(
        {f"{field}/{key}": jnp.asarray(value, float) for key, value in sums.items()},
        {f"{field}/{key}": jnp.where(shaped, value, -jnp.inf).max() for key, value in extremes.items()},
    )


def together(parts: Sequence[TrainingMetrics]) -> TrainingMetrics:
    """Metrics of different names in one."""
    sums = {name: value for part in parts for name, value in part.sums.items()}
    return TrainingMetrics(sums, {name: value for part in parts for name, value in part.maxima.items()})


def nothing(like: TrainingMetrics) -> TrainingMetrics:
    """Metrics of the same names before anything is measured."""
    return TrainingMetrics(
        {name: np.zeros(()) for name in like.sums}, {name: np.full((), -np.inf) for name in like.maxima}
    )


def for_part(part: str, values: Mapping[str, float]) -> dict[str, float]:
    """A summary under the name of the part that it was measured on, as a run keeps it."""
    return {f"{part}/{name}": value for name, value in values.items()}
