"""Conditioning on charge and multiplicity by spreading them over the atoms, after SpookyNet (Unke et al. 2021)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom_jax.blocks.dense import dense
from atomloom_jax.blocks.residual import Residual
from atomloom_jax.blocks.segments import Frames, masked
from atomloom_jax.blocks.states import States


class StateAttention(nn.Module):
    """Adds r(sum over c of a_ic v_c) to the features x_i of each atom, for the channels c of its frame's state.

    The channels hold max(Q, 0), max(-Q, 0) and the number of unpaired electrons 2S. With a key k_c, an offset o_c and a
    value v_c of each channel::

        a_ic = E_c softplus(<k_c, x_i> / sqrt(features) + o_c) / sum of the same softplus over the atoms of the frame

    so the shares of the atoms add up to the E_c electrons of the frame. r is a residual block without bias: a neutral
    singlet is left exactly as it is. Any charge works, also one that was never trained on; models should refuse that
    with `StateRange.check`. Far fragments share the charge by their features, not by where it belongs: energies of
    separate fragments add up only so far as the keys learn to tell them apart.

    Attributes:
        features: of each atom.
        activation: one of `ACTIVATIONS`.

    >>> frames = Frames(jnp.array([0, 0]), jnp.array([True, True]), jnp.array([True]))
    >>> neutral = States(jnp.array([0.0]), jnp.array([1]))
    >>> StateAttention(4).init_with_output(jax.random.key(0), jnp.ones((2, 4)), neutral, frames)[0].tolist()
    [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    """

    features: int
    activation: str = "silu"

    @nn.compact
    def __call__(self, x: jax.Array, states: States, frames: Frames) -> jax.Array:
        """Features ``[atoms, features]`` that know the state of their frame."""
        electrons = channels(states, frames).astype(x.dtype)
        scores = dense(electrons.shape[-1], name="keys")(x / self.features**0.5)
        shares = masked(nn.softplus(scores), frames.atom_mask)
        totals = frames.sum(shares)
        per_share = electrons / jnp.where(totals > 0, totals, 1.0)
        values = dense(self.features, bias=False, name="values")(shares * frames.spread(per_share))
        return x + Residual(self.activation, bias=False, name="residual")(values)


def channels(states: States, frames: Frames) -> jax.Array:
    """max(Q, 0), max(-Q, 0) and 2S of each real frame, ``[frames, 3]``, and zero for the others.

    >>> frames = Frames(jnp.array([0]), jnp.array([True]), jnp.array([True, False]))
    >>> channels(States(jnp.array([-2.0, 1.0]), jnp.array([3, 1])), frames).tolist()
    [[0.0, 2.0, 2.0], [0.0, 0.0, 0.0]]
    """
    charges = states.charges
    parts = [jnp.maximum(charges, 0), jnp.maximum(-charges, 0), states.multiplicities - 1]
    return masked(jnp.stack(parts, axis=-1), frames.frame_mask)
