"""A training as a checkpoint, and back to the bit.

The bare names are the model's: what it predicts with (the average of the parameters where there is one) and its
constants. What goes on from there stands under ``training/``: parameters, average, optimiser, number of updates. The
order of the frames is a function of seed and epoch and needs no more than these two; neither does noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from atomloom.batching import Position
from atomloom.errors import PluginError, RunError
from atomloom.runs import Checkpoint, Run
from atomloom.runs.checkpoint import ENGINE
from atomloom_jax.identity import check_same_model
from atomloom_jax.named import check_same, named, with_named
from atomloom_jax.options import Training
from atomloom_jax.steering import Steering
from atomloom_jax.train_state import Leaves, TrainState


def leaves_of(state: TrainState, constants: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every array of a training by name, on the host."""
    model = {**jax.device_get(state.result), **constants}
    reserved = next((name for name in model if name.startswith(ENGINE)), None)
    if reserved is not None:
        found = f"names that start with {ENGINE!r} are those of the engine"
        raise PluginError(f"save the parameter {reserved!r}", found, "Give it another name in the model's state")
    engine = {ENGINE + name: leaf for name, leaf in named(jax.device_get(state)).items()}
    return {name: np.array(leaf) for name, leaf in {**model, **engine}.items()}


def extra_of(steering: Steering, epoch: int, training: Training, model: Mapping[str, Any]) -> dict[str, Any]:
    """What is no array: the steering, where the sampler stands, the seed of noise, and which model it is."""
    place = Position(epoch).state()
    return {"steering": steering.state(), "sampler": place, "seed": training.seed, "model": dict(model)}


def restored(
    fresh: TrainState, checkpoint: Checkpoint, model: Mapping[str, Any], name: str
) -> tuple[TrainState, Steering]:
    """The training as it was saved.

    Args:
        fresh: one of the model at hand; `model` its `identity`.
        checkpoint: of the run of this `name`.

    Raises:
        RunError: saying what the model at hand has otherwise: its options, its version, its leaves.
    """
    check_same_model(checkpoint.extra["model"], model, name)
    own = {key.removeprefix(ENGINE): leaf for key, leaf in checkpoint.leaves.items() if key.startswith(ENGINE)}
    state = with_named(fresh, own, f"resume the run '{name}'")
    return state, Steering.of(checkpoint.extra["steering"])


def started_from(leaves: Leaves, source: str, own: frozenset[str] = frozenset()) -> Leaves:
    """The parameters of another run's best checkpoint, to be trained further; constants come along.

    Args:
        leaves: of the model at hand.
        source: the run.
        own: names of constants that are kept as they are, whatever the other run has.

    Raises:
        RunError: when that run is missing, empty, or of a model with other leaves.
    """
    run = Run.open(Path(source))
    checkpoint = run.best() or run.latest()
    if checkpoint is None:
        nothing = "it has no checkpoint yet"
        raise RunError(f"start from the run '{source}'", nothing, "Fit that run first, or name another")
    kept = {name: leaf for name, leaf in leaves.constants.items() if name in own}
    found = {**checkpoint.model_leaves, **kept}
    check_same({**leaves.parameters, **leaves.constants}, found, f"start from the run '{source}'")
    return Leaves({name: found[name] for name in leaves.parameters}, {name: found[name] for name in leaves.constants})
