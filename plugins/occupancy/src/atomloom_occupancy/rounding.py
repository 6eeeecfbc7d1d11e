"""Occupancies with two decimals whose sums are still one."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from atomloom.data.columns import Array
from atomloom_occupancy.standard_form import Together

HUNDREDTHS = 100


def two_decimals(values: Array, sets: tuple[Together, ...]) -> Array:
    """(states,) values of two decimals: those of a complete set add up to 1.00, those of any other to 1.00 at most.

    Sets that share no state are rounded by largest remainders, others by the whole numbers that are nearest together.

    >>> two_decimals(np.array([0.335, 0.335, 0.33]), (Together((0, 1, 2)),)).tolist()
    [0.34, 0.33, 0.33]
    """
    exact = values * HUNDREDTHS
    members = [state for each in sets for state in each.states]
    if len(members) > len(set(members)):
        return np.asarray(_nearest_together(exact, sets) / HUNDREDTHS)
    steps = np.rint(exact).astype(np.int64)
    for each in sets:
        states = list(each.states)
        total = HUNDREDTHS if each.complete else min(HUNDREDTHS, int(np.rint(exact[states].sum())))
        steps[states] = _shared_out(exact[states], total)
    return np.asarray(steps / HUNDREDTHS)


def _shared_out(exact: Array, total: int) -> Array:
    """Whole numbers near `exact` that add up to `total`."""
    low = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(low - exact, kind="stable")
    for turn in range(abs(total - int(low.sum()))):
        low[order[turn % len(order)]] += 1 if total > low.sum() else -1
    return np.maximum(low, 0)


def _nearest_together(exact: Array, sets: tuple[Together, ...]) -> Array:
    """Whole numbers with the smallest sum of distances from `exact` that keep all sums, by integer programming.

    The distance d of a state is a variable of its own, with n - d <= exact <= n + d.
    """
    size = len(exact)
    sums = np.zeros((len(sets), 2 * size))
    for row, each in zip(sums, sets, strict=True):
        row[list(each.states)] = 1.0
    least = [HUNDREDTHS if each.complete else 0.0 for each in sets]
    one = np.eye(size)
    found = milp(
        np.concatenate([np.zeros(size), np.ones(size)]),
        integrality=np.concatenate([np.ones(size), np.zeros(size)]),
        bounds=Bounds(0.0, np.concatenate([np.full(size, float(HUNDREDTHS)), np.full(size, np.inf)])),
        constraints=[
            LinearConstraint(sums, least, float(HUNDREDTHS)),
            LinearConstraint(np.hstack([one, -one]), -np.inf, exact),
            LinearConstraint(np.hstack([one, one]), exact, np.inf),
        ],
    )
    # Where whole numbers cannot keep all sums at once, the nearest ones are what is left.
    return np.asarray(np.rint(exact if found.x is None else found.x[:size]))
