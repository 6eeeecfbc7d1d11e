"""A network of embedded atoms: the energy of an atom depends on the density of its neighbours.

``E = sum_i f(Z_i, rho_i)`` with ``rho_i = sum_j w(Z_j) b(r_ij)``, where ``b`` are radial functions that fade at a
cutoff. Distances do not change when a molecule is moved, turned or mirrored, and sums do not depend on an order.
"""

from __future__ import annotations

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import msgspec
from atomloom import Dataset
from atomloom.model import Schema
from atomloom.testing.examples import molecules
from atomloom_jax import ELEMENTS, ReferencedModel, no_references
from atomloom_jax.blocks import Pairs, Radial, segment_sum
from atomloom_jax.model import Inputs

RADIAL = Radial("reciprocal-bernstein", count=16, cutoff=5.0)


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of the model, which become keys of an experiment and flags of `atomloom train`."""

    features: Annotated[int, msgspec.Meta(ge=1, description="Numbers that describe an atom's surroundings.")] = 32


class EmbeddedAtoms(ReferencedModel):
    """See the module. The energies of the free elements are fitted and added by the class that it extends."""

    def init(self, schema: Schema, config: Config, seed: int) -> dict[str, Any]:
        """Random weights."""
        size = config.features
        shapes = {
            "own": (ELEMENTS, size),
            "sent": (ELEMENTS, size),
            "filter": (RADIAL.count, size),
            "mix": (size, size),
        }
        keys = jax.random.split(jax.random.key(seed), len(shapes))
        drawn = {name: jax.random.normal(key, shapes[name]) for name, key in zip(shapes, keys, strict=True)}
        drawn["mix"] /= size**0.5
        return {"references": no_references(), **drawn, "out": jnp.zeros(size)}

    def reach(self, state: dict[str, Any]) -> float:
        """Atoms further apart than this do not notice each other."""
        return RADIAL.cutoff

    def predict(self, state: dict[str, Any], batch: Inputs) -> dict[str, Any]:
        """E in eV ``[frames]`` and F, its negative gradient, in eV/angstrom ``[atoms, 3]``."""

        def energies(positions: jax.Array) -> tuple[jax.Array, jax.Array]:
            pairs, numbers = Pairs.of(batch, positions), jnp.asarray(batch["Z"])
            messages = (RADIAL(pairs) @ state["filter"]) * state["sent"][numbers[pairs.source]]
            density = pairs.collect(messages, len(numbers))
            hidden = jax.nn.silu(jax.nn.silu(density + state["own"][numbers]) @ state["mix"])
            atoms = hidden @ state["out"] * batch["atom_mask"]
            frames = segment_sum(atoms, jnp.asarray(batch["batch_segments"]), batch.shape.frames)
            return frames.sum(), frames

        gradient, energy = jax.grad(energies, has_aux=True)(jnp.asarray(batch["R"]))
        return {"E": energy, "F": -gradient}


def example() -> tuple[Config, Dataset]:
    """Options and molecules, for the conformance kit and for the tests."""
    return Config(features=8), molecules()
