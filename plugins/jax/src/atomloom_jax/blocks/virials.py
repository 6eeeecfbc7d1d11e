"""Forces and virials from the slopes of an energy by the vectors between atoms.

An energy E that depends on positions only through the vectors v of its pairs is differentiated by these once, and
forces and virial are sums of the slopes g = dE/dv: no second pass for the strain of a cell, and no positions needed.
"""

from __future__ import annotations

import jax

from atomloom_jax.blocks.pairs import Pairs
from atomloom_jax.blocks.segments import Frames, masked, segment_sum


def forces(slopes: jax.Array, pairs: Pairs, atoms: int) -> jax.Array:
    """-dE/dR: the sum of g over the pairs that an atom is the destination of, less that over those it is the source of.

    Args:
        slopes: g = dE/dv in eV/angstrom ``[pairs, 3]``.
        atoms: how many slots there are.

    Returns:
        In eV/angstrom ``[atoms, 3]``.

    >>> import jax.numpy as jnp
    >>> ends, mask = (jnp.array([0]), jnp.array([1])), jnp.array([True])
    >>> spring = lambda v: ((Pairs.along(v, *ends, mask).distances - 1.0) ** 2).sum()
    >>> vectors = jnp.array([[0.0, 0.0, 2.0]])
    >>> forces(jax.grad(spring)(vectors), Pairs.along(vectors, *ends, mask), atoms=2).tolist()
    [[0.0, 0.0, 2.0], [0.0, 0.0, -2.0]]
    """
    real = masked(slopes, pairs.mask)
    return segment_sum(real, pairs.destination, atoms) - segment_sum(real, pairs.source, atoms)


def virial(slopes: jax.Array, pairs: Pairs, frames: Frames) -> jax.Array:
    """dE/d(strain), the sum of v g over the pairs of each frame, in eV ``[frames, 3, 3]``; the stress times the volume.

    Under a strain s every vector and every cell vector becomes v (1 + s). It is symmetric where turning a frame does
    not change its energy.

    Args:
        slopes: g = dE/dv in eV/angstrom ``[pairs, 3]``.

    >>> import jax.numpy as jnp
    >>> pair = Pairs.along(jnp.array([[0.0, 0.0, 2.0]]), jnp.array([0]), jnp.array([1]), jnp.array([True]))
    >>> frame = Frames(jnp.array([0, 0]), jnp.array([True, True]), jnp.array([True]))
    >>> virial(jnp.array([[0.0, 0.0, 2.0]]), pair, frame)[0, 2].tolist()
    [0.0, 0.0, 4.0]
    """
    products = pairs.vectors[:, :, None] * slopes[:, None, :]
    return segment_sum(products, frames.segments[pairs.destination], frames.slots, pairs.mask)
