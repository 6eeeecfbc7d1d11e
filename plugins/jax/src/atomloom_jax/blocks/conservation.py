"""Charges that add up to the charge of their frame, by construction."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from atomloom_jax.blocks.segments import Frames, masked

_PASSES = 2  # the second one takes away what rounding left of the first


def conserve(charges: jax.Array, totals: jax.Array, frames: Frames, weights: jax.Array | None = None) -> jax.Array:
    """q_i + w_i / (sum of w) (Q - sum of q), with the sums over each frame, in e.

    Of all charges with the sum Q these are the nearest to q in sum of (change)^2 / w. Padding gets zero. Use it in
    training and evaluation alike: charges that are corrected afterwards are not those that were fitted.

    Args:
        charges: q of the atoms ``[atoms]``, or of several sites at each of them ``[atoms, sites]``.
        totals: Q of the frames ``[frames]``.
        weights: how readily a charge changes, above zero, of the shape of `charges`; all alike without them.

    >>> frames = Frames(jnp.array([0, 0, 1]), jnp.array([True, True, True]), jnp.array([True, True]))
    >>> conserve(jnp.array([0.5, 0.0, 0.25]), jnp.array([0.0, 1.0]), frames).tolist()
    [0.25, -0.25, 1.0]
    """
    willing = masked(jnp.ones_like(charges) if weights is None else weights, frames.atom_mask)
    whole = frames.sum(_over_sites(willing))
    shares = _times(willing, frames.spread(1 / jnp.where(whole == 0, 1.0, whole)))
    kept = masked(charges, frames.atom_mask)
    for _ in range(_PASSES):
        missing = totals.astype(kept.dtype) - frames.sum(_over_sites(kept))
        kept += _times(shares, frames.spread(missing))
    return kept


def _over_sites(values: jax.Array) -> jax.Array:
    return values.sum(axis=tuple(range(1, values.ndim)))


def _times(values: jax.Array, per_atom: jax.Array) -> jax.Array:
    return values * per_atom.reshape(per_atom.shape + (1,) * (values.ndim - 1))
