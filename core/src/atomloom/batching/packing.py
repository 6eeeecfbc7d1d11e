"""Packing: frames of different sizes into batches of one shape, with hardly a slot left over.

`first_fit_decreasing` sees all frames and sorts them by size, which packs best and makes batches of like frames.
`best_fit` takes frames in the order given, keeps a few batches open and puts each frame where it leaves least room: a
shuffled order stays shuffled, and still only a fraction of a per cent is lost.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from atomloom.data.columns import Indices
from atomloom.errors import DataError

OPEN = 16
"""How many batches `best_fit` keeps open."""


def best_fit(sizes: npt.ArrayLike, budget: npt.ArrayLike, *, open_bins: int = OPEN) -> list[Indices]:
    """Pack in the order given; every batch is a list of positions in `sizes`.

    Args:
        sizes: what each frame takes, ``[frames]`` or ``[frames, axes]``.
        budget: what a batch holds, a number or ``[axes]``.
    """
    wanted, room = _table(sizes, budget)
    return [np.array(packed, dtype=np.int64) for packed in _best_fit(wanted, room, open_bins)]


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


def _best_fit(wanted: NDArray[np.int64], room: NDArray[np.int64], open_bins: int) -> Iterator[list[int]]:
    """Open batches are kept sorted by what is left along the axis that is scarcest in this data."""
    share = wanted.sum(axis=0) / np.maximum(room, 1)
    main = int(np.argmax(share))
    others = [axis for axis in range(len(room)) if axis != main]
    rows = wanted[:, [main, *others]].tolist()
    full = room[[main, *others]].tolist()
    bins: list[tuple[int, int]] = []  # what is left along the main axis, and the number of the batch
    left: dict[int, list[int]] = {}
    held: dict[int, list[int]] = {}
    made = 0
    for frame, need in enumerate(rows):
        place = bisect_left(bins, (need[0], -1))
        while place < len(bins) and not _fits(left[bins[place][1]], need):
            place += 1
        if place == len(bins):
            if len(bins) == open_bins:
                _, closed = bins.pop(0)
                del left[closed]
                yield held.pop(closed)
            number, made = made, made + 1
            left[number], held[number] = list(full), []
        else:
            _, number = bins.pop(place)
        space = left[number] = [a - b for a, b in zip(left[number], need, strict=True)]
        held[number].append(frame)
        insort(bins, (space[0], number))
    for _, number in sorted(bins, key=lambda each: each[1]):
        yield held[number]


def _fits(space: list[int], need: list[int]) -> bool:
    return all(a >= b for a, b in zip(space, need, strict=True))


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
