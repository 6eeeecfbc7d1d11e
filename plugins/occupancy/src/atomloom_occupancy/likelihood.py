"""Read's maximum-likelihood target on amplitudes, and its two parameters in each resolution shell.

With X = 2 alpha F_o |F_c| / (epsilon beta), the negative logarithm of the likelihood of one amplitude is::

    acentric   -log(2 F_o / (epsilon beta)) + (F_o^2 + alpha^2 |F_c|^2) / (epsilon beta) - log I0(X)
    centric    log(pi epsilon beta / 2) / 2 + (F_o^2 + alpha^2 |F_c|^2) / (2 epsilon beta) - log cosh(X / 2)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import i0e, i1e

from atomloom.data.columns import Array, Indices

_ROUNDS = 2000
_MOVED = 1e-9
_TINY = 1e-12


@dataclass(frozen=True)
class Errors:
    """How far F_model is from the truth.

    Args:
        alpha: (reflections,) the share of F_model that is right.
        beta: (reflections,) the variance that is left, epsilon included.
    """

    alpha: Array
    beta: Array


@dataclass(frozen=True)
class Amplitudes:
    """Observed amplitudes as targets see them: amplitude, epsilon and centric, each (reflections,)."""

    amplitude: Array
    epsilon: Array
    centric: Array

    def take(self, picked: Array) -> Amplitudes:
        """Some of them."""
        return Amplitudes(self.amplitude[picked], self.epsilon[picked], self.centric[picked])


class MaximumLikelihood:
    """The target with its parameters held; `value`, `slope` and `curvature` are functions of |F_model|."""

    def __init__(self, observed: Amplitudes, errors: Errors) -> None:
        half = np.where(observed.centric, 0.5, 1.0)
        self._observed, self._errors = observed, errors
        self._square = half * errors.alpha**2 / errors.beta
        self._cross = 2 * half * errors.alpha * observed.amplitude / errors.beta
        fo = np.maximum(observed.amplitude, _TINY)
        acentric = -np.log(2 * fo / errors.beta)
        constant = np.where(observed.centric, 0.5 * np.log(np.pi * errors.beta / 2), acentric)
        self._constant = constant + half * fo**2 / errors.beta

    def value(self, amplitude: Array) -> float:
        """The sum over all reflections."""
        x = self._cross * amplitude
        peak = np.where(self._observed.centric, x + np.log1p(np.exp(-2 * x)) - np.log(2), np.log(i0e(x)) + x)
        return float(np.sum(self._constant + self._square * amplitude**2 - peak))

    def slope(self, amplitude: Array) -> Array:
        """(reflections,) the derivative by |F_model|."""
        merit = figure_of_merit(self._cross * amplitude, self._observed.centric)
        return np.asarray(2 * self._square * amplitude - self._cross * merit)

    def curvature(self, amplitude: Array) -> Array:
        """(reflections,) the second derivative by |F_model|."""
        x = self._cross * amplitude
        m = figure_of_merit(x, self._observed.centric)
        ratio = np.where(x > _TINY, m / np.maximum(x, _TINY), 0.5)
        change = np.where(self._observed.centric, 1 - m**2, 1 - ratio - m**2)
        return np.asarray(2 * self._square - self._cross**2 * change)


class LeastSquares:
    """The sum of w (F_o - |F_model|)^2 / 2, so that it is a negative logarithm of a likelihood too.

    Args:
        observed: the amplitudes.
        variance: (reflections,) 1 / w.
    """

    def __init__(self, observed: Amplitudes, variance: Array) -> None:
        self._observed, self._weight = observed.amplitude, 1 / variance
        self._constant = float(np.sum(np.log(2 * np.pi * variance))) / 2

    def value(self, amplitude: Array) -> float:
        """The sum over all reflections."""
        return float(np.sum(self._weight * (self._observed - amplitude) ** 2)) / 2 + self._constant

    def slope(self, amplitude: Array) -> Array:
        """(reflections,) the derivative by |F_model|."""
        return np.asarray(self._weight * (amplitude - self._observed))

    def curvature(self, amplitude: Array) -> Array:
        """(reflections,) the second derivative by |F_model|."""
        return np.broadcast_to(self._weight, amplitude.shape)


Target = MaximumLikelihood | LeastSquares


def figure_of_merit(x: Array, centric: Array) -> Array:
    """I1(x) / I0(x), and tanh(x) for centric reflections.

    >>> figure_of_merit(np.array([0.0, 2.0]), np.array([False, True])).round(3).tolist()
    [0.0, 0.964]
    """
    return np.asarray(np.where(centric, np.tanh(x), i1e(x) / i0e(x)))


def estimate_errors(observed: Amplitudes, amplitude: Array, shell: Indices, free: Array) -> Errors:
    """Alpha and beta of every shell that are most likely for the free reflections, by expectation maximisation.

    Args:
        observed: all reflections.
        amplitude: (reflections,) |F_model|.
        shell: (reflections,) numbers from 0.
        free: (reflections,) True for those that count.
    """
    count, mine = int(shell.max()) + 1, shell[free]
    seen, calculated = observed.take(free), amplitude[free]
    weight = np.where(seen.centric, 0.5, 1.0)
    fo, fc = seen.amplitude / np.sqrt(seen.epsilon), calculated / np.sqrt(seen.epsilon)

    def total(values: Array) -> Array:
        return np.bincount(mine, weight * values, count)

    number, norm = total(np.ones_like(fo)), total(fc**2)
    alpha = total(fo * fc) / norm
    beta = total((fo - alpha[mine] * fc) ** 2) / number + _TINY * total(fo**2) / number
    for _ in range(_ROUNDS):
        x = 2 * weight * alpha[mine] * fo * fc / beta[mine]
        merit = figure_of_merit(x, seen.centric)
        before = alpha, beta
        alpha = total(merit * fo * fc) / norm
        beta = total(fo**2 - 2 * alpha[mine] * merit * fo * fc + (alpha[mine] * fc) ** 2) / number
        if np.all(np.abs(alpha - before[0]) <= _MOVED) and np.all(np.abs(beta - before[1]) <= _MOVED * beta):
            break
    return Errors(alpha[shell], beta[shell] * observed.epsilon)


def variance_by_shell(observed: Amplitudes, amplitude: Array, shell: Indices, free: Array) -> Array:
    """(reflections,) the mean of (F_o - |F_model|)^2 over the free reflections of the shell, the weights of `ls`."""
    mine, count = shell[free], int(shell.max()) + 1
    square = (observed.amplitude - amplitude)[free] ** 2
    return np.asarray((np.bincount(mine, square, count) / np.bincount(mine, minlength=count))[shell])
