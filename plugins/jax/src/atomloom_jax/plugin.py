"""What atomloom-jax brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atomloom import BackendSpec, CommandSpec, ModelSpec, Preset, hookimpl

if TYPE_CHECKING:
    from atomloom import Run

api = 1

RUN_TOLD_IN = "ATOMLOOM_JAX_RUN_TOLD_IN"
"""The environment variable with the file in which a launcher wants to read which run is fitted."""

_JAX = """@software{jax2018github, author = {Bradbury, James and others},
title = {{JAX}: composable transformations of {Python}+{NumPy} programs},
url = {http://github.com/jax-ml/jax}, year = {2018}}"""

_OPTAX = """@software{deepmind2020jax, author = {DeepMind and others},
title = {The {DeepMind} {JAX} Ecosystem}, url = {http://github.com/google-deepmind}, year = {2020}}"""

_PRESETS = {
    "small": Preset(below=30, model={"functions": 24}, batching={"batch_size": 64}),
    "medium": Preset(below=100, training={"learning_rate": 5e-3}, batching={"batch_size": 16}),
    "large": Preset(training={"learning_rate": 3e-3}, batching={"atoms": 2048}),
}
"""All pairs of a frame get slots, whose number grows with the square of its atoms: larger systems, fewer in a batch."""


@hookimpl
def atomloom_backends() -> Iterable[BackendSpec]:
    """JAX, with the engine that trains its models."""
    yield BackendSpec(
        name="jax",
        summary="Models in JAX, trained by the engine of atomloom-jax",
        load="atomloom_jax.backend:BACKEND",
        training="atomloom_jax.options:Training",
        devices="atomloom_jax.devices:listed",
        cite=(_JAX, _OPTAX),
    )


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The group of commands of this package."""
    yield CommandSpec(
        name="jax",
        summary="Train in several processes: launch them here, or join others",
        load="atomloom_jax.commands:jax",
    )


@hookimpl
def atomloom_run_started(run: Run) -> None:
    """Tell a launcher of the run, and open the files of TensorBoard where the training asks for them."""
    if told_in := os.environ.get(RUN_TOLD_IN):
        Path(told_in).write_text(str(run.folder), encoding="utf-8")
    if _for_tensorboard(run):
        from atomloom_jax import tensorboard

        tensorboard.started(run)


@hookimpl
def atomloom_steps_finished(run: Run, block: Mapping[str, Any]) -> None:
    """Add updates to them."""
    if _for_tensorboard(run):
        from atomloom_jax import tensorboard

        tensorboard.continued(run, block)


@hookimpl
def atomloom_run_finished(run: Run) -> None:
    """Close them."""
    if _for_tensorboard(run):
        from atomloom_jax import tensorboard

        tensorboard.ended(run)


def _for_tensorboard(run: Run) -> bool:
    return bool(run.config.get("training", {}).get("tensorboard"))


@hookimpl
def atomloom_models() -> Iterable[ModelSpec]:
    """A small model that shows what the engine asks of one."""
    yield ModelSpec(
        name="pair-potential",
        summary="Pair potential of radial functions: small, fast, an example of a JAX model",
        load="atomloom_jax.pair_potential:PairPotential",
        example="atomloom_jax.pair_potential:example",
        needs=("Z", "R"),
        predicts=("E", "F"),
        levels=True,
        backend="jax",
        config="atomloom_jax.pair_potential:Config",
        training={"learning_rate": 1e-2},
        losses={"energy": 1.0, "forces": 10.0},
        claims=frozenset(
            {
                "permutation",
                "rotation",
                "reflection",
                "translation",
                "padding",
                "batch",
                "conservative",
                "size-consistent",
            }
        ),
        presets=_PRESETS,
    )
