"""Where a training starts: at its own checkpoint, at another run's parameters, or fresh."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import jax
import numpy as np

from atomloom.batching import Near, fixed_shape, in_order
from atomloom.data import Dataset, PerFrame
from atomloom.data.schema import declared
from atomloom.model import FitData, Model, State
from atomloom.pipeline.predicting import at_a_time
from atomloom.progress import track
from atomloom.runs import Run
from atomloom_jax.device_batch import DeviceBatch
from atomloom_jax.model import JaxModel
from atomloom_jax.options import Training
from atomloom_jax.saving import started_from
from atomloom_jax.train_state import Leaves


def start(model: Model[State], state: State, data: FitData, run: Run, training: Training) -> tuple[Leaves, State]:
    """The arrays to start from and the state that they belong to: the run's own, another run's, or fresh ones."""
    checkpoint = run.latest()
    if checkpoint is not None:
        state = model.with_leaves(state, checkpoint.model_leaves)
        return Leaves.of(model, state), state
    if isinstance(model, JaxModel):
        state = model.prepare(state, data)
    leaves = Leaves.of(model, state)
    if training.init_from is not None:
        leaves = started_from(leaves, training.init_from, prepared(model, state))
        state = model.with_leaves(state, {**leaves.parameters, **leaves.constants})
        if isinstance(model, JaxModel):
            state = model.adapt(state, data, partial(_predicted, model, state, data, training.precision))
            leaves = Leaves.of(model, state)
    return leaves, state


def prepared(model: Model[State], state: State) -> frozenset[str]:
    """Names of constants that a model makes of its data, whichever run it starts from."""
    return model.prepared(state) if isinstance(model, JaxModel) else frozenset()


def _predicted(model: JaxModel[State], state: State, data: FitData, precision: str) -> Dataset:
    """What the model predicts for whole frames to train on, without its offsets."""
    near, predict = Near(data.train, model.reach(state)), jax.jit(model.predict)
    shape = fixed_shape(data.train, at_a_time(near), pairs=near.counts)
    batches = in_order(data.train, shape, data.needs, near.of)
    rows: dict[str, list[np.ndarray]] = defaultdict(list)
    for batch in track(batches, total=-(-len(data.train) // shape.frames), label="predicting with the old run"):
        for name, values in predict(state, DeviceBatch.of(batch, precision)).items():
            if not declared(name).ragged:
                rows[name].append(np.asarray(values)[batch["frame_mask"]])
    columns = {name: PerFrame(np.concatenate(parts)) for name, parts in rows.items()}
    return Dataset(columns, {name: declared(name) for name in columns})
