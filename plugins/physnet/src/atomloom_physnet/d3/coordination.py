"""How many neighbours an atom has, as a smooth number."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from atomloom_jax.blocks import Pairs
from atomloom_physnet.d3.tables import tables

STEEP = 16.0


def coordination_numbers(numbers: jax.Array, pairs: Pairs, distances: jax.Array, fading: jax.Array) -> jax.Array:
    """The sum over the neighbours of each atom of ``1 / (1 + exp(-16 (R / r - 1)))`` ``[atoms]``.

    R is 4/3 of the sum of the covalent radii of both.

    Args:
        numbers: atomic numbers ``[atoms]``.
        distances: r of each pair, in bohr ``[pairs]``.
        fading: a factor of each pair, 0 beyond a cutoff and where it is not real ``[pairs]``.
    """
    radius = jnp.asarray(tables().radius, distances.dtype)[numbers]
    both = radius[pairs.destination] + radius[pairs.source]
    counted = jax.nn.sigmoid(STEEP * (both / distances - 1))
    return pairs.collect(counted * fading, numbers.shape[0])
