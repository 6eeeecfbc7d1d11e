"""Constraints on occupancies by construction: every set of constraints as A p = b with p >= 0.

An occupancy that is free from 0 to a cap gets a slack, p + s = cap; states that share a site add up to one, with a
slack where they need not fill it. Sets may share states: a + b = 1 together with a + c + d = 1 are two rows. A fixed
ratio is a row that adds up to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from atomloom.data.columns import Array
from atomloom.errors import ConfigError


@dataclass(frozen=True)
class Together:
    """States that share a site.

    Args:
        states: their numbers.
        complete: whether they fill it, so that they add up to one; else they add up to one or less.
        name: for messages and reports.
    """

    states: tuple[int, ...]
    complete: bool = True
    name: str = ""


class Ratio(NamedTuple):
    """The occupancy of the state `of` is `factor` times that of the state `to`."""

    of: int
    to: int
    factor: float


@dataclass(frozen=True)
class StandardForm:
    """The polytope A p = b, p >= 0; the first `states` of p are the occupancies and the others are slacks.

    Args:
        matrix: A (rows, states + slacks)
        right: b (rows,)
        states: how many of p are occupancies.
    """

    matrix: Array
    right: Array
    states: int

    def nearest(self, wanted: Array) -> Array:
        """(states + slacks,) the feasible point whose occupancies are nearest to those wanted.

        >>> standard_form(np.ones(2), (Together((0, 1)),)).nearest(np.array([0.8, 0.3])).round(12).tolist()
        [0.75, 0.25]
        """
        from atomloom_occupancy.active_set import minimise_quadratic

        size = self.matrix.shape[1]
        start = self._feasible()
        curvature = np.zeros((size, size))
        curvature[range(self.states), range(self.states)] = 1.0
        slope = np.zeros(size)
        slope[: self.states] = -np.asarray(wanted, dtype=np.float64)
        return minimise_quadratic(curvature, slope, self.matrix, start)

    def _feasible(self) -> Array:
        from scipy.optimize import linprog  # a third of the time of `occupancy check`, which does not need it

        found = linprog(np.zeros(self.matrix.shape[1]), A_eq=self.matrix, b_eq=self.right, bounds=(0, None))
        if found.status != 0:
            todo = "Leave out one of the sets, or make one incomplete"
            raise ConfigError("hold these constraints", "no occupancies satisfy all of them at once", todo)
        return np.maximum(np.asarray(found.x, dtype=np.float64), 0.0)

    def exact(self, point: Array) -> Array:
        """The same point with the rounding of its sums taken out: A p = b to the last bits."""
        free = point > 0
        miss = self.right - self.matrix @ point
        fixed = point.copy()
        fixed[free] += np.linalg.lstsq(self.matrix[:, free], miss, rcond=None)[0]
        return np.maximum(fixed, 0.0)


def standard_form(caps: Array, sets: tuple[Together, ...], ratios: tuple[Ratio, ...] = ()) -> StandardForm:
    """The constraints of states with these caps, of which some share sites.

    Args:
        caps: (states,) the highest occupancy that each may have: 1, or less on a special position.
        sets: which states share a site.
        ratios: which are in a fixed ratio.
    """
    states = len(caps)
    rows, slack = [], []
    for each in ratios:
        row = np.zeros(states)
        row[[each.of, each.to]] = 1.0, -each.factor
        rows.append((row / np.abs(row).max(), 0.0))
        slack.append(False)
    for site in sets:
        row = np.zeros(states)
        row[list(site.states)] = 1.0
        rows.append((row, 1.0))
        slack.append(not site.complete)
    bounded = {state for site in sets for state in site.states}
    for state, cap in enumerate(caps):
        if state in bounded and cap >= 1:
            continue
        row = np.zeros(states)
        row[state] = 1.0
        rows.append((row, float(cap)))
        slack.append(True)
    slacks = np.eye(len(rows))[:, np.flatnonzero(slack)]
    left = np.array([row for row, _ in rows]).reshape(len(rows), states)
    return StandardForm(np.hstack([left, slacks]), np.array([right for _, right in rows]), states)
