"""Standard uncertainties from the Hessian on the constraints that hold, and directions that the data leave open.

With N a basis of the directions that keep A p = b and the p at their bounds, the covariance is N (N' H N)^-1 N'. The
scale of every shell, its solvent and the anisotropy are among the parameters, since they were estimated from the same
data. With the B of every state freed as well, F_g turns into F_g exp(-B s^2 / 4), which adds as many parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from atomloom.data.columns import Array, Indices
from atomloom_occupancy.active_set import tangent
from atomloom_occupancy.objective import curvature
from atomloom_occupancy.refining import Refined
from atomloom_occupancy.transform import Complex

AT_BOUND = 1e-7
"""Occupancies and slacks below this are at their bound."""

FLAT = 1e-5
"""Curvature, relative to that of the best determined occupancy, below which a direction is flat."""

_NAMED = 0.05
_LEAST_Q = 0.02
_SINGULAR = 1e-10
_HELD = 1e-20  # variance of an occupancy that a sum holds at its bound


@dataclass(frozen=True)
class Uncertainty:
    """How well each state is determined.

    Args:
        fixed_b: (states,) standard uncertainty with B held; NaN at a bound and along flat directions.
        free_b: (states,) the same with the B of every state freed.
        correlation: (states, states) of the occupancies with B held; NaN where there is none.
        correlation_with_b: (states,) of each occupancy with its own B.
        esd_of_b: (states,) standard uncertainty of each B, in angstrom^2, with the B of every state freed.
        bound: (states,) ``"0"``, the cap, or nothing.
        flat: the numbers of the states that each flat direction moves.
    """

    fixed_b: Array
    free_b: Array
    correlation: Array
    correlation_with_b: Array
    esd_of_b: Array
    bound: tuple[str, ...]
    flat: tuple[tuple[int, ...], ...]

    def partner(self, state: int, without: frozenset[int]) -> int | None:
        """The state whose occupancy goes most along with this one's, apart from those that a sum ties to it."""
        row = np.abs(np.nan_to_num(self.correlation[state]))
        row[[state, *without]] = 0
        best = int(np.argmax(row))
        return best if row[best] > 0 else None


def uncertainties(refined: Refined) -> Uncertainty:
    """Standard uncertainties, correlations and flat directions at the end of a refinement."""
    states = refined.form.states
    basis = tangent(refined.form.matrix, refined.point < AT_BOUND)
    _, flat = _inverse(refined.local.hessian, basis)
    open_ends = _apart(flat[:states])
    loose = sorted({state for each in open_ends for state in each})
    scales, tried = scale_slopes(refined), np.flatnonzero(refined.point[:states] > _LEAST_Q)
    covariance = _covariance(refined, basis, scales)
    of_displacements = _b_slopes(refined, tried)
    with_b = _covariance(refined, basis, np.concatenate([of_displacements, scales]))
    fixed, free = _spread(covariance), _spread(with_b)
    for each in (fixed, free):
        each[loose] = np.nan
    free[:states][~np.isfinite(fixed[:states])] = np.nan
    own, of_b = np.full(states, np.nan), np.full(states, np.nan)
    size = len(refined.point)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance[:states, :states] / np.outer(fixed[:states], fixed[:states])
        places = size + np.arange(len(tried))
        own[tried] = with_b[tried, places] / (free[tried] * free[places])
    of_b[tried] = free[places] * _units(refined, of_displacements)[:, 0]
    return Uncertainty(fixed[:states], free[:states], correlation, own, of_b, _bounds(refined), open_ends)


def _inverse(hessian: Array, basis: Array) -> tuple[Array, Array]:
    """The covariance within `basis` without its flat directions, and these as columns."""
    values, vectors = np.linalg.eigh(basis.T @ hessian @ basis)
    kept = values > FLAT * max(float(np.diag(hessian).max(initial=0.0)), 1e-300)
    along = basis @ vectors
    inverse = along[:, kept] / values[kept] @ along[:, kept].T
    return np.asarray(inverse), np.asarray(along[:, ~kept])


