"""Bernstein polynomials of a mapped distance: smooth radial functions that sum to one.

b_v(x) = n! / (v! (n-v)!) x^v (1-x)^(n-v) for v = 0 ... n, with n + 1 functions and x in [0, 1]:

============= ====================== ==================================================================
bernstein     x = r / cutoff         humps evenly over the distance
exponential   x = exp(-decay r)      of SpookyNet: narrow where atoms are near, wide where they are far
reciprocal    x = 1 / (1 + r/scale)  of e3x: as before, with a tail like 1/r
============= ====================== ==================================================================

They are evaluated as exp(log of the binomial + v log x + (n-v) log(1-x)), whose two logarithms are taken once for each
distance. Below a millionth of an angstrom all stays as it is there, with a slope of zero.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

_TINY = 1e-6  # keeps logarithms and their second derivatives finite, in single precision too
_ANGSTROM = 0.529177210903  # in one bohr


def bernstein(distances: jax.Array, count: int, cutoff: float) -> jax.Array:
    """`count` Bernstein polynomials of r / cutoff, ``[..., count]``; the last one is 1 from the cutoff on.

    >>> bernstein(jnp.array([0.0, 2.5]), 3, 5.0).round(4).tolist()
    [[1.0, 0.0, 0.0], [0.25, 0.5, 0.25]]
    """
    x = jnp.clip(distances / cutoff, 0.0, 1.0)
    return _polynomials(jnp.log(jnp.maximum(x, _TINY)), jnp.log(jnp.maximum(1 - x, _TINY)), count)


def exponential_bernstein(distances: jax.Array, count: int, decay: float = 0.5 / _ANGSTROM) -> jax.Array:
    """`count` Bernstein polynomials of exp(-decay r), ``[..., count]``.

    Args:
        distances: r in angstrom.
        decay: in 1/angstrom; 1 / (2 bohr), with which SpookyNet begins, is the decay of an electron in hydrogen.

    >>> exponential_bernstein(jnp.array([1.0]), 2, decay=float(jnp.log(4.0))).round(6).tolist()
    [[0.75, 0.25]]
    """
    return _polynomials(-decay * distances, jnp.log(-jnp.expm1(-decay * _away(distances))), count)


def reciprocal_bernstein(distances: jax.Array, count: int, scale: float = 1.0) -> jax.Array:
    """`count` Bernstein polynomials of 1 / (1 + r / scale), ``[..., count]``.

    Args:
        distances: r in angstrom.
        scale: the distance at which x is one half, in angstrom.

    >>> reciprocal_bernstein(jnp.array([3.0]), 2).round(6).tolist()
    [[0.75, 0.25]]
    """
    ratio = _away(distances) / scale
    below = jnp.log1p(ratio)
    return _polynomials(-below, jnp.log(ratio) - below, count)


def _away(distances: jax.Array) -> jax.Array:
    return jnp.maximum(distances, _TINY)


def _polynomials(log_x: jax.Array, log_rest: jax.Array, count: int) -> jax.Array:
    """All b_v from the logarithms of x and 1 - x, along a new last axis."""
    n = count - 1
    powers = np.arange(count)
    binomials = np.array([math.lgamma(n + 1) - math.lgamma(v + 1) - math.lgamma(n - v + 1) for v in powers])
    exponents = jnp.asarray(binomials, log_x.dtype) + log_x[..., None] * powers + log_rest[..., None] * powers[::-1]
    return jnp.exp(exponents)
