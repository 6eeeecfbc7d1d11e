"""Lengths and directions of vectors whose gradients stay finite where a vector vanishes.

The plain norm has the gradient v/|v|, which is NaN at zero, and the padding of a batch is full of zeros. All functions
take vectors along one axis, ``[..., 3]`` by default, in any unit.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

_BELOW = 4  # roundings, by which a length could come out above its bound


def safe_norm(vectors: jax.Array, axis: int = -1) -> jax.Array:
    """|v| along an axis, whose gradient at v = 0 is zero.

    >>> safe_norm(jnp.array([3.0, 0.0, 4.0])).tolist()
    5.0
    >>> jax.grad(safe_norm)(jnp.zeros(3)).tolist()
    [0.0, 0.0, 0.0]
    """
    squares, zero = _squares(vectors, axis)
    return jnp.where(zero, 0.0, jnp.sqrt(squares)).squeeze(axis)


def unit(vectors: jax.Array, axis: int = -1) -> jax.Array:
    """v / |v| along an axis, and zero with a gradient of zero where v = 0.

    >>> print(jax.device_get(unit(jnp.array([3.0, 0.0, 4.0]))).round(4))
    [0.6 0.  0.8]
    """
    squares, zero = _squares(vectors, axis)
    return jnp.where(zero, 0.0, vectors / jnp.sqrt(squares))


def smooth_norm(vectors: jax.Array, width: float = 1e-2, axis: int = -1) -> jax.Array:
    """sqrt(|v|^2 + width^2) - width, which has derivatives of every order also at v = 0.

    What forces are fitted to is a second derivative, and that of |v| grows like 1 / |v| near zero, where the features
    of symmetric molecules are.

    >>> smooth_norm(jnp.array([0.0, 0.0]), 0.5).tolist(), round(float(smooth_norm(jnp.array([1.2]), 0.5)), 6)
    (0.0, 0.8)
    """
    return jnp.sqrt(jnp.sum(vectors**2, axis=axis) + width**2) - width


def bounded(vectors: jax.Array, limit: float) -> jax.Array:
    """limit tanh(|v|) v / |v|: the direction of v ``[..., 3]`` at a length that is never above `limit`.

    Bounding each component, as in hard_tanh(v) times the limit, would bound the length by sqrt(3) times as much and
    depend on the axes.

    >>> float(safe_norm(bounded(jnp.array([30.0, -50.0, 70.0]), 0.35))) <= 0.35
    True
    >>> bounded(jnp.zeros(3), 0.35).tolist()
    [0.0, 0.0, 0.0]
    """
    squares, zero = _squares(vectors, -1)
    lengths = jnp.sqrt(squares)
    largest = limit * (1 - _BELOW * float(np.finfo(vectors.dtype).eps))
    return vectors * jnp.where(zero, largest, largest * jnp.tanh(lengths) / lengths)


def _squares(vectors: jax.Array, axis: int) -> tuple[jax.Array, jax.Array]:
    """|v|^2 with 1 in place of 0, so that its root can be differentiated, and where that was done; the axis is kept."""
    squares = jnp.sum(vectors**2, axis=axis, keepdims=True)
    zero = squares == 0
    return jnp.where(zero, 1.0, squares), zero
