"""Power profiles put together from stored moving averages, after the training (Karras et al. 2023, section 3 and C).

A moving average with a power profile of exponent gamma, kept at time T, holds the density
``p(t) = (gamma + 1) t^gamma / T^(gamma + 1)`` of the training up to T. Any other profile is approximated by a
combination of several, ``A x = b`` with the inner products of the densities, in the least-squares sense, and then
``sum x = 1``. From raw checkpoints such an average follows from `profiles.power`, without moving averages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from atomloom.errors import ConfigError
from atomloom_residues.profiles import Weights


class Snapshot(NamedTuple):
    """A moving average as it was kept.

    Args:
        time: when, from the start of the training.
        gamma: its exponent.
    """

    time: float
    gamma: float


def product(one: Snapshot, other: Snapshot) -> float:
    """The integral of two densities: ``(a + 1) (b + 1) min(S, T)^(a + b + 1) / ((a + b + 1) S^(a + 1) T^(b + 1))``.

    >>> product(Snapshot(1.0, 0.0), Snapshot(2.0, 0.0))
    0.5
    """
    (s, a), (t, b) = one, other
    first = min(s, t)
    ratios: float = (first / s) ** (a + 1) * (first / t) ** (b + 1)  # of whole powers, which cannot overflow
    return (a + 1) * (b + 1) / (a + b + 1) * ratios / first


def combine(kept: Sequence[Snapshot], wanted: Snapshot) -> Weights:
    """Weights of the kept averages whose sum comes nearest to the wanted one.

    >>> combine([Snapshot(1.0, 6.94), Snapshot(2.0, 6.94), Snapshot(2.0, 16.97)], Snapshot(2.0, 6.94)).round(8) + 0.0
    array([0., 1., 0.])
    """
    if not kept or any(each.time <= 0 or each.gamma < 0 for each in (*kept, wanted)):
        found = "there are none" if not kept else "a time is not above zero, or an exponent below it"
        raise ConfigError("put a profile together from moving averages", found, "Give times and exponents as kept")
    matrix = np.array([[product(one, other) for other in kept] for one in kept])
    right = np.array([product(one, wanted) for one in kept])
    solution, *_ = np.linalg.lstsq(matrix, right, rcond=1e-13)
    weights: Weights = solution / solution.sum()
    return weights
