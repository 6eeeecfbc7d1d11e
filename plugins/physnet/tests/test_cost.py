"""What it costs a training step to know charge and spin, by XLA's own count for the compiled program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from atomloom.batching import Shape
from atomloom_jax import DeviceBatch
from atomloom_jax.precision import precise
from atomloom_physnet import PhysNet

FEATURES, FRAMES, ATOMS = 128, 4, 9


@pytest.fixture(autouse=True)
def _as_in_training() -> Iterator[None]:
    """In single precision."""
    with precise("float32"):
        yield


def _work(state: Any, batch: DeviceBatch) -> dict[str, float]:
    """Operations and bytes of the gradient of a loss on energies and forces."""
    model = PhysNet()

    def loss(parameters: Any) -> jax.Array:
        found = model.predict({**state, "parameters": parameters}, batch)
        return jnp.sum(found["E"] ** 2) + jnp.sum(found["F"] ** 2)

    parameters = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), state["parameters"])
    analysis = jax.jit(jax.grad(loss)).lower(parameters).compile().cost_analysis()
    return {name: analysis[name] for name in ("flops", "bytes accessed")}


def test_tables_cost_at_most_a_hundredth_of_a_step(
    state: Callable[..., Any], frames: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """In operations as in bytes, at 128 features."""
    shape = Shape(frames=FRAMES, atoms=FRAMES * ATOMS, pairs=FRAMES * ATOMS * (ATOMS - 1))
    batch = DeviceBatch.of(padded(frames([ATOMS] * FRAMES), shape), "float32")
    plain, tables = (_work(state(features=FEATURES, conditioning=way), batch) for way in ("none", "embedding"))
    assert {name: tables[name] / plain[name] <= 1.01 for name in plain} == {name: True for name in plain}
