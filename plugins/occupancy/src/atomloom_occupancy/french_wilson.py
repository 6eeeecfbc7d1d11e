"""Amplitudes from intensities that may be negative (French & Wilson 1978, Acta Cryst. A34, 517).

An intensity measured as I with the uncertainty sigma is thought to be J >= 0 with the prior of Wilson's statistics,
exp(-J / S) for acentric and exp(-J / 2S) / sqrt(J) for centric reflections, where S is epsilon times the mean intensity
around its resolution. The amplitude is the mean of sqrt(J) then, and its uncertainty the standard deviation.
"""

from __future__ import annotations

import gemmi
import numpy as np

from atomloom.data.columns import Array

NOTE = "Amplitudes are those that French and Wilson's method makes of the intensities."

_POINTS = 96
_WIDTH = 7.0  # sigmas to either side, beyond which a normal density is nothing


def amplitudes(intensity: Array, sigma: Array, mean: Array, centric: Array) -> tuple[Array, Array]:
    """(reflections,) amplitudes and their standard uncertainties.

    Args:
        intensity: (reflections,)
        sigma: (reflections,) above zero.
        mean: (reflections,) epsilon times the mean intensity at this resolution.
        centric: (reflections,) a mask.

    >>> strong, _ = amplitudes(np.array([1e4]), np.array([1.0]), np.array([1e4]), np.array([False]))
    >>> float(strong[0].round(2))
    100.0
    """
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    peak = np.maximum(intensity - np.where(centric, 0.5, 1.0) * sigma**2 / mean, 0.0)
    low = np.sqrt(np.maximum(peak - _WIDTH * sigma, 0.0))
    high = np.sqrt(peak + _WIDTH * sigma)
    f = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * nodes
    # The integral runs over F with dJ = 2 F dF, which takes the centric prior's pole away.
    prior = np.where(
        centric[:, None], -(f**2) / (2 * mean[:, None]), np.log(np.maximum(f, 1e-300)) - f**2 / mean[:, None]
    )
    log_density = prior - (intensity[:, None] - f**2) ** 2 / (2 * sigma[:, None] ** 2)
    density = weights * np.exp(log_density - log_density.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    first = np.sum(density * f, axis=1)
    return first, np.sqrt(np.sum(density * (f - first[:, None]) ** 2, axis=1))


def of_crystal(
    intensity: Array, sigma: Array, hkl: Array, cell: gemmi.UnitCell, group: gemmi.SpaceGroup
) -> tuple[Array, Array]:
    """(reflections,) amplitudes and their standard uncertainties of the unique reflections of a crystal.

    Args:
        intensity: (reflections,)
        sigma: (reflections,) above zero.
        hkl: (reflections, 3)
        cell: of the data.
        group: their space group.
    """
    hkl, operations = np.ascontiguousarray(hkl, dtype=np.int32), group.operations()
    epsilon = np.asarray(operations.epsilon_factor_without_centering_array(hkl), dtype=np.float64)
    mean = mean_intensity(intensity, epsilon, np.asarray(cell.calculate_d_array(hkl)))
    return amplitudes(intensity, sigma, mean, np.asarray(operations.centric_flag_array(hkl)))


def mean_intensity(intensity: Array, epsilon: Array, d: Array) -> Array:
    """(reflections,) epsilon times the mean intensity around each resolution, at least a little above zero."""
    order = np.argsort(d)
    parts = np.array_split(order, max(1, len(order) // _PER_SHELL))
    at = np.array([np.mean(1 / d[part] ** 2) for part in parts])
    means = np.array([np.mean(intensity[part] / epsilon[part]) for part in parts])
    floor = _FLOOR * max(float(np.mean(np.abs(intensity))), 1e-300)
    return np.asarray(epsilon * np.interp(1 / d**2, at[::-1], np.maximum(means, floor)[::-1]))


_PER_SHELL = 200
_FLOOR = 1e-3
