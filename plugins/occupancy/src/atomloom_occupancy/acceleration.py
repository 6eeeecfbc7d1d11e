"""Fixed points that are reached slowly: from the last cycles to where they lead, by Anderson's method.

A cycle that estimates scales and solves for occupancies, one after the other, brings what the two share closer by the
same small part each time. The last few cycles tell that part, and with it the end.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from atomloom.data.columns import Array

DEPTH = 4
"""Earlier cycles that are looked at."""

_HALVINGS = 8
_GROWN = 2.0


class Acceleration:
    """Where to begin the next cycle.

    Args:
        unit: (n,) what counts as little in each number.
        allowed: whether a cycle may begin at a point.

    >>> acceleration, point = Acceleration(np.ones(1), lambda point: True), np.zeros(1)
    >>> for _ in range(3):
    ...     point = acceleration(point, 0.99 * point + 0.01)
    >>> point.round(9).tolist()
    [1.0]
    """

    def __init__(self, unit: Array, allowed: Callable[[Array], bool]) -> None:
        self._unit, self._allowed = unit, allowed
        self.forget()

    def forget(self) -> None:
        """Begin anew, where a cycle does not do any more what it did."""
        self._seen: list[tuple[Array, Array]] = []

    def __call__(self, start: Array, end: Array) -> Array:
        """A point from where the last cycle began and where it ended; the end where there is nothing better."""
        step = (end - start) / self._unit
        if self._seen and np.linalg.norm(step) > _GROWN * np.linalg.norm(self._seen[-1][0]):
            self.forget()
        self._seen = [*self._seen[-DEPTH:], (step, end)]
        if len(self._seen) == 1:
            return end
        steps, ends = (np.diff(np.array(each), axis=0) for each in zip(*self._seen, strict=True))
        beyond = -np.linalg.lstsq(steps.T, step, rcond=None)[0] @ ends
        for _ in range(_HALVINGS):
            if self._allowed(end + beyond):
                return np.asarray(end + beyond)
            beyond = beyond / 2
        return end
