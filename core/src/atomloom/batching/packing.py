"""Packing: frames of different sizes into batches of one shape, with hardly a slot left over.

`first_fit_decreasing` sees all frames and sorts them by size, which packs best and makes batches of like frames.
`consecutive` cuts the frames in the order given wherever a batch is full. A few frames, spread evenly over the others,
are set aside before; at a cut one of the last frames changes places with one of these that fills the batch better. What
is aside in the end is packed likewise. A shuffled order stays shuffled, and only a fraction of a per cent is lost::

    3 4 2 | 5 1 3    aside 3 6    9 of 10 slots are taken in the first batch
    3 4 3 | 5 1 3    aside 2 6    2 and 3 have changed places
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from operator import le
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from atomloom.data.columns import Indices, offsets
from atomloom.errors import DataError

APART, ASIDE = 64, 16
"""One of so many frames is set aside; of a line too short for that, about so many frames are."""

TRIED, EXCHANGES = 4, 2
"""Frames before a cut that are tried, and how many of them may be exchanged."""

SPARED = 8
"""A batch in which no more than room / 2^SPARED is left along an axis is full."""


def consecutive(sizes: npt.ArrayLike, budget: npt.ArrayLike) -> list[Indices]:
    """Pack in the order given, but for the frames that are set aside; every batch is a list of positions in `sizes`.

    Args:
        sizes: what each frame takes, ``[frames]`` or ``[frames, axes]``.
        budget: what a batch holds, a number or ``[axes]``.

    >>> [packed.tolist() for packed in consecutive([3, 4, 2, 5, 1, 3], 10)]
    [[0, 1, 2], [3, 4, 5]]
    """
    wanted, room = _table(sizes, budget)
    frames, every = np.arange(len(wanted)), _Every.of(wanted, room)
    batches: list[Indices] = []
    while len(frames):
        line = _Line(every, frames, apart=max(2, min(APART, len(frames) // ASIDE)))
        if not (cut := line.cut()):
            last = _Line(every, frames)
            return [*batches, *last.cut(), last.rest()]
        batches += cut
        frames = line.rest()
    return batches


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


class _Every(NamedTuple):
    """What all frames take along the axes along which that varies, the scarcest one first.

    Args:
        sizes: of each frame ``[axes, frames]``.
        room: what a batch holds.
        most: frames that a batch holds because of the axes along which all are alike.
    """

    sizes: Indices
    room: list[int]
    most: int

    @classmethod
    def of(cls, wanted: Indices, room: Indices) -> _Every:
        """From all axes of all frames ``[frames, axes]``."""
        sizes = np.ascontiguousarray(wanted.T)
        largest = sizes.max(axis=1, initial=0)
        varies = (sizes != largest[:, None]).any(axis=1)
        alike = ~varies & (largest > 0)
        most = int((room[alike] // largest[alike]).min(initial=len(wanted)))
        scarcest = np.argsort(-sizes.sum(axis=1) / np.maximum(room, 1), kind="stable")
        axes = scarcest[varies[scarcest]]
        return cls(sizes[axes], room[axes].tolist(), most)


class _Axis(NamedTuple):
    """Sizes along one axis.

    Args:
        ends: where each frame of the line begins if they are put one behind the other, and where the last one ends.
        aside: of the frames that are set aside.
        room: what a batch holds.
    """

    ends: list[int]
    aside: list[int]
    room: int


class _Line:
    """Frames in a line that is cut into batches, and those that are set aside.

    Args:
        every: the sizes of all frames.
        frames: which of them the line is of.
        apart: one of so many is set aside, or none.
    """

    def __init__(self, every: _Every, frames: Indices, apart: int = 0) -> None:
        self._most, self._start = every.most, 0
        chosen = np.zeros(len(frames), dtype=bool)
        if apart and every.room:
            chosen[apart // 2 :: apart] = True
        self._frames, aside = frames[~chosen], frames[chosen]
        if len(aside):  # in ascending order along the scarcest axis
            aside = aside[np.argsort(every.sizes[0, aside], kind="stable")]
        self._aside: list[int] = aside.tolist()
        self._lent = 0  # by how much they have become smaller
        self._spare = [room >> SPARED for room in every.room]
        self._axes = [
            _Axis(offsets(sizes[self._frames]).tolist(), sizes[aside].tolist(), room)
            for sizes, room in zip(every.sizes, every.room, strict=True)
        ]

    def cut(self) -> list[Indices]:
        """The batches of the line, but for the frames behind the last cut."""
        cuts, count = [0], len(self._frames)
        while (stop := self._full(start := cuts[-1])) < count:
            # What is aside becomes smaller by frames that fill a batch, and larger by those that make it fit again.
            if self._lent > 0 and stop - start < self._most and self._exchange(start, stop + 1):
                stop += 1
            elif self._aside:
                self._exchange(start, stop)
            cuts.append(stop)
        self._start = cuts[-1]
        return [self._frames[start:stop] for start, stop in pairwise(cuts)]

    def rest(self) -> Indices:
        """The frames behind the last cut, and those that are aside."""
        aside = np.array(sorted(self._aside), dtype=np.int64)
        return np.concatenate([self._frames[self._start :], aside])

    def _full(self, start: int) -> int:
        """How far a batch that begins here may reach."""
        stop = min(len(self._frames), start + self._most)
        for ends, _, room in self._axes:
            stop = bisect_right(ends, ends[start] + room, start, stop + 1) - 1
        return stop

    def _exchange(self, start: int, stop: int) -> bool:
        """Exchange a frame of this batch for one aside, if that fills it better; whether all of it fits in the end."""
        left = [room - ends[stop] + ends[start] for ends, _, room in self._axes]
        places, fits = list(range(stop - 1, max(start, stop - TRIED) - 1, -1)), min(left) >= 0
        for _ in range(EXCHANGES):
            if fits and any(map(le, left, self._spare)):
                break
            found = self._better(places, left, left[0] if fits else self._axes[0].room)
            if found is None:
                break
            place, other, left = found
            self._swap(place, other)
            places.remove(place)
            fits = True
        return fits

    def _better(self, places: list[int], left: list[int], least: int) -> tuple[int, int, list[int]] | None:
        """Which frame of the line to exchange for which one aside, and what is left then: less than `least`."""
        found = None
        along = [(axis.ends, axis.aside, more) for axis, more in zip(self._axes, left, strict=True)]
        for place in places:
            # Those that fit come first along one axis; if the axes are unlike each other, it is a good guess.
            end = len(self._aside)
            for ends, aside, more in along:
                end = bisect_right(aside, ends[place + 1] - ends[place] + more, 0, end)
            if not end:
                continue
            rest = [ends[place + 1] - ends[place] + more - aside[end - 1] for ends, aside, more in along]
            if rest[0] < least and min(rest) >= 0:
                least, found = rest[0], (place, end - 1, rest)
                if any(map(le, rest, self._spare)):
                    break
        return found

    def _swap(self, place: int, other: int) -> None:
        """Have a frame of the line change places with one aside; where the frames behind it begin is not kept."""
        sizes = [axis.ends[place + 1] - axis.ends[place] for axis in self._axes]
        frame, others = self._aside.pop(other), [axis.aside.pop(other) for axis in self._axes]
        self._lent += others[0] - sizes[0]
        to = bisect_right(self._axes[0].aside, sizes[0])
        for axis, size in zip(self._axes, sizes, strict=True):
            axis.aside.insert(to, size)
        self._aside.insert(to, int(self._frames[place]))
        self._frames[place] = frame


def check(sizes: npt.ArrayLike, budget: npt.ArrayLike) -> None:
    """Stops at a frame that alone is above the budget."""
    _table(sizes, budget)


def _table(sizes: npt.ArrayLike, budget: npt.ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    wanted = np.asarray(sizes, dtype=np.int64)
    wanted = wanted.reshape(len(wanted), -1) if wanted.size else wanted.reshape(0, np.size(budget))
    room = np.atleast_1d(np.asarray(budget, dtype=np.int64))
    if (above := wanted > room).any():
        frame, axis = map(int, np.argwhere(above)[0])
        found = f"frame {frame} takes {int(wanted[frame, axis])} and the budget is {int(room[axis])}"
        raise DataError("pack frames into batches", found, "Raise the budget, or leave out such frames")
    return wanted, room
