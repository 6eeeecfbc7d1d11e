"""What training lowers: the weighted means of the losses over all frames of an update.

Losses give sums and counts for each frame. The mean of a loss over an update is the sum over all its batches divided by
the count over all of them, so k batches of b frames count as one of k b frames whatever their padding. The gradient of
that is a sum over the batches once the counts are known, and these depend on masks alone: they are counted first, and a
compiler removes the model from that pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic

import jax
import jax.numpy as jnp

from atomloom.data import Dataset
from atomloom.model import Model, State, WeightedLoss
from atomloom_jax.device_batch import DeviceBatch
from atomloom_jax.metrics import TrainingMetrics, errors, together
from atomloom_jax.model import JaxModel
from atomloom_jax.ops import JaxOps

OPS = JaxOps()
Leaves = Mapping[str, Any]


@dataclass(frozen=True)
class Objective(Generic[State]):
    """A model and its losses.

    Args:
        model: with `template`, a state that gives the structure of others.
        losses: with their weights.
        masks: for each field that is compared the mask of its rows.
    """

    model: Model[State]
    template: State
    losses: tuple[WeightedLoss, ...]
    masks: Mapping[str, str]

    @classmethod
    def of(cls, model: Model[State], state: State, losses: tuple[WeightedLoss, ...], data: Dataset) -> Objective[State]:
        """With the masks that the declarations of the compared fields call for."""
        fields = {name: data.fields[name] for loss in losses for name in loss.needs}
        masks = {name: f"{field.ragged or 'frame'}_mask" for name, field in fields.items()}
        return cls(model, state, losses, masks)

    def predicted(self, leaves: Leaves, batch: DeviceBatch, key: jax.Array | None = None) -> Mapping[str, Any]:
        """What the model predicts with these arrays; with a key as while training."""
        state = self.model.with_leaves(self.template, leaves)
        if key is not None and isinstance(self.model, JaxModel):
            return self.model.predict_with_noise(state, batch, key)
        return self.model.predict(state, batch)  # type: ignore[arg-type]  # a device batch has all that models use

    def measured(self, leaves: Leaves, batch: DeviceBatch, key: jax.Array | None = None) -> TrainingMetrics:
        """Sums and counts of the losses, and the errors of the compared fields."""
        predicted = self.predicted(leaves, batch, key)
        weight = batch["frame_mask"].astype(float)
        parts = [errors(name, predicted[name], batch[name], batch[mask]) for name, mask in self.masks.items()]
        parts.append(TrainingMetrics({"frames": weight.sum()}, {}))
        for loss in self.losses:
            total, count = loss.function(predicted, batch, weight, OPS)
            sums = {f"loss/{loss.name}/sum": jnp.sum(total), f"loss/{loss.name}/count": jnp.sum(count)}
            parts.append(TrainingMetrics({name: jnp.asarray(value, float) for name, value in sums.items()}, {}))
        return together(parts)

    def counts(self, leaves: Leaves, batch: DeviceBatch) -> dict[str, jax.Array]:
        """By how much the sum of each loss is to be divided."""
        sums = self.measured(leaves, batch).sums
        return {loss.name: jax.lax.stop_gradient(sums[f"loss/{loss.name}/count"]) for loss in self.losses}

    def share(
        self, parameters: Leaves, constants: Leaves, batch: DeviceBatch, counts: Mapping[str, Any], key: jax.Array
    ) -> tuple[jax.Array, TrainingMetrics]:
        """What this batch adds to the loss of an update that counts so much, and what was measured."""
        metrics = self.measured({**parameters, **constants}, batch, key)
        share = jnp.zeros((), float)
        for loss in self.losses:
            count = counts[loss.name]
            share += loss.weight * metrics.sums[f"loss/{loss.name}/sum"] / (count + (count == 0))
        return share, metrics
