"""Residual blocks: what a layer adds to its input."""

from __future__ import annotations

import jax
from flax import linen as nn

from atomloom_jax.blocks.dense import ACTIVATIONS, dense


class Residual(nn.Module):
    """x + W2 f(W1 f(x) + b1) + b2 over the last axis, ``[..., features]``, of PhysNet.

    W2 begins at zero and so the block as the identity: deep stacks then train like shallow ones at first.

    Attributes:
        activation: f, one of `ACTIVATIONS`.
        bias: whether there are b1 and b2; without them zero stays zero.

    >>> import jax.numpy as jnp
    >>> Residual().init_with_output(jax.random.key(0), jnp.array([1.0, 2.0]))[0].tolist()
    [1.0, 2.0]
    """

    activation: str = "silu"
    bias: bool = True

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Of features ``[..., features]``."""
        f = ACTIVATIONS[self.activation]
        features = x.shape[-1]
        inner = dense(features, bias=self.bias, name="inner")(f(x))
        return x + dense(features, bias=self.bias, zero=True, name="outer")(f(inner))


class ResidualStack(nn.Module):
    """Several `Residual` blocks, one after the other.

    Attributes:
        blocks: how many.
        activation: one of `ACTIVATIONS`.
    """

    blocks: int = 1
    activation: str = "silu"

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Of features ``[..., features]``."""
        for _ in range(self.blocks):
            x = Residual(self.activation)(x)
        return x
