"""The backend that core knows: checks, predicts and trains models written in JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from atomloom.batching import PaddedBatch
from atomloom.experiment import InFile, build
from atomloom.model import Array, Backend, FitData, Model, State, WeightedLoss
from atomloom.runs import Crew, Run
from atomloom_jax.checking import check
from atomloom_jax.device_batch import DeviceBatch
from atomloom_jax.feeding import offsets_of
from atomloom_jax.ops import JaxOps
from atomloom_jax.options import Training
from atomloom_jax.precision import precise, precision_of
from atomloom_jax.processes import crew
from atomloom_jax.saving import started_from
from atomloom_jax.starting import prepared
from atomloom_jax.train_state import Leaves
from atomloom_jax.training import train_model_multibatch


class JaxBackend(Backend):
    """See `atomloom.model.Backend`."""

    ops = JaxOps()

    def crew(self) -> Crew:
        """The processes that train together, where `jax.distributed` was started."""
        return crew()

    def check(self, model: Model[State], data: FitData, training: Training) -> None:
        """Refuses what cannot be trained, before anything is compiled."""
        check(data, training)

    def check_start(self, model: Model[State], fresh: Callable[[], State], training: Training) -> None:
        """Refuses a run to start from whose parameters are not those of the model, naming them."""
        if training.init_from is not None:
            state = fresh()
            started_from(Leaves.of(model, state), training.init_from, prepared(model, state))

    def predict(self, model: Model[State], state: State, batch: PaddedBatch) -> Mapping[str, Array]:
        """Compiled once for each shape, in the precision of the state; offsets are added in float64."""
        precision = precision_of(Leaves.of(model, state).parameters.values())
        with precise(precision):
            predicted = _compiled(model)(state, DeviceBatch.of(batch, precision))
            values = {name: np.asarray(value) for name, value in predicted.items()}
        offsets = offsets_of(model, state, batch)
        return {name: value + offsets[name] if name in offsets else value for name, value in values.items()}

    def gradient(self, function: Callable[[Mapping[str, Any]], Any], at: Mapping[str, Array]) -> Mapping[str, Array]:
        """By reverse differentiation, in float64; compiled as a whole, which takes less time than op by op."""
        with precise("float64"):
            return {name: np.asarray(slope) for name, slope in jax.jit(jax.grad(function))(dict(at)).items()}

    def fit(
        self, model: Model[State], state: State, data: FitData, losses: tuple[WeightedLoss, ...], run: Run
    ) -> State:
        """Trains a model that brings no fit of its own."""
        table = run.config.get("training", {})
        training = build(Training, table, InFile(str(run.files.config)).under("training"))
        return train_model_multibatch(model, state, data, losses, run, training)


@lru_cache(maxsize=8)
def _compiled(model: Model[Any]) -> Callable[..., Mapping[str, jax.Array]]:
    return jax.jit(model.predict)


BACKEND = JaxBackend()
