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
_NEWTON = 50
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

    def coefficients(self) -> dict[str, Array]:
        """What `each` is made of: constant + square F^2 - log I0(cross F), log cosh where `kind` is 1."""
        kind = np.where(self._observed.centric, 1.0, 0.0)
        return {"constant": self._constant, "square": self._square, "cross": self._cross, "kind": kind}

    def each(self, amplitude: Array) -> Array:
        """(reflections,)"""
        x = self._cross * amplitude
        peak = np.where(self._observed.centric, x + np.log1p(np.exp(-2 * x)) - np.log(2), np.log(i0e(x)) + x)
        return np.asarray(self._constant + self._square * amplitude**2 - peak)

    def value(self, amplitude: Array) -> float:
        """The sum over all reflections."""
        return float(np.sum(self.each(amplitude)))

    def slope(self, amplitude: Array) -> Array:
        """(reflections,) the derivative by |F_model|."""
        merit = figure_of_merit(self._cross * amplitude, self._observed.centric)
        return np.asarray(2 * self._square * amplitude - self._cross * merit)

    def curvature(self, amplitude: Array) -> Array:
        """(reflections,) the second derivative by |F_model|."""
        x = self._cross * amplitude
        return np.asarray(2 * self._square - self._cross**2 * merit_slope(x, self._observed.centric))


class LeastSquares:
    """The sum of w (F_o - |F_model|)^2 / 2, so that it is a negative logarithm of a likelihood too.

    Args:
        observed: the amplitudes.
        variance: (reflections,) 1 / w.
    """

    def __init__(self, observed: Amplitudes, variance: Array) -> None:
        self._observed, self._weight = observed.amplitude, 1 / variance
        self._constant = np.log(2 * np.pi * variance) / 2

    def coefficients(self) -> dict[str, Array]:
        """What `each` is made of: constant + square F^2 - cross F, as `kind` -1 says."""
        constant = self._constant + self._weight * self._observed**2 / 2
        cross, kind = self._weight * self._observed, np.full(len(constant), -1.0)
        return {"constant": constant, "square": self._weight / 2, "cross": cross, "kind": kind}

    def each(self, amplitude: Array) -> Array:
        """(reflections,)"""
        return np.asarray(self._weight * (self._observed - amplitude) ** 2 / 2 + self._constant)

    def value(self, amplitude: Array) -> float:
        """The sum over all reflections."""
        return float(np.sum(self.each(amplitude)))

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


def merit_slope(x: Array, centric: Array) -> Array:
    """The derivative of `figure_of_merit`.

    >>> merit_slope(np.array([0.0, 0.0]), np.array([False, True])).tolist()
    [0.5, 1.0]
    """
    m = figure_of_merit(x, centric)
    ratio = np.where(x > _TINY, m / np.maximum(x, _TINY), 0.5)
    return np.asarray(np.where(centric, 1 - m**2, 1 - ratio - m**2))


def estimate_errors(observed: Amplitudes, amplitude: Array, shell: Indices, free: Array) -> Errors:
    """Alpha and beta of every shell that are most likely for the free reflections, by expectation maximisation.

    Args:
        observed: all reflections.
        amplitude: (reflections,) |F_model|.
        shell: (reflections,) numbers from 0.
        free: (reflections,) True for those that count.
    """
    fitted = _Shelled(observed.take(free), amplitude[free], shell[free], int(shell.max()) + 1)
    alpha, beta = fitted.start()
    for _ in range(_ROUNDS):
        before = alpha, beta
        alpha, beta = fitted.improved(alpha, beta)
        if np.all(np.abs(alpha - before[0]) <= _MOVED) and np.all(np.abs(beta - before[1]) <= _MOVED * beta):
            break
    return Errors(alpha[shell], beta[shell] * observed.epsilon)


def rescaled(observed: Amplitudes, amplitude: Array, errors: Errors, shell: Indices, work: Array) -> Errors:
    """The same beta, and the alpha of every shell that is most likely for the reflections of the work set.

    Alpha stands beside the scale of its shell, which the work set determines far better than the few free reflections.
    Taken from those, its error would be one of all occupancies that change the scattering of the whole crystal.

    Args:
        observed: all reflections.
        amplitude: (reflections,) |F_model|.
        errors: from the free reflections.
        shell: (reflections,) numbers from 0, those of the scale.
        work: (reflections,) True for those that count.
    """
    seen, count, mine = observed.take(work), int(shell.max()) + 1, shell[work]
    half = np.where(seen.centric, 0.5, 1.0)
    square, cross = (
        2 * half * each * amplitude[work] / errors.beta[work] for each in (amplitude[work], seen.amplitude)
    )
    alpha = np.bincount(mine, cross, count) / np.bincount(mine, square, count)
    for _ in range(_NEWTON):
        x = alpha[mine] * cross
        slope = np.bincount(mine, alpha[mine] * square - cross * figure_of_merit(x, seen.centric), count)
        bend = np.bincount(mine, square - cross**2 * merit_slope(x, seen.centric), count)
        step = -slope / np.where(bend > 0, bend, np.bincount(mine, square, count))
        alpha = np.maximum(alpha + step, alpha / 2)
        if np.all(np.abs(step) <= _MOVED * alpha):
            break
    return Errors(alpha[shell], errors.beta)


class _Shelled:
    """Amplitudes by shells, freed of epsilon, for expectation maximisation of alpha and beta."""

    def __init__(self, seen: Amplitudes, calculated: Array, shell: Indices, count: int) -> None:
        self._shell, self._count, self._centric = shell, count, seen.centric
        self._weight = np.where(seen.centric, 0.5, 1.0)
        self._observed, self._calculated = (each / np.sqrt(seen.epsilon) for each in (seen.amplitude, calculated))
        self._number, self._norm = self._total(np.ones_like(calculated)), self._total(self._calculated**2)
        self._least = _TINY * self._total(self._observed**2) / self._number

    def _total(self, values: Array) -> Array:
        return np.bincount(self._shell, self._weight * values, self._count)

    def start(self) -> tuple[Array, Array]:
        """(shells,) alpha and beta as if all phases were right."""
        alpha = self._total(self._observed * self._calculated) / self._norm
        off = self._observed - alpha[self._shell] * self._calculated
        return alpha, self._total(off**2) / self._number + self._least

    def improved(self, alpha: Array, beta: Array) -> tuple[Array, Array]:
        """(shells,) alpha and beta after one round."""
        shown = alpha[self._shell] * self._calculated
        merit = figure_of_merit(2 * self._weight * shown * self._observed / beta[self._shell], self._centric)
        alpha = self._total(merit * self._observed * self._calculated) / self._norm
        shown = alpha[self._shell] * self._calculated
        left = self._observed**2 - 2 * merit * self._observed * shown + shown**2
        return alpha, self._total(left) / self._number


def variance_by_shell(observed: Amplitudes, amplitude: Array, shell: Indices, free: Array) -> Array:
    """(reflections,) the mean of (F_o - |F_model|)^2 over the free reflections of the shell, the weights of `ls`."""
    mine, count = shell[free], int(shell.max()) + 1
    square = (observed.amplitude - amplitude)[free] ** 2
    return np.asarray((np.bincount(mine, square, count) / np.bincount(mine, minlength=count))[shell])
