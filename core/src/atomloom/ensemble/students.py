"""Student's t distribution with a whole number of degrees of freedom, in closed form (Abramowitz & Stegun 26.7).

It is how an error is distributed that is measured by a standard deviation from few values: with n of them, and n - 1
degrees of freedom, it has longer tails than the normal distribution, and comes close to it from about thirty on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ONE_SIGMA = math.erf(math.sqrt(0.5))
"""The probability of being within one standard deviation of the mean of a normal distribution, 0.6827."""


def within(t: Floats | float, dof: int) -> Floats:
    """P(|T| <= t): the probability of values up to `t` in size.

    >>> float(within(1.0, 1).round(3)), float(within(2.0, 4).round(4))  # the first is 2 arctan(1) / pi
    (0.5, 0.8839)
    """
    angle = np.arctan(np.asarray(t, dtype=np.float64) / math.sqrt(dof))
    sine, square = np.sin(angle), np.cos(angle) ** 2
    odd = dof % 2
    term = np.cos(angle) if odd else np.ones_like(angle)
    total = np.zeros_like(angle)
    for power in range(2 + odd, dof + 1, 2):
        total = total + term
        term = term * square * (power - 1) / power
    found: Floats = (angle + sine * total) * 2 / math.pi if odd else sine * total
    return found


def half_width(probability: float, dof: int) -> float:
    """The inverse of `within`: how far to either side of the middle values lie with this probability.

    >>> round(half_width(0.5, 1), 6), round(half_width(ONE_SIGMA, 3), 4), round(half_width(ONE_SIGMA, 300), 3)
    (1.0, 1.1969, 1.002)
    """
    low, high = 0.0, 1.0
    while within(high, dof) < probability:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if within(middle, dof) < probability else (low, middle)
    return high


def neg_log_density(t: Floats, dof: int) -> Floats:
    """-log p(t).

    >>> neg_log_density(np.zeros(1), 1).round(6)  # log pi
    array([1.14473])
    """
    constant = math.lgamma(dof / 2) - math.lgamma((dof + 1) / 2) + math.log(dof * math.pi) / 2
    found: Floats = constant + (dof + 1) / 2 * np.log1p(t**2 / dof)
    return found
