"""The invariant modules of PhysNet (Unke and Meuwly 2019): interaction and output, around residual blocks."""

from __future__ import annotations

import jax
from flax import linen as nn

from atomloom_jax.blocks.dense import ACTIVATIONS, dense
from atomloom_jax.blocks.pairs import Pairs
from atomloom_jax.blocks.residual import ResidualStack


class Interaction(nn.Module):
    """Refines the features of each atom i by those of its neighbours j.

    With filters g_ij = G radial_ij, all products over features::

        m_i = f(W_I f(x_i) + b_I) + sum over j of g_ij f(W_J f(x_j) + b_J)
        x_i = u x_i + W f(residual(m_i)) + b

    G begins at random where PhysNet began with zeros, so that training begins with neighbours in sight.

    Attributes:
        features: of each atom.
        residuals: `Residual` blocks within.
        activation: f, one of `ACTIVATIONS`.

    >>> import jax.numpy as jnp
    >>> pairs = Pairs.along(jnp.eye(3)[:2], jnp.array([0, 1]), jnp.array([1, 0]), jnp.array([True, True]))
    >>> Interaction(4).init_with_output(jax.random.key(0), jnp.ones((2, 4)), pairs, jnp.ones((2, 8)))[0].shape
    (2, 4)
    """

    features: int
    residuals: int = 1
    activation: str = "shifted-softplus"

    @nn.compact
    def __call__(self, x: jax.Array, pairs: Pairs, radial: jax.Array) -> jax.Array:
        """New features ``[atoms, features]``; `radial` ``[pairs, functions]`` is zero for padding, see `Radial`."""
        f = ACTIVATIONS[self.activation]
        active = f(x)
        own = f(dense(self.features, name="own")(active))
        others = f(dense(self.features, name="others")(active))
        filters = dense(self.features, bias=False, name="filters")(radial)
        message = own + pairs.collect(filters * others[pairs.source], x.shape[0])
        refined = f(ResidualStack(self.residuals, self.activation, name="residuals")(message))
        gate = self.param("gate", nn.initializers.ones, (self.features,), x.dtype)
        return gate * x + dense(self.features, name="out")(refined)


class Output(nn.Module):
    """W f(residual(x)) from features ``[atoms, features]`` to ``[atoms, outputs]``: what a module adds to predictions.

    W begins at zero, so that all predictions do.

    Attributes:
        outputs: two in PhysNet, the energy and the charge of each atom.
        residuals: `Residual` blocks within.
        activation: f, one of `ACTIVATIONS`.

    >>> import jax.numpy as jnp
    >>> Output(2).init_with_output(jax.random.key(0), jnp.ones((1, 4)))[0].tolist()
    [[0.0, 0.0]]
    """

    outputs: int = 2
    residuals: int = 1
    activation: str = "shifted-softplus"

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Of features ``[atoms, features]``."""
        f = ACTIVATIONS[self.activation]
        refined = f(ResidualStack(self.residuals, self.activation, name="residuals")(x))
        return dense(self.outputs, bias=False, zero=True, name="out")(refined)
