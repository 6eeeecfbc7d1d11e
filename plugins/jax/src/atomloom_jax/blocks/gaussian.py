"""Gaussians over the distance, or over its exponential."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np


def gaussian(distances: jax.Array, count: int, cutoff: float) -> jax.Array:
    """exp(-(r - m)^2 / (2 s^2)) with centres m from 0 to the cutoff, s apart, ``[..., count]``; lengths in angstrom.

    >>> print(jax.device_get(gaussian(jnp.array([0.0]), 3, 4.0)).round(4))
    [[1.     0.6065 0.1353]]
    """
    centres, width = np.linspace(0.0, cutoff, count), cutoff / max(count - 1, 1)
    return jnp.exp(-(((distances[..., None] - _like(centres, distances)) / width) ** 2) / 2)


def exp_normal(distances: jax.Array, count: int, cutoff: float, decay: float = 1.0) -> jax.Array:
    """exp(-b (exp(-decay r) - m)^2) with centres m from exp(-decay cutoff) to 1, of PhysNet, ``[..., count]``.

    b = (2 / count (1 - exp(-decay cutoff)))^-2, so neighbouring functions overlap alike, and there are more of them at
    short distances.

    Args:
        distances: r in angstrom.
        cutoff: in angstrom.
        decay: in 1/angstrom.

    >>> print(jax.device_get(exp_normal(jnp.array([0.0, 5.0]), 2, 5.0)).round(4))
    [[0.3679 1.    ]
     [1.     0.3679]]
    """
    last = math.exp(-decay * cutoff)
    centres = np.linspace(last, 1.0, count)
    narrowness = (2 / count * (1 - last)) ** -2
    return jnp.exp(-narrowness * (jnp.exp(-decay * distances)[..., None] - _like(centres, distances)) ** 2)


def _like(values: np.ndarray, distances: jax.Array) -> jax.Array:
    return jnp.asarray(values, distances.dtype)
