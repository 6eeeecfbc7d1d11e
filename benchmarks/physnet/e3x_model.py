"""The network of e3x's own example for MD17 ethanol, which is fitted like any model of atomloom-jax.

Features are tensors up to a degree; three rounds of messages, of which the last makes scalars.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import e3x
import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom.model import Schema
from atomloom_jax import ELEMENTS, ReferencedModel, no_references
from atomloom_jax.blocks import Frames, displacements
from atomloom_jax.model import Inputs


class Network(nn.Module):
    """Energies of atoms.

    Attributes:
        features: of each atom and each component of a degree.
        degree: the largest.
        iterations: rounds of messages.
    """

    features: int = 32
    degree: int = 2
    iterations: int = 3

    @nn.compact
    def __call__(self, numbers: jax.Array, vectors: jax.Array, ends: tuple[jax.Array, jax.Array]) -> jax.Array:
        """In eV ``[atoms]`` from atomic numbers ``[atoms]`` and the vectors of pairs in angstrom ``[pairs, 3]``."""
        basis = e3x.nn.basis(
            vectors,
            num=8,
            max_degree=self.degree,
            radial_fn=e3x.nn.reciprocal_bernstein,
            cutoff_fn=partial(e3x.nn.smooth_cutoff, cutoff=5.0),
        )
        destination, source = ends
        x = e3x.nn.Embed(num_embeddings=ELEMENTS, features=self.features)(numbers)
        for iteration in range(self.iterations):
            if iteration == self.iterations - 1:
                message = e3x.nn.MessagePass(max_degree=0, include_pseudotensors=False)
                y = message(x, basis, dst_idx=destination, src_idx=source)
                x = e3x.nn.change_max_degree_or_type(x, max_degree=0, include_pseudotensors=False)
            else:
                y = e3x.nn.MessagePass()(x, basis, dst_idx=destination, src_idx=source)
            y = e3x.nn.silu(e3x.nn.Dense(self.features)(e3x.nn.add(x, y)))
            x = e3x.nn.add(x, e3x.nn.Dense(self.features, kernel_init=jax.nn.initializers.zeros)(y))
        offsets = self.param("element_offsets", nn.initializers.zeros, (ELEMENTS,))
        energies = nn.Dense(1, use_bias=False, kernel_init=jax.nn.initializers.zeros)(x)
        return energies[:, 0, 0, 0] + offsets[numbers]


@dataclass(frozen=True)
class E3x(ReferencedModel):
    """The network as atomloom-jax fits it, with the energies of elements that ours has."""

    network: Network

    def init(self, schema: Schema, config: Any, seed: int) -> dict[str, Any]:
        """Random parameters."""
        two = (jnp.array([1, 1]), jnp.eye(3)[:2], (jnp.array([0, 1]), jnp.array([1, 0])))
        parameters = jax.jit(self.network.init)(jax.random.key(seed), *two)["params"]
        return {"parameters": parameters, "references": no_references()}

    def predict(self, state: dict[str, Any], batch: Inputs) -> dict[str, Any]:
        """E in eV ``[frames]`` and F in eV/angstrom ``[atoms, 3]``."""
        ends, mask, frames = (batch["dst_idx"], batch["src_idx"]), batch["pair_mask"], Frames.of(batch)

        def total(positions: jax.Array) -> tuple[jax.Array, jax.Array]:
            vectors = displacements(positions, *ends, mask)
            far = jnp.where(mask[:, None], vectors, 10.0)  # beyond the cutoff, where padding sends nothing
            energies = frames.sum(self.network.apply({"params": state["parameters"]}, batch["Z"], far, ends))
            return energies.sum(), energies

        gradient, energies = jax.grad(total, has_aux=True)(jnp.asarray(batch["R"]))
        return {"E": energies, "F": -gradient}
