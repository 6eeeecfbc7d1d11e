"""Dipole and quadrupole moments of point charges.

Of the moments of a frame only the first that is not zero is the same from everywhere: the dipole of an ion depends on
the origin, and so does the quadrupole of a polar molecule. The origin is that of the coordinates unless one is given;
it has to be the one that the reference data have.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from atomloom_jax.blocks.segments import Frames


def dipole(charges: jax.Array, places: jax.Array, frames: Frames, origin: jax.Array | None = None) -> jax.Array:
    """The sum of q (r - origin) over each frame, in e angstrom ``[frames, 3]``; from the minus to the plus.

    Args:
        charges: of the atoms ``[atoms]``, or of several sites at each of them ``[atoms, sites]``, in e.
        places: where they are, ``[atoms, 3]`` or ``[atoms, sites, 3]``, in angstrom.
        origin: ``[frames, 3]``, in angstrom.

    >>> frame = Frames(jnp.array([0, 0]), jnp.array([True, True]), jnp.array([True]))
    >>> dipole(jnp.array([-1.0, 1.0]), jnp.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.5]]), frame).tolist()
    [[1.0, 0.0, 0.5]]
    """
    moments = charges[..., None] * _from(origin, places, frames)
    return frames.sum(moments.reshape(moments.shape[0], -1, 3).sum(axis=1))


def quadrupole(charges: jax.Array, places: jax.Array, frames: Frames, origin: jax.Array | None = None) -> jax.Array:
    """The sum of q (3 r r - r^2 1) / 2 over each frame, in e angstrom^2 ``[frames, 3, 3]``; see `dipole`.

    This is the traceless moment of Buckingham. `second_moment` is what others call by the same name.

    >>> frame = Frames(jnp.array([0]), jnp.array([True]), jnp.array([True]))
    >>> quadrupole(jnp.array([1.0]), jnp.array([[0.0, 0.0, 2.0]]), frame)[0].tolist()
    [[-2.0, 0.0, 0.0], [0.0, -2.0, 0.0], [0.0, 0.0, 4.0]]
    """
    second = second_moment(charges, places, frames, origin)
    trace = jnp.trace(second, axis1=1, axis2=2)
    return (3 * second - trace[:, None, None] * jnp.eye(3, dtype=second.dtype)) / 2


def second_moment(charges: jax.Array, places: jax.Array, frames: Frames, origin: jax.Array | None = None) -> jax.Array:
    """The sum of q r r over each frame, with its trace, in e angstrom^2 ``[frames, 3, 3]``; see `dipole`.

    >>> frame = Frames(jnp.array([0]), jnp.array([True]), jnp.array([True]))
    >>> second_moment(jnp.array([0.5]), jnp.array([[0.0, 0.0, 2.0]]), frame)[0, 2].tolist()
    [0.0, 0.0, 2.0]
    """
    away = _from(origin, places, frames)
    moments = charges[..., None, None] * away[..., :, None] * away[..., None, :]
    return frames.sum(moments.reshape(moments.shape[0], -1, 3, 3).sum(axis=1))


def centroid(positions: jax.Array, frames: Frames) -> jax.Array:
    """The mean position of the real atoms of each frame, in angstrom ``[frames, 3]``.

    >>> frame = Frames(jnp.array([0, 0]), jnp.array([True, True]), jnp.array([True]))
    >>> centroid(jnp.array([[0.0, 0.0, 0.0], [2.0, 0.0, 4.0]]), frame).tolist()
    [[1.0, 0.0, 2.0]]
    """
    return frames.mean(positions)


def _from(origin: jax.Array | None, places: jax.Array, frames: Frames) -> jax.Array:
    if origin is None:
        return places
    own = frames.spread(origin)
    return places - own.reshape(len(own), *(1,) * (places.ndim - 2), 3)
