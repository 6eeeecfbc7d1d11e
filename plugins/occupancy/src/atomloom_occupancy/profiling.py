"""Profile likelihood: how the target rises when one occupancy is held elsewhere and the others follow.

Near a bound a standard uncertainty says little: the likelihood is cut off there. The profile interval is where the
negative log-likelihood is within 0.5 of its minimum, which is one standard uncertainty to either side wherever no bound
is near. The other occupancies follow the minimum of the quadratic form on the constraints; the likelihood there is
exact. Scales and solvent follow too, to second order.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from atomloom.data.columns import Array
from atomloom.errors import ConfigError
from atomloom_occupancy.active_set import minimise_quadratic
from atomloom_occupancy.refining import Refined
from atomloom_occupancy.standard_form import StandardForm
from atomloom_occupancy.uncertainty import Uncertainty, freed_scales

RISE = 0.5
"""Of the negative log-likelihood at the ends of an interval."""

NEAR = 2.0
"""Standard uncertainties from a bound within which a profile says more than they do."""

_PRECISION = 1e-4


class Profile:
    """The profile likelihood of the states of a refinement."""

    def __init__(self, refined: Refined) -> None:
        self._refined, self._lost = refined, freed_scales(refined)
        states = refined.form.states
        self._hessian = refined.local.hessian.copy()
        self._hessian[:states, :states] -= self._lost
        self._least = refined.local.value

    def rise(self, state: int, value: float) -> float:
        """How much higher the negative log-likelihood is with the state held there; infinite where it cannot be."""
        point = self._follow(state, value)
        if point is None:
            return float("inf")
        off = (point - self._refined.point)[: self._refined.form.states]
        exact = self._refined.objective(point, False).value - self._least
        return float(exact - off @ self._lost @ off / 2)

    def interval(self, state: int) -> tuple[float, float]:
        """Where the profile is within `RISE` of the minimum, cut off at the bounds."""
        at = float(self._refined.point[state])
        cap = self._refined.network.states[state].cap
        return self._end(state, at, 0.0), self._end(state, at, cap)

    def _end(self, state: int, at: float, limit: float) -> float:
        if abs(at - limit) < _PRECISION or self.rise(state, limit) <= RISE:
            return limit

        def above(value: float) -> float:
            return min(self.rise(state, value), 1e3) - RISE

        return float(brentq(above, at, limit, xtol=_PRECISION))

    def _follow(self, state: int, value: float) -> Array | None:
        """The point of the quadratic form's minimum with one occupancy held; nothing where constraints forbid it."""
        refined, form = self._refined, self._refined.form
        row = np.zeros(form.matrix.shape[1])
        row[state] = 1.0
        held = StandardForm(np.vstack([form.matrix, row]), np.append(form.right, value), form.states)
        try:
            start = held.nearest(refined.point[: form.states])
        except ConfigError:
            return None
        slope = refined.local.gradient - self._hessian @ refined.point
        return minimise_quadratic(self._hessian, slope, held.matrix, start)


def near_bounds(refined: Refined, spread: Uncertainty) -> tuple[int, ...]:
    """The states at a bound or within `NEAR` standard uncertainties of one, those of flat directions apart."""
    loose = {state for each in spread.flat for state in each}
    found = []
    for number, state in enumerate(refined.network.states):
        room = min(refined.point[number], state.cap - refined.point[number])
        esd = spread.fixed_b[number]
        if number not in loose and (spread.bound[number] or room < NEAR * esd):
            found.append(number)
    return tuple(found)


def intervals(refined: Refined, spread: Uncertainty) -> Array:
    """(states, 2) ends of the profile interval of states near a bound; NaN for all others."""
    found = np.full((len(refined.network.states), 2), np.nan)
    chosen = near_bounds(refined, spread)
    if chosen:
        profile = Profile(refined)
        for state in chosen:
            found[state] = profile.interval(state)
    return found
