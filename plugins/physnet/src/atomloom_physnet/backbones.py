"""From features and pairs to energies and charges of atoms: by messages of scalars and vectors, or as in PhysNet.

Both begin with zero for all atoms, and both fade where the radial functions do: an atom that crosses the cutoff changes
neither energy nor forces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom_jax.blocks import AtomScalars, Interaction, Output, Pairs, ScalarVectorLayers

OUTPUTS = 2
"""An energy in eV and a charge in e."""


class ScalarVectorBackbone(nn.Module):
    """Messages of scalars and vectors, as in PaiNN (Schütt, Unke, Gastegger 2021), and a readout of the scalars.

    Attributes:
        features: of scalars and vectors.
        layers: rounds of messages.
        heads: names of readouts that differ; none for a single one.

    >>> from atomloom_jax.blocks import Radial
    >>> pairs = Pairs.along(jnp.eye(3)[:2], jnp.array([0, 1]), jnp.array([1, 0]), jnp.array([True, True]))
    >>> network = ScalarVectorBackbone(features=4, layers=1)
    >>> found, _ = network.init_with_output(jax.random.key(0), jnp.ones((2, 4)), pairs, Radial(count=8)(pairs))
    >>> found.tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """

    features: int
    layers: int
    heads: tuple[str, ...] = ()

    @nn.compact
    def __call__(self, x: jax.Array, pairs: Pairs, radial: jax.Array, head: jax.Array | None = None) -> jax.Array:
        """Energy and charge ``[atoms, 2]`` from features ``[atoms, features]`` by each atom's head ``[atoms]``."""
        scalars, _ = ScalarVectorLayers(self.features, self.layers, name="layers_")(x, pairs, radial)
        return by_head(lambda name: AtomScalars(OUTPUTS, zero=True, name=name)(scalars), "readout", self.heads, head)


class PhysNetBackbone(nn.Module):
    """The invariant modules of PhysNet (Unke, Meuwly 2019), each of which adds to energies and charges.

    Attributes:
        features: of each atom.
        layers: modules.
        heads: names of outputs that differ; none for a single one.
    """

    features: int
    layers: int
    heads: tuple[str, ...] = ()

    @nn.compact
    def __call__(self, x: jax.Array, pairs: Pairs, radial: jax.Array, head: jax.Array | None = None) -> jax.Array:
        """Energy and charge ``[atoms, 2]`` from features ``[atoms, features]`` by each atom's head ``[atoms]``."""
        total = jnp.zeros((x.shape[0], OUTPUTS), x.dtype)
        for layer in range(self.layers):
            x = Interaction(self.features, name=f"interaction_{layer}")(x, pairs, radial)
            total += by_head(partial(_output, x), f"output_{layer}", self.heads, head)
        return total


def by_head(make: Callable[[str], jax.Array], name: str, heads: Sequence[str], head: jax.Array | None) -> jax.Array:
    """What one of several heads gives for each atom ``[atoms, outputs]``.

    Args:
        make: gives what the module of a name gives for all atoms.
        name: of the module, to which those of several heads add their own.
        heads: their names; none for a module that all atoms share.
        head: the number of each atom's among them ``[atoms]``.

    >>> by_head(lambda name: jnp.full((2, 1), len(name)), "x", ("a", "bcd"), jnp.array([1, 0])).tolist()
    [[5], [3]]
    """
    if not heads:
        return make(name)
    if head is None:
        raise ValueError(f"give the number of each frame's level of theory among {', '.join(heads)} as `levels`")
    every = jnp.stack([make(f"{name}_{each}") for each in heads])
    chosen: jax.Array = every[head, jnp.arange(every.shape[1])]
    return chosen


def _output(x: jax.Array, name: str) -> jax.Array:
    found: jax.Array = Output(OUTPUTS, name=name)(x)
    return found


BACKBONES = {"scalar-vector": ScalarVectorBackbone, "physnet": PhysNetBackbone}
"""By name, for the configuration."""
