"""Standard uncertainties from the Hessian on the constraints that hold, and directions that the data leave open.

With N a basis of the directions that keep A p = b and the p at their bounds, the covariance is N (N' H N)^-1 N'. With
the B of every state freed as well, F_g turns into F_g exp(-B s^2 / 4), and the Hessian has twice the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.active_set import tangent
from atomloom_occupancy.objective import curvature
from atomloom_occupancy.refining import Refined

AT_BOUND = 1e-7
"""Occupancies and slacks below this are at their bound."""

FLAT = 1e-5
"""Curvature, relative to that of the best determined occupancy, below which a direction is flat."""

_NAMED = 0.2
_LEAST_Q = 0.02


@dataclass(frozen=True)
class Uncertainty:
    """How well each state is determined.

    Args:
        fixed_b: (states,) standard uncertainty with B held; NaN at a bound and along flat directions.
        free_b: (states,) the same with the B of every state freed.
        correlation: (states, states) of the occupancies with B held; NaN where there is none.
        correlation_with_b: (states,) of each occupancy with its own B.
        bound: (states,) ``"0"``, the cap, or nothing.
        flat: the numbers of the states that each flat direction moves.
    """

    fixed_b: Array
    free_b: Array
    correlation: Array
    correlation_with_b: Array
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
    active = refined.point < AT_BOUND
    basis = tangent(refined.form.matrix, active)
    covariance, flat = _inverse(refined.local.hessian, basis)
    fixed = _spread(covariance)[:states]
    open_ends = tuple(named for direction in flat.T if (named := _named(direction[:states])))
    loose = sorted({state for each in open_ends for state in each})
    fixed[loose] = np.nan
    free, with_b = _with_b(refined, basis)
    free[loose] = np.nan
    free[~np.isfinite(fixed)] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance[:states, :states] / np.outer(fixed, fixed)
    return Uncertainty(fixed, free, correlation, with_b, _bounds(refined), open_ends)


def _inverse(hessian: Array, basis: Array) -> tuple[Array, Array]:
    """The covariance within `basis` without its flat directions, and these as columns."""
    values, vectors = np.linalg.eigh(basis.T @ hessian @ basis)
    kept = values > FLAT * max(float(np.diag(hessian).max(initial=0.0)), 1e-300)
    along = basis @ vectors
    inverse = along[:, kept] / values[kept] @ along[:, kept].T
    return np.asarray(inverse), np.asarray(along[:, ~kept])


def _with_b(refined: Refined, basis: Array) -> tuple[Array, Array]:
    """(states,) standard uncertainties with B freed, and the correlation of each occupancy with its B.

    The curvature is the expected one, without the second derivatives of F_model.
    """
    states, size = refined.form.states, len(refined.point)
    q, data = refined.point[:states], refined.crystal.data
    tried = np.flatnonzero(q > _LEAST_Q)
    slopes = refined.objective.slopes
    by_b = -(0.25 / data.d[data.work] ** 2) * (q[tried, None] * slopes[tried])
    both = np.concatenate([slopes, by_b])
    model = refined.objective.model(q)
    inner = curvature(refined.objective.target, model, both.real, both.imag)
    hessian = np.zeros((size + len(tried), size + len(tried)))
    places = np.concatenate([np.arange(states), size + np.arange(len(tried))])
    hessian[np.ix_(places, places)] = inner
    hessian[range(states), range(states)] += 2 * refined.objective.restraint.weight
    widened = np.zeros((size + len(tried), basis.shape[1] + len(tried)))
    widened[:size, : basis.shape[1]] = basis
    widened[size:, basis.shape[1] :] = _B_UNIT * np.eye(len(tried))
    covariance, _ = _inverse(hessian, widened)
    spread = _spread(covariance)
    with_b = np.full(states, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = covariance[tried, size + np.arange(len(tried))]
        with_b[tried] = own / (spread[tried] * spread[size:])
    return spread[:states], with_b


_B_UNIT = 20.0  # angstrom^2 that move F about as far as an occupancy of one does


def _spread(covariance: Array) -> Array:
    variance = np.diag(covariance).copy()
    variance[variance <= 0] = np.nan
    return np.asarray(np.sqrt(variance))


def _named(direction: Array) -> tuple[int, ...]:
    size = np.abs(direction)
    return tuple(np.flatnonzero(size > _NAMED * size.max()).tolist()) if size.max(initial=0.0) > AT_BOUND else ()


def _bounds(refined: Refined) -> tuple[str, ...]:
    q = refined.point[: refined.form.states]
    caps = [state.cap for state in refined.network.states]
    return tuple(
        "0" if value < AT_BOUND else f"{cap:g}" if value > cap - AT_BOUND else ""
        for value, cap in zip(q, caps, strict=True)
    )
