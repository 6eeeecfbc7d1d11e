"""What atomloom-jax brings. Imported by every command, so it imports nothing but atomloom."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom import BackendSpec, ModelSpec, hookimpl

api = 1

_JAX = """@software{jax2018github, author = {Bradbury, James and others},
title = {{JAX}: composable transformations of {Python}+{NumPy} programs},
url = {http://github.com/jax-ml/jax}, year = {2018}}"""

_OPTAX = """@software{deepmind2020jax, author = {DeepMind and others},
title = {The {DeepMind} {JAX} Ecosystem}, url = {http://github.com/google-deepmind}, year = {2020}}"""


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
def atomloom_models() -> Iterable[ModelSpec]:
    """A small model that shows what the engine asks of one."""
    yield ModelSpec(
        name="pair-potential",
        summary="Pair potential of radial functions: small, fast, an example of a JAX model",
        load="atomloom_jax.pair_potential:PairPotential",
        needs=("Z", "R"),
        predicts=("E", "F"),
        backend="jax",
        config="atomloom_jax.pair_potential:Config",
        training={"learning_rate": 1e-2},
        losses={"energy": 1.0, "forces": 10.0},
        claims=frozenset({"permutation", "rotation", "translation", "padding", "batch", "conservative"}),
    )
