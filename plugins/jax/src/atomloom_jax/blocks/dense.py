"""The linear layers of all blocks, and the functions between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from flax import linen as nn

Activation = Callable[[jax.Array], jax.Array]


def shifted_softplus(x: jax.Array) -> jax.Array:
    """log(1/2 + exp(x)/2), the activation of SchNet and PhysNet, which is zero at zero.

    >>> float(shifted_softplus(jnp.array(0.0)))
    0.0
    """
    return jnp.logaddexp(x, 0.0) - jnp.log(2.0).astype(x.dtype)


ACTIVATIONS: Mapping[str, Activation] = {"shifted-softplus": shifted_softplus, "silu": nn.silu, "tanh": nn.tanh}
"""By name; all are smooth, so that forces are, and zero at zero."""


def dense(features: int, *, bias: bool = True, zero: bool = False, name: str | None = None) -> nn.Dense:
    """x W + b over the last axis, ``[..., features]``; to be called where a module makes its parts.

    The parameters are made in the precision that JAX computes in at that moment, which flax's own default, float32,
    does not heed. They begin with a variance of 1 / inputs, the bias at zero.

    Args:
        zero: begin with W = 0, for what should first be nothing.
        name: of the layer among the parameters.

    >>> dense(2).init(jax.random.key(0), jnp.ones((5, 3)))["params"]["kernel"].shape
    (3, 2)
    """
    kernel = nn.initializers.zeros if zero else nn.initializers.lecun_normal()
    return nn.Dense(features, use_bias=bias, kernel_init=kernel, param_dtype=jnp.result_type(float), name=name)
