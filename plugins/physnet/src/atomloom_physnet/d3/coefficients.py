"""C6 between two atoms, interpolated between reference systems by the coordination numbers of both."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from atomloom_jax.blocks import Pairs
from atomloom_physnet.d3.tables import tables

NARROW = 4.0


def c6_coefficients(numbers: jax.Array, coordination: jax.Array, pairs: Pairs) -> jax.Array:
    """The sum over reference systems a, b of ``w_ia w_jb C6_ab``, in hartree bohr^6 ``[pairs]``.

    The weights w of an atom are Gaussians of its distance in coordination number, ``exp(-4 (CN_i - CN_a)^2)``, divided
    by their sum: far from all systems the nearest has all of it.

    Args:
        numbers: atomic numbers ``[atoms]``.
        coordination: coordination numbers ``[atoms]``.
    """
    systems = jnp.asarray(tables().systems)[numbers]
    distance = coordination[:, None] - jnp.asarray(tables().coordination, coordination.dtype)[systems]
    logits = jnp.where(jnp.asarray(tables().there)[numbers], -NARROW * distance**2, -jnp.inf)
    weights = jax.nn.softmax(logits, axis=-1)
    one, other = pairs.destination, pairs.source
    between = jnp.asarray(tables().c6, coordination.dtype)[systems[one][:, :, None], systems[other][:, None, :]]
    return jnp.einsum("pa,pb,pab->p", weights[one], weights[other], between)
