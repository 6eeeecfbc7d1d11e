"""From features and pairs to energies and charges of atoms: by messages of scalars and vectors, or as in PhysNet.

Both begin with zero for all atoms, and both fade where the radial functions do: an atom that crosses the cutoff changes
neither energy nor forces.
"""

from __future__ import annotations

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

    >>> from atomloom_jax.blocks import Radial
    >>> pairs = Pairs.along(jnp.eye(3)[:2], jnp.array([0, 1]), jnp.array([1, 0]), jnp.array([True, True]))
    >>> network = ScalarVectorBackbone(features=4, layers=1)
    >>> found, _ = network.init_with_output(jax.random.key(0), jnp.ones((2, 4)), pairs, Radial(count=8)(pairs))
    >>> found.tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """

    features: int
    layers: int

    @nn.compact
    def __call__(self, x: jax.Array, pairs: Pairs, radial: jax.Array) -> jax.Array:
        """Energy and charge ``[atoms, 2]`` from features ``[atoms, features]``."""
        scalars, _ = ScalarVectorLayers(self.features, self.layers, name="layers_")(x, pairs, radial)
        found: jax.Array = AtomScalars(OUTPUTS, zero=True, name="readout")(scalars)
        return found


class PhysNetBackbone(nn.Module):
    """The invariant modules of PhysNet (Unke, Meuwly 2019), each of which adds to energies and charges.

    Attributes:
        features: of each atom.
        layers: modules.
    """

    features: int
    layers: int

    @nn.compact
    def __call__(self, x: jax.Array, pairs: Pairs, radial: jax.Array) -> jax.Array:
        """Energy and charge ``[atoms, 2]`` from features ``[atoms, features]``."""
        total = jnp.zeros((x.shape[0], OUTPUTS), x.dtype)
        for layer in range(self.layers):
            x = Interaction(self.features, name=f"interaction_{layer}")(x, pairs, radial)
            total += Output(OUTPUTS, name=f"output_{layer}")(x)
        return total


BACKBONES = {"scalar-vector": ScalarVectorBackbone, "physnet": PhysNetBackbone}
"""By name, for the configuration."""
