"""Packing: frames of different sizes into batches of one shape, with hardly a slot left over.

`first_fit_decreasing` sees all frames and sorts them by size, which packs best and makes batches of like frames.
`consecutive` cuts the frames in the order given wherever a batch is full, and then lets a few frames at the end of it
change places with larger ones that come soon after: a shuffled order stays shuffled, and still only a fraction of a per
cent is lost::

    3 4 2 | 5 1 3    9 of 10 slots
    3 5 2 | 4 1 3    4 and 5 have changed places
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from atomloom.data.columns import Indices, offsets
from atomloom.errors import DataError

BACK, AHEAD = 8, 64
"""Frames before and behind a cut that may change places."""

EXCHANGES = 2
"""How often this is done at a cut; more often gains next to nothing."""

SPARED = 9
"""A batch in which no more than room / 2^SPARED is left is full."""


def consecutive(sizes: npt.ArrayLike, budget: npt.ArrayLike) -> list[Indices]:
    """Pack in the order given; every batch is a list of positions in `sizes`.

    Args:
        sizes: what each frame takes, ``[frames]`` or ``[frames, axes]``.
        budget: what a batch holds, a number or ``[axes]``.

    >>> [packed.tolist() for packed in consecutive([3, 4, 2, 5, 1, 3], 10)]
    [[0, 3, 2], [1, 4, 5]]
    """
    line = _Line(*_table(sizes, budget))
    cuts = [0]
    while (start := cuts[-1]) < line.count:
        stop = line.cut(start)
        line.fill(start, stop)
        cuts.append(stop)
    return [line.order[start:stop] for start, stop in pairwise(cuts)]


def first_fit_decreasing(sizes: npt.ArrayLike, budget: npt.ArrayLike) -> list[Indices]:
    """Pack the largest frames first, each into the first batch that has room for it."""
    wanted, room = _table(sizes, budget)
    order = np.argsort(-(wanted / np.maximum(room, 1)).max(axis=1), kind="stable")
    left = np.empty((len(wanted), len(room)), dtype=np.int64)
    batches: list[list[int]] = []
    first = 0  # every batch before it is full
    for frame in order.tolist():
        fits = np.flatnonzero((left[first : len(batches)] >= wanted[frame]).all(axis=1))
        place = first + int(fits[0]) if fits.size else len(batches)
        if place == len(batches):
            left[place] = room
            batches.append([])
        left[place] -= wanted[frame]
        batches[place].append(frame)
        while first < len(batches) and (left[first] == 0).any():
            first += 1
    return [np.array(packed, dtype=np.int64) for packed in batches]


class _Line:
    """Frames in a line that is cut into batches.

    Args:
        wanted: what each takes ``[frames, axes]``.
        room: what a batch holds ``[axes]``.

    Attributes:
        order: the positions of the frames as they stand.
        count: how many there are.
    """

    def __init__(self, wanted: NDArray[np.int64], room: NDArray[np.int64]) -> None:
        self.order, self.count = np.arange(len(wanted)), len(wanted)
        scarcest = int(np.argmax(wanted.sum(axis=0) / np.maximum(room, 1)))
        axes = [_Axis(wanted[:, axis].copy(), int(most)) for axis, most in enumerate(room)]
        self._main = axes[scarcest]
        self._others = [axis for axis in axes if axis is not self._main and axis.varies]
        # Where all frames take as much of an axis, that limits their number, and an exchange changes nothing.
        self._most = min((axis.most for axis in axes if not axis.varies), default=self.count)

    def cut(self, start: int) -> int:
        """Where the batch that begins here is full."""
        stop = min(self._main.full(start), start + self._most)
        for axis in self._others:
            if axis.left(start, stop) < 0:
                stop = axis.full(start)
        return stop

    def fill(self, start: int, stop: int) -> None:
        """Exchange frames of this batch for larger ones behind it, so that less of the scarcest axis is left."""
        if stop == self.count or not self._main.varies:
            return
        back, ahead = max(start, stop - BACK), min(self.count, stop + AHEAD)
        for _ in range(EXCHANGES):
            left = self._main.left(start, stop)
            if left <= self._main.room >> SPARED:
                return
            rest = self._main.rest(left, back, stop, ahead)
            for axis in self._others:
                rest |= axis.rest(axis.left(start, stop), back, stop, ahead) >> 63
            # What is below zero does not fit: without a sign it is larger than all that does.
            one, other = divmod(int(rest.view(np.uint64).argmin()), ahead - stop)
            if not 0 <= rest[one, other] < left:
                return
            self._exchange(back + one, stop, stop + other)

    def _exchange(self, one: int, stop: int, other: int) -> None:
        for axis in (self._main, *self._others):
            axis.exchange(one, stop, other)
        self.order[one], self.order[other] = self.order[other], self.order[one]


class _Axis:
    """What the frames of a line take along one axis."""

    def __init__(self, sizes: Indices, room: int) -> None:
        self.sizes, self.room, self.ends = sizes, room, offsets(sizes)
        self.varies = bool((sizes != sizes[:1]).any())
        largest = int(sizes.max(initial=0))
        self.most = room // largest if largest else len(sizes)  # frames of this size

    def full(self, start: int) -> int:
        """How far a batch that begins here may reach."""
        return int(self.ends.searchsorted(self.ends[start] + self.room, side="right")) - 1

    def left(self, start: int, stop: int) -> int:
        """What a batch leaves of the room."""
        return int(self.ends[start]) + self.room - int(self.ends[stop])

    def rest(self, left: int, back: int, stop: int, ahead: int) -> Indices:
        """What would be left of it with each frame behind a cut in the place of each before it."""
        rest: Indices = (self.sizes[back:stop] + left)[:, None] - self.sizes[stop:ahead]
        return rest

    def exchange(self, one: int, stop: int, other: int) -> None:
        """Have a frame before a cut and one behind it change places; where those before it end is not kept."""
        larger = self.sizes[other] - self.sizes[one]
        self.ends[stop : other + 1] += larger
        self.sizes[one] += larger
        self.sizes[other] -= larger


def check(sizes: npt.ArrayLike, budget: npt.ArrayLike) -> None:
    """Stops at a frame that alone is above the budget."""
    _table(sizes, budget)


def _table(sizes: npt.ArrayLike, budget: npt.ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    wanted = np.asarray(sizes, dtype=np.int64)
    wanted = wanted.reshape(len(wanted), -1) if wanted.size else wanted.reshape(0, np.size(budget))
    room = np.atleast_1d(np.asarray(budget, dtype=np.int64))
    above = np.argwhere(wanted > room)
    if above.size:
        frame, axis = map(int, above[0])
        found = f"frame {frame} takes {int(wanted[frame, axis])} and the budget is {int(room[axis])}"
        raise DataError("pack frames into batches", found, "Raise the budget, or leave out such frames")
    return wanted, room
