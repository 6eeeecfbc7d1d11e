"""Gathering rows of many frames at the speed of memory, in plain numpy.

The rows of a field lie one behind the other. A *window* is `width` consecutive rows seen as one value, so that numpy
copies a frame by one move and not row by row: windows that begin at every row overlap in memory and cost nothing. What
a window holds behind the rows of its own frame is cleared by a mask looked up by length (`masked`), or overwritten by
the next frame (`packed`). Frames too long for that are copied one by one, which costs little where each is long.

::

    rows     a a b b b c          windows of width 3 at 0, 2, 5 -> a a b | b b b | c . .
    masked   a a 0 b b b c 0 0    packed  a a b b b c
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from atomloom.data.columns import Array, Indices, segments

WIDEST: Final = 256
"""Rows of the longest frame that is gathered by windows; the table of masks grows with the square of it."""

TABLE: Final = 1 << 23
"""Bytes of a table of masks at the most, which limits the bytes of a row."""

LARGEST: Final = 1 << 12
"""Bytes up to which a window costs less than a step of a loop, whatever the number of its rows."""

SPARE: Final = 4
"""By how much windows may exceed the rows that are wanted of them."""

_LONG: Final = 32  # rows of a frame from which a copy of its own costs less than an index for each row


class Part(Protocol):
    """Frames among those asked for whose rows lie in one array."""

    @property
    def chosen(self) -> Indices | slice:
        """Which of them: all, or these."""

    @property
    def starts(self) -> Indices:
        """Where the rows of each begin in the array."""

    @property
    def latest(self) -> int:
        """Where the last rows begin."""


class Windows(Protocol):
    """Windows that begin where frames do.

    Attributes:
        width: rows of a window.
        size: bytes of a window.
    """

    width: int
    size: int

    def of(self, first: int, last: int) -> Array:
        """Those of the frames from `first` to `last` in new memory, as opaque values ``[frames]``."""


def windows(rows: Sequence[Array], parts: Sequence[Part], width: int) -> Windows:
    """Windows of `width` rows.

    Args:
        rows: the arrays in which the frames lie.
        parts: for each array the frames in it.
        width: of a window.
    """
    if len(parts) == 1:
        return _Whole(rows[0], parts[0].starts, parts[0].latest, width)
    several = [_Whole(values, part.starts, part.latest, width) for values, part in zip(rows, parts, strict=True)]
    return _Merged(several, parts)


class _Whole:
    """Windows into one array; behind its last row they hold zeros."""

    def __init__(self, rows: Array, starts: Indices, latest: int, width: int) -> None:
        row = math.prod(rows.shape[1:]) * rows.dtype.itemsize
        self.width, self.size = width, width * row
        if len(rows) < width:
            rows = np.concatenate([rows, np.zeros((width - len(rows), *rows.shape[1:]), rows.dtype)])
        last = len(rows) - width
        self._view: Array = np.ndarray((last + 1,), _opaque(self.size), _bytes(rows), 0, (row,))
        self._starts = starts
        self._late: dict[int, bytes] = {}  # the windows that would reach beyond the last row
        if latest > last:
            self._starts = np.minimum(starts, last)
            for late in np.flatnonzero(starts > last).tolist():
                self._late[late] = rows[starts[late] :].tobytes().ljust(self.size, b"\0")

    def of(self, first: int, last: int) -> Array:
        """See `Windows.of`."""
        found: Array = self._view[self._starts[first:last]]
        for late, window in self._late.items():
            if first <= late < last:
                found[late - first] = window
        return found


class _Merged:
    """Windows into several arrays, all of them gathered at once."""

    def __init__(self, several: Sequence[_Whole], parts: Sequence[Part]) -> None:
        self.width, self.size = several[0].width, several[0].size
        self._found = np.empty(sum(len(part.starts) for part in parts), dtype=_opaque(self.size))
        for each, part in zip(several, parts, strict=True):
            self._found[part.chosen] = each.of(0, len(part.starts))

    def of(self, first: int, last: int) -> Array:
        """See `Windows.of`."""
        return self._found[first:last].copy()


def masked(found: Array, masks: Array) -> Array:
    """Windows with zeros where `masks` has them. Changes `found`."""
    values: Array = np.ndarray(masks.shape, masks.dtype, found)
    return np.bitwise_and(values, masks, values)


def masks_of(lengths: Indices, width: int, size: int, spare: Array | None = None) -> Array:
    """Which bits are kept of windows of rows of `size` bytes that have so many rows of their own, in wide words.

    Args:
        spare: masks that nobody needs any longer, whose memory is used again where it has the right shape.
    """
    table = _masks(width, size)
    fits = spare is not None and (spare.shape, spare.dtype) == ((len(lengths), *table.shape[1:]), table.dtype)
    return table.take(lengths, axis=0, out=spare if fits else None, mode="clip")


def packed(found: Array, lengths: Indices, places: Indices, slots: int, width: int) -> NDArray[np.uint8]:
    """The bytes of `slots` rows: the first `lengths` rows of each window from its place on, zeros elsewhere."""
    size = found.dtype.itemsize // width
    memory = np.empty((slots + width) * size, dtype=np.uint8)
    # Windows are laid down in order: what one holds too much is covered by the next, or cleared below.
    view: Array = np.ndarray((slots + 1,), found.dtype, memory.data, 0, (size,))
    view[places] = found
    ends, starts = np.concatenate([[0], places + lengths]), np.append(places, slots)
    for gap in np.flatnonzero(ends < starts).tolist():
        memory[ends[gap] * size : starts[gap] * size] = 0
    return memory[: slots * size]


def copied(out: Array, places: Indices, rows: Array, starts: Indices, lengths: Indices) -> None:
    """Copy `lengths` rows from each start to each place of `out`."""
    if len(lengths) and lengths.mean() >= _LONG:
        for place, start, length in zip(places.tolist(), starts.tolist(), lengths.tolist(), strict=True):
            out[place : place + length] = rows[start : start + length]
    else:
        out[segments(places, lengths)] = rows[segments(starts, lengths)]


def worthwhile(lengths: Indices, width: int, size: int, *, flat: bool = False) -> bool:
    """Whether frames of so many rows of `size` bytes are better gathered by windows of `width` rows than one by one.

    Args:
        flat: whether the frames are going to stand one behind the other, where no masks are needed.
    """
    if flat and 0 < size * width <= LARGEST:
        return width * len(lengths) <= SPARE * max(int(lengths.sum()), 1)
    if not 0 < width <= WIDEST or not 0 < size * width * (width + 1) <= TABLE:
        return False
    return width * len(lengths) <= SPARE * max(int(lengths.sum()), 1)


def _bytes(rows: Array) -> memoryview:
    """The memory of rows that follow each other; numpy itself gives out none of dates."""
    return rows.reshape(-1).view(np.uint8).data


@lru_cache(maxsize=64)
def _opaque(size: int) -> np.dtype[np.void]:
    return np.dtype((np.void, size))


@lru_cache(maxsize=32)
def _masks(width: int, size: int) -> NDArray[Any]:
    """For every length up to `width` which bits are kept of a window of rows of `size` bytes, in wide words."""
    kept = np.arange(width * size) < np.arange(width + 1)[:, None] * size
    unit = next(unit for unit in (np.uint64, np.uint32, np.uint16, np.uint8) if not width * size % unit().itemsize)
    masks = np.where(kept, np.uint8(255), np.uint8(0)).view(unit)
    masks.flags.writeable = False
    return masks
