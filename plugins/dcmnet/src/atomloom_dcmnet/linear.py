"""Charges of given places that fit a potential best: linear least squares under the total charge.

With A_gs = k / |g - r_s| the charges q minimise |A q - V|^2 + ridge |q|^2 and add up to Q, exactly. The sum is taken
out first: q = Q/n + B y, where the columns of B are an orthonormal basis of all charges that add up to zero.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.units import factor

KCAL_ANGSTROM = factor("hartree", "kcal/mol") * factor("bohr", "angstrom")
"""The potential of one e at one angstrom, in (kcal/mol)/e."""

RIDGE = 1e-4
"""How much the square of a charge in e counts beside the squares of errors in (kcal/mol)/e."""

Array = NDArray[Any]


class Charged(NamedTuple):
    """Charges with what they leave of a potential.

    Args:
        charges: in e ``[sites]``.
        rmse: of the points, in (kcal/mol)/e.
    """

    charges: Array
    rmse: float


def matrix(points: Array, places: Array) -> Array:
    """k / |point - place| in (kcal/mol)/e for one e ``[points, places]``.

    >>> float(matrix(np.array([[0.0, 0.0, 2.0]]), np.zeros((1, 3)))[0, 0].round(3))
    166.032
    """
    apart = points[:, None] - places
    values: Array = KCAL_ANGSTROM / np.sqrt(np.einsum("gsx,gsx->gs", apart, apart))
    return values


def fit_charges(points: Array, values: Array, places: Array, total: float, ridge: float = RIDGE) -> Charged:
    """The charges at `places` that fit `values` in (kcal/mol)/e at `points` best; see the module.

    >>> places = np.array([[0.0, 0.0, -0.5], [0.0, 0.0, 0.5]])
    >>> points = 3.0 * np.random.default_rng(0).normal(size=(50, 3))
    >>> found = fit_charges(points, matrix(points, places) @ [0.3, 0.7], places, total=1.0)
    >>> found.charges.round(3).tolist()
    [0.3, 0.7]
    """
    return fit_columns(matrix(points, places), values, total, ridge)


def fit_columns(whole: Array, values: Array, total: float, ridge: float = RIDGE) -> Charged:
    """The same with the potential of one e at each place as the columns of a matrix ``[points, places]``."""
    basis, start = free(whole.shape[1]), total / whole.shape[1]
    stacked = np.vstack([whole @ basis, ridge**0.5 * np.eye(basis.shape[1])])
    wanted = np.concatenate([values - start * whole.sum(axis=1), np.zeros(basis.shape[1])])
    charges = exact(start + basis @ np.linalg.lstsq(stacked, wanted, rcond=None)[0], total)
    return Charged(charges, root_mean_square(whole @ charges - values))


@cache
def free(count: int) -> Array:
    """An orthonormal basis of so many charges that add up to zero, ``[count, count - 1]``.

    >>> free(2).round(4).tolist()
    [[-0.7071], [0.7071]]
    """
    corner = np.eye(count)
    corner[:, 0] = 1.0
    basis: Array = np.linalg.qr(corner)[0][:, 1:]
    return basis if count < 2 or basis[-1, -1] > 0 else -basis


def exact(charges: Array, total: float) -> Array:
    """The charges with what rounding takes from their sum given to the first."""
    corrected = charges.copy()
    corrected[0] += total - charges.sum()
    return corrected


def root_mean_square(values: Array) -> float:
    """sqrt(mean of the squares)."""
    return float(np.sqrt(np.mean(np.square(values))))