def _units(refined: Refined, extra: Complex) -> Array:
    """(extra, 1) the change of a further parameter that moves F as far as a usual occupancy does."""
    usual = float(np.median(np.linalg.norm(refined.objective.slopes, axis=1)))
    return np.asarray(usual / np.maximum(np.linalg.norm(extra, axis=1, keepdims=True), 1e-300))


def freed_scales(refined: Refined) -> Array:
    """(states, states) what curvature the occupancies lose when scales and solvent are free as well."""
    states, size = refined.form.states, len(refined.point)
    hessian = _hessian(refined, scale_slopes(refined))
    cross, inner = hessian[:states, size:], hessian[size:, size:]
    return np.asarray(cross @ np.linalg.pinv(inner, rcond=_SINGULAR, hermitian=True) @ cross.T)


def _covariance(refined: Refined, basis: Array, extra: Complex) -> Array:
    """(states + slacks + extra, the same) the covariance when these further derivatives of F_model are freed too."""
    size, count = len(refined.point), len(extra)
    widened = np.zeros((size + count, basis.shape[1] + count))
    widened[:size, : basis.shape[1]] = basis
    widened[size:, basis.shape[1] :] = np.eye(count)
    return _inverse(_hessian(refined, extra), widened)[0]


def _hessian(refined: Refined, extra: Complex) -> Array:
    """(states + slacks + extra, the same) the Hessian with these further derivatives of F_model.

    Further parameters count in units in which they move F as far as an occupancy does, and without second derivatives
    of F_model: this is the curvature that one expects.
    """
    states, size, count = refined.form.states, len(refined.point), len(extra)
    slopes = refined.objective.slopes
    both = np.concatenate([slopes, extra * _units(refined, extra)])
    model = refined.objective.model(refined.point[:states])
    hessian = np.zeros((size + count, size + count))
    places = np.concatenate([np.arange(states), size + np.arange(count)])
    hessian[np.ix_(places, places)] = curvature(refined.objective.target, model, both.real, both.imag)
    hessian[range(states), range(states)] += 2 * refined.objective.restraint.weight
    return hessian


def scale_slopes(refined: Refined) -> Complex:
    """(parameters, reflections) of the scale of each shell, its solvent where there is any, and anisotropy."""
    crystal, scale, work = refined.crystal, refined.after.scale, refined.crystal.data.work
    shell = crystal.lattice.shell[work]
    of_shell = (np.arange(int(shell.max()) + 1)[:, None] == shell).astype(np.float64)
    model = refined.objective.model(refined.point[: refined.form.states])
    solvent = of_shell[(of_shell @ scale.mask[work]) > 0] * (scale.total * crystal.masked)[work]
    return np.concatenate([of_shell * model, solvent, crystal.lattice.terms[work].T * model])


def _b_slopes(refined: Refined, tried: Indices) -> Complex:
    """(tried, reflections) the derivative of F_model by the B of these states."""
    data = refined.crystal.data
    return np.asarray(-(0.25 / data.d[data.work] ** 2) * refined.point[tried, None] * refined.objective.slopes[tried])


def _spread(covariance: Array) -> Array:
    variance = np.diag(covariance).copy()
    variance[variance <= _HELD] = np.nan
    return np.asarray(np.sqrt(variance))


def _apart(flat: Array) -> tuple[tuple[int, ...], ...]:
    """The states that each flat direction moves, directions of states that have nothing in common kept apart.

    The columns span the flat directions in any mixture; what they project on tells which states belong together.
    """
    onto = flat @ flat.T
    _, owner = connected_components(np.abs(onto) > _NAMED * np.abs(onto).max(initial=0.0), directed=False)
    found = []
    for number in range(int(owner.max(initial=-1)) + 1):
        members = np.flatnonzero(owner == number)
        many = round(float(np.trace(onto[np.ix_(members, members)])))
        found += [tuple(members.tolist())] * many
    return tuple(found)


def _bounds(refined: Refined) -> tuple[str, ...]:
    q = refined.point[: refined.form.states]
    caps = [state.cap for state in refined.network.states]
    return tuple(
        "0" if value < AT_BOUND else f"{cap:g}" if value > cap - AT_BOUND else ""
        for value, cap in zip(q, caps, strict=True)
    )
