"""Charges that add up to the charge of their frame, by construction."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from atomloom_jax.blocks.segments import Frames, masked

_COARSE = 2.0**12  # steps to one e; sums of whole steps are exact in single precision up to 4096 e


def conserve(charges: jax.Array, totals: jax.Array, frames: Frames, weights: jax.Array | None = None) -> jax.Array:
    """q_i + w_i / (sum of w) (Q - sum of q), with the sums over each frame, in e.

    Of all charges with the sum Q these are the nearest to q in sum of (change)^2 / w. Padding gets zero. Use it in
    training and evaluation alike: charges that are corrected afterwards are not those that were fitted. What rounding
    takes from the sum, some 1e-6 e for hundreds of charges in single precision, is given to the first atom.

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
    given = masked(charges, frames.atom_mask)
    change = frames.spread(_missing(given, totals, frames) / jnp.where(whole == 0, 1.0, whole))
    kept = given + willing * change.reshape(change.shape + (1,) * (willing.ndim - 1))
    return _to_first(kept, jax.lax.stop_gradient(_missing(kept, totals, frames)), frames)


def _missing(charges: jax.Array, totals: jax.Array, frames: Frames) -> jax.Array:
    """Q - sum of q of each frame, more exactly than a sum of many numbers is: in coarse steps, and what these leave."""
    coarse = jax.lax.stop_gradient(jnp.round(charges * _COARSE) / _COARSE)
    return (totals - frames.sum(_over_sites(coarse))) - frames.sum(_over_sites(charges - coarse))


def _to_first(charges: jax.Array, extra: jax.Array, frames: Frames) -> jax.Array:
    """Adds to the first charge of each frame; frames without atoms have none."""
    atoms = charges.shape[0]
    places = jnp.where(frames.atom_mask, jnp.arange(atoms), atoms)
    first = jnp.minimum(jax.ops.segment_min(places, frames.segments, num_segments=frames.slots), atoms)
    flat = charges.reshape(atoms, -1).at[first, 0].add(extra.astype(charges.dtype), mode="drop")
    return flat.reshape(charges.shape)


def _over_sites(values: jax.Array) -> jax.Array:
    return values.sum(axis=tuple(range(1, values.ndim)))
