"""Spherical Bessel functions of order zero that vanish at the cutoff."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np


def bessel(distances: jax.Array, count: int, cutoff: float) -> jax.Array:
    """sqrt(2 / cutoff) sin(n pi r / cutoff) / r for n = 1 ... count, of DimeNet, ``[..., count]``.

    They are orthonormal under the integral of r^2 from 0 to the cutoff, and finite at r = 0. In angstrom^(-3/2).

    >>> print(jax.device_get(bessel(jnp.array([0.0, 0.5]), 2, 2.0)).round(4))
    [[1.5708 3.1416]
     [1.4142 2.    ]]
    """
    waves = jnp.asarray(np.arange(1, count + 1) / cutoff, distances.dtype)
    shapes: jax.Array = jnp.sinc(distances[..., None] * waves)
    return shapes * waves * (np.pi * math.sqrt(2 / cutoff))
