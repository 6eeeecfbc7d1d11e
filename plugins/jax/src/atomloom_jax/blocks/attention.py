"""Attention of each atom over its neighbours."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom.errors import ConfigError
from atomloom_jax.blocks.dense import dense
from atomloom_jax.blocks.pairs import Pairs
from atomloom_jax.blocks.segments import segment_softmax


class PairAttention(nn.Module):
    """x_i + W sum over j of a_ij V x_j, where j is i itself or one of its neighbours.

    In each head a_ij = c_ij exp(l_ij) / (exp(l_ii) + sum over k of c_ik exp(l_ik)) with l_ij = <Q x_i, K x_j> /
    sqrt(features of a head) and the cutoff function c. An atom attends to itself with c_ii = 1: so nothing jumps when
    a neighbour comes in or the last one leaves, and a single atom works.

    Attributes:
        features: of each atom, over all heads.
        heads: how many.

    >>> pairs = Pairs.along(jnp.eye(3)[:2], jnp.array([0, 1]), jnp.array([1, 0]), jnp.array([True, True]))
    >>> attention = PairAttention(features=8, heads=2)
    >>> attention.init_with_output(jax.random.key(0), jnp.ones((2, 8)), pairs, jnp.ones(2))[0].shape
    (2, 8)
    """

    features: int
    heads: int = 4

    @nn.compact
    def __call__(self, x: jax.Array, pairs: Pairs, weights: jax.Array) -> jax.Array:
        """New features ``[atoms, features]``; `weights` c ``[pairs]``, a cutoff function times the mask."""
        if self.features % self.heads:
            found = f"{self.features} features do not divide into {self.heads} heads"
            raise ConfigError("make attention", found, "Give a number of features that is a multiple of the heads")
        atoms, shape = x.shape[0], (x.shape[0], self.heads, self.features // self.heads)
        itself = jnp.arange(atoms, dtype=pairs.source.dtype)
        source = jnp.concatenate([itself, pairs.source])
        destination = jnp.concatenate([itself, pairs.destination])
        query, key, value = (dense(self.features, bias=False, name=name)(x).reshape(shape) for name in "qkv")
        logits = jnp.sum(query[destination] * key[source], axis=-1) / shape[-1] ** 0.5
        allowed = jnp.concatenate([jnp.ones(atoms, x.dtype), weights * pairs.mask])[:, None]
        shares = segment_softmax(logits, destination, atoms, allowed)
        heard = jax.ops.segment_sum(shares[:, :, None] * value[source], destination, num_segments=atoms)
        return x + dense(self.features, name="out")(heard.reshape(x.shape))
