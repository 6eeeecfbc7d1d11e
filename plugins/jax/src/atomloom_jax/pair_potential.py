"""A small model as an example: every element has an energy, every pair of elements a function of their distance.

``E = sum_i e(Z_i) + sum_(i != j) sum_k w_k(Z_i, Z_j) b_k(r_ij)`` with Gaussians ``b_k`` that a cutoff brings to zero.
All that the engine needs of a model is `init` and `predict`.
"""

from __future__ import annotations

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
from msgspec import Meta

from atomloom.data import Dataset
from atomloom.model import Schema
from atomloom.testing.examples import molecules
from atomloom_jax.blocks import Pairs
from atomloom_jax.model import Inputs
from atomloom_jax.references import ELEMENTS, ReferencedModel, no_references


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of the pair potential."""

    functions: Annotated[int, Meta(ge=1, description="radial functions for each pair of elements")] = 16
    cutoff: Annotated[float, Meta(gt=0, description="distance beyond which atoms do not meet, in angstrom")] = 5.0


def example() -> tuple[Config, Dataset]:
    """Few functions and small molecules, for the conformance kit."""
    return Config(functions=4), molecules()


class PairPotential(ReferencedModel):
    """See the module."""

    def init(self, schema: Schema, config: Config, seed: int) -> dict[str, Any]:
        """Small random weights for the elements of the data."""
        count = len(schema.elements)
        place = jnp.zeros(ELEMENTS, jnp.int32).at[jnp.array(schema.elements)].set(jnp.arange(count, dtype=jnp.int32))
        weights = 0.01 * jax.random.normal(jax.random.key(seed), (count, count, config.functions))
        own = {"energies": jnp.zeros(count), "weights": weights}
        references = no_references(len(schema.levels))
        return {**own, "place": place, "cutoff": np.array(config.cutoff), "references": references}

    def constants(self, state: dict[str, Any]) -> frozenset[str]:
        """What is not trained."""
        return super().constants(state) | {"cutoff"}

    def reach(self, state: dict[str, Any]) -> float:
        """The cutoff."""
        return float(state["cutoff"])

    def predict(self, state: dict[str, Any], batch: Inputs) -> dict[str, Any]:
        """E in eV ``[frames]`` and F, its negative gradient, in eV/angstrom ``[atoms, 3]``."""

        def total(positions: jax.Array) -> tuple[jax.Array, jax.Array]:
            energy = _energies(state, positions, batch)
            return energy.sum(), energy

        gradient, energy = jax.grad(total, has_aux=True)(jnp.asarray(batch["R"]))
        return {"E": energy, "F": -gradient}


def _energies(state: dict[str, Any], positions: jax.Array, batch: Inputs) -> jax.Array:
    """Of every frame; padded pairs and atoms add nothing, to values and gradients alike."""
    kinds, pairs = state["place"][jnp.asarray(batch["Z"])], Pairs.of(batch, positions)
    distance = pairs.distances
    centres = jnp.linspace(0.0, state["cutoff"], state["weights"].shape[-1])
    width = state["cutoff"] / len(centres)
    inside = pairs.mask & (distance < state["cutoff"])
    fading = jnp.where(inside, 0.5 * (1.0 + jnp.cos(jnp.pi * distance / state["cutoff"])), 0.0)
    functions = jnp.exp(-0.5 * ((distance[:, None] - centres) / width) ** 2) * fading[:, None]
    weights = state["weights"][kinds[pairs.destination], kinds[pairs.source]]
    atoms = pairs.collect((weights * functions).sum(axis=-1), len(positions))
    atoms += state["energies"][kinds] * batch["atom_mask"]
    return jax.ops.segment_sum(atoms, batch["batch_segments"], batch.shape.frames)
