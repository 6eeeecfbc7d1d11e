"""The network: beads with features, refined by messages from beads nearby, and an energy of each.

A message is filtered by the distance that it comes from, times one of four indicators of how far along the chain that
is: 1, 2, 3, or more beads. So bonded neighbours, turns of a helix and contacts have filters of their own.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom_beads.kinds import ELEMENTS, RESIDUES
from atomloom_jax.blocks import ElementTable, Interaction, Output, Pairs, Radial

NEIGHBOURS = 4
"""Filters by the distance along the chain; the last one is for all that is further."""


class Messages(nn.Module):
    """Energies of beads from what they are and where they are.

    Attributes:
        features: of each bead.
        layers: how often messages are passed.
        functions: radial functions.
        cutoff: beyond which beads do not meet, in angstrom.

    >>> pairs = Pairs.along(jnp.eye(3)[:2], jnp.array([0, 1]), jnp.array([1, 0]), jnp.array([True, True]))
    >>> Messages(4, 1, 3, 12.0).init_with_output(jax.random.key(0), jnp.array([6, 7]), pairs)[0].tolist()
    [0.0, 0.0]
    """

    features: int
    layers: int
    functions: int
    cutoff: float

    @nn.compact
    def __call__(self, kinds: jax.Array, pairs: Pairs) -> jax.Array:
        """Zero at first, ``[beads]``, from kinds ``[beads]``; see `atomloom_beads.kinds`."""
        radial = Radial("gaussian", self.functions, self.cutoff, "polynomial")(pairs)
        filters = (radial[:, :, None] * along_chain(pairs)[:, None, :]).reshape(len(radial), -1)
        residues, elements = jnp.divmod(kinds, ELEMENTS)
        x = ElementTable(self.features, ELEMENTS - 1, name="elements")(elements)
        x += ElementTable(self.features, len(RESIDUES), name="residues")(residues)
        for layer in range(self.layers):
            x = Interaction(self.features, name=f"layer{layer}")(x, pairs, filters)
        return Output(1, name="energy")(x)[:, 0]


def along_chain(pairs: Pairs) -> jax.Array:
    """For each pair a one where its beads are 1, 2, 3, or more beads apart in the chain ``[pairs, 4]``."""
    apart = jnp.abs(pairs.destination - pairs.source)
    return jax.nn.one_hot(jnp.minimum(apart, NEIGHBOURS) - 1, NEIGHBOURS, dtype=pairs.distances.dtype)
