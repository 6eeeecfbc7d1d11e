"""Occupancies with two decimals whose sums are still one."""

from __future__ import annotations

import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.standard_form import Together

HUNDREDTHS = 100


def two_decimals(values: Array, sets: tuple[Together, ...]) -> Array:
    """(states,) values of two decimals: those of a complete set add up to 1.00, those of any other to 1.00 at most.

    Every set is rounded by largest remainders; states that an earlier set has settled stay as they are.

    >>> two_decimals(np.array([0.335, 0.335, 0.33]), (Together((0, 1, 2)),)).tolist()
    [0.34, 0.33, 0.33]
    """
    steps = np.rint(values * HUNDREDTHS).astype(np.int64)
    settled: set[int] = set()
    for each in sets:
        open_ends = [state for state in each.states if state not in settled]
        room = HUNDREDTHS - int(sum(steps[state] for state in each.states if state in settled))
        if open_ends:
            exact = values[open_ends] * HUNDREDTHS
            total = room if each.complete else min(room, int(np.rint(exact.sum())))
            steps[open_ends] = _shared_out(exact, total)
        settled.update(open_ends)
    return np.asarray(steps / HUNDREDTHS)


def _shared_out(exact: Array, total: int) -> Array:
    """Whole numbers near `exact` that add up to `total`."""
    low = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(low - exact, kind="stable")
    for turn in range(abs(total - int(low.sum()))):
        low[order[turn % len(order)]] += 1 if total > low.sum() else -1
    return np.maximum(low, 0)
