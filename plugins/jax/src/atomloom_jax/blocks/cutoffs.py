"""Functions that fade to zero at a distance: 1 at r = 0, and 0 for r at or beyond the cutoff.

With x = r / cutoff:

============ ================================================================ ======================================
cosine       (1 + cos(pi x)) / 2                                              first derivative zero at the cutoff
polynomial   1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2)         first and second derivatives zero
bump         exp(-x^2 / (1 - x^2))                                            all derivatives zero
============ ================================================================ ======================================

An energy that is multiplied by one of these, and its forces, are continuous when an atom crosses the cutoff; training
on forces differentiates once more, for which `cosine` has a step. Distances and cutoffs share a unit, here angstrom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

Cutoff = Callable[[jax.Array, float], jax.Array]


def cosine(distances: jax.Array, cutoff: float) -> jax.Array:
    """(1 + cos(pi r / cutoff)) / 2, of Behler and Parrinello.

    >>> print(jax.device_get(cosine(jnp.array([0.0, 2.5, 5.0]), 5.0)).round(4))
    [1.  0.5 0. ]
    """
    fraction, inside = _within(distances, cutoff)
    return jnp.where(inside, (1 + jnp.cos(jnp.pi * fraction)) / 2, 0.0)


def polynomial(distances: jax.Array, cutoff: float, power: int = 3) -> jax.Array:
    """1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2) with x = r / cutoff.

    A power p of 3 is the cutoff function of PhysNet, 1 - 10 x^3 + 15 x^4 - 6 x^5; larger ones keep longer to 1.

    >>> polynomial(jnp.array([0.0, 2.5, 5.0]), 5.0).tolist()
    [1.0, 0.5, 0.0]
    """
    x, inside = _within(distances, cutoff)
    p = power
    factor = (p + 1) * (p + 2) / 2 - x * (p * (p + 2) - x * (p * (p + 1) / 2))
    return jnp.where(inside, 1 - x**p * factor, 0.0)


def bump(distances: jax.Array, cutoff: float) -> jax.Array:
    """exp(-x^2 / ((1 - x) (1 + x))) with x = r / cutoff, which has derivatives of every order.

    >>> print(jax.device_get(bump(jnp.array([0.0, 2.5, 5.0]), 5.0)).round(4))
    [1.     0.7165 0.    ]
    """
    x, inside = _within(distances, cutoff)
    return jnp.where(inside, jnp.exp(-(x**2) / ((1 - x) * (1 + x))), 0.0)


CUTOFFS: Mapping[str, Cutoff] = {"bump": bump, "cosine": cosine, "polynomial": polynomial}
"""By name, for the configurations of models."""


def _within(distances: jax.Array, cutoff: float) -> tuple[jax.Array, jax.Array]:
    """r / cutoff, with 0 in place of what is beyond, and where it is not: derivatives at the pole would be NaN."""
    inside = distances < cutoff
    return jnp.where(inside, distances, 0.0) / cutoff, inside
