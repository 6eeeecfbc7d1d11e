"""The corners of the polytope of allowed occupancies, by groups of states that no constraint ties to any other.

Every allowed occupancy of such a group is q = M p with p on a simplex: a mean of the corners. For states that add up to
one, the corners are the states themselves; with a slack there is one more, where nothing is there.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from atomloom.data.columns import Array, Indices
from atomloom.errors import ConfigError
from atomloom_occupancy.active_set import minimise_quadratic
from atomloom_occupancy.standard_form import StandardForm

_MOST = 100_000
_ZERO = 1e-11


class Corners(NamedTuple):
    """States that are tied to each other, and the corners of what they may be.

    Args:
        states: (states,) their numbers.
        values: M (corners, states), the occupancies at each corner.
    """

    states: Indices
    values: Array

    def weights(self, occupancy: Array) -> Array:
        """(corners,) p of M' p = q, p >= 0, that sum to one; of all that do, the most even ones."""
        matrix = np.vstack([self.values.T, np.ones(len(self.values))])
        right = np.append(occupancy, 1.0)
        start = linprog(np.zeros(len(self.values)), A_eq=matrix, b_eq=right, bounds=(0, None)).x
        even = minimise_quadratic(np.eye(len(start)), np.zeros(len(start)), matrix, np.maximum(start, 0.0))
        return np.asarray(even / even.sum())


def corners_of(form: StandardForm) -> list[Corners]:
    """The corners of every group of states that are tied to each other."""
    touching = (form.matrix != 0).astype(np.int64)
    _, owner = connected_components(touching.T @ touching, directed=False)
    groups = [np.flatnonzero(owner == number) for number in range(int(owner.max(initial=-1)) + 1)]
    return [_corners(form, columns) for columns in groups if columns[0] < form.states]


def _corners(form: StandardForm, columns: Indices) -> Corners:
    """Every basic solution of A p = b that is not negative."""
    rows = np.flatnonzero(np.any(form.matrix[:, columns] != 0, axis=1))
    rows = rows[_independent(form.matrix[np.ix_(rows, columns)])]
    matrix, right = form.matrix[np.ix_(rows, columns)], form.right[rows]
    states = columns[columns < form.states]
    if comb(len(columns), len(rows)) > _MOST:
        found = f"{len(states)} states in {len(rows)} constraints have more than {_MOST} ways to be at a bound"
        todo = "Leave out caps or ratios, or use the solver of `refine`"
        raise ConfigError("put these states into one module", found, todo)
    tried = (_solution(matrix, right, chosen) for chosen in combinations(range(len(columns)), len(rows)))
    solutions = np.array([each for each in tried if each is not None])[:, : len(states)]
    return Corners(states, np.unique(solutions.round(12), axis=0))


def _independent(matrix: Array) -> Indices:
    """Rows that the others follow from."""
    _, triangle, order = qr(matrix.T, pivoting=True, mode="economic")
    return np.sort(order[: int(np.sum(np.abs(np.diag(triangle)) > _ZERO))])


def _solution(matrix: Array, right: Array, chosen: tuple[int, ...]) -> Array | None:
    """A p = b with all but the chosen p zero, unless that has none or a negative one."""
    square = matrix[:, chosen]
    if abs(np.linalg.det(square)) < _ZERO:
        return None
    values = np.linalg.solve(square, right)
    if values.min(initial=0.0) < -_ZERO:
        return None
    point = np.zeros(matrix.shape[1])
    point[list(chosen)] = np.maximum(values, 0.0)
    return point
