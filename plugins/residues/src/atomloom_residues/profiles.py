"""Weights of checkpoints in an average, by how the profile of the average lies over the training.

A checkpoint stands for the time since the one before it, so its weight is what the profile holds of that gap:
``w_k = Phi(t_k) - Phi(t_{k-1})``, where Phi is the profile's integral from the start of the training, 0, to its end, 1.
Uneven gaps then count as what they are.

==============  ================================  =====================================================================
`power`         Phi = (t / T)^(gamma + 1)         Karras et al. 2023 (EDM2); the width is a share of the training
`exponential`   Phi ~ exp(-(T - t) / h)           a moving average with a decay for each step, less its start
`debiased`      d^(K - k) (1 - d) / (1 - d^K)     the same with a decay for each file, whatever lies between them
`last`          1 / k for the last k files        stochastic weight averaging, LAWA
`legacy`        d^(K - 1) for the first file      ``ema = d * ema + (1 - d) * current``, started from the first file
==============  ================================  =====================================================================
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from atomloom.errors import ConfigError

Weights = NDArray[np.float64]

WIDEST = 1 / math.sqrt(12)
"""The relative width of the power profile with gamma = 0, which is uniform."""


class Spread(NamedTuple):
    """What weights come to.

    Args:
        effective: number of checkpoints, ``1 / sum w^2``.
        oldest, newest: weights of the first and of the last file.
    """

    effective: float
    oldest: float
    newest: float

    @classmethod
    def of(cls, weights: Weights) -> Spread:
        """Of weights from the oldest file to the newest.

        >>> Spread.of(np.array([0.5, 0.5])).effective
        2.0
        """
        return cls(float(1.0 / np.square(weights).sum()), float(weights[0]), float(weights[-1]))


def power(times: npt.ArrayLike, gamma: float) -> Weights:
    """``(t_k / T)^(gamma + 1) - (t_{k-1} / T)^(gamma + 1)`` with t_0 = 0.

    Args:
        times: since the start of the training, ascending, in any unit.
        gamma: see `gamma_of`.

    >>> power([1, 2], 1.0).tolist()
    [0.25, 0.75]
    """
    ends = np.asarray(times, dtype=np.float64)
    return np.diff((ends / ends[-1]) ** (gamma + 1.0), prepend=0.0)


def gamma_of(sigma_rel: float) -> float:
    """The gamma of the power profile of a relative width: sigma_rel^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3)).

    >>> round(gamma_of(0.15), 3)
    3.558
    """
    if not 0 < sigma_rel <= WIDEST:
        found = f"{sigma_rel:g} is not in the range above 0 and up to 1/sqrt(12) = {WIDEST:.3f}, which is uniform"
        raise ConfigError("use the relative width of a power profile", found, "Try `--sigma-rel 0.15`")
    inverse = sigma_rel**-2
    return max(float(np.roots([1.0, 7.0, 16.0 - inverse, 12.0 - inverse]).real.max()), 0.0)


def exponential(times: npt.ArrayLike, decay: float) -> Weights:
    """``d^(T - t_k) (1 - d^(t_k - t_{k-1})) / (1 - d^T)`` with t_0 = 0: a moving average from the start.

    Args:
        times: in the unit that the decay is for, ascending.
        decay: d, above 0 and below 1.

    >>> exponential([1, 2], 0.5).round(4).tolist()
    [0.3333, 0.6667]
    """
    ends, rate = np.asarray(times, dtype=np.float64), math.log(_checked(decay))
    gaps = np.diff(ends, prepend=0.0)
    weights: Weights = np.exp(rate * (ends[-1] - ends)) * np.expm1(rate * gaps) / np.expm1(rate * ends[-1])
    return weights


def debiased(count: int, decay: float) -> Weights:
    """``d^(K - k) (1 - d) / (1 - d^K)`` for k = 1 ... K: a moving average over files, divided by the weight it has.

    >>> debiased(2, 0.5).round(4).tolist()
    [0.3333, 0.6667]
    """
    return exponential(np.arange(1, count + 1), decay)


def last(count: int, kept: int) -> Weights:
    """Equal weights of the last files.

    >>> last(4, 2).tolist()
    [0.0, 0.0, 0.5, 0.5]
    """
    if not 1 <= kept <= count:
        found = f"there are {count} of them"
        raise ConfigError(f"average the last {kept} checkpoints", found, f"Give a number from 1 to {count}")
    return np.where(np.arange(count) >= count - kept, 1.0 / kept, 0.0)


def legacy(count: int, decay: float) -> Weights:
    """``ema = d * ema + (1 - d) * current`` over files, started from the first: d^(K - 1) of that.

    >>> legacy(3, 0.5).tolist()
    [0.25, 0.25, 0.5]
    """
    powers = _checked(decay) ** np.arange(count - 1, -1, -1, dtype=np.float64)
    return powers * np.where(np.arange(count) == 0, 1.0, 1.0 - decay)


def _checked(decay: float) -> float:
    if not 0 < decay < 1:
        raise ConfigError("use the decay of a moving average", f"{decay:g} is not between 0 and 1", "Try 0.999")
    return decay
