"""One field of a data set, read on demand.

A column knows its frames and hands out the values of some of them: for a per-frame field as one row a frame, for a
ragged field as the rows of these frames one behind the other. The kinds differ in where the values lie:

==============  ======================================================================
`PerFrame`      one row for each frame
`Packed`        rows of all frames one behind the other, with offsets
`Padded`        one row a frame, filled up to the longest; the filling is dropped
`Constant`      the same value in every frame, stored once
`Picked`        some frames of another column
`Joined`        several columns one behind the other
`Mapped`        another column with a function over its values (a unit, a sign, a shape)
==============  ======================================================================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from atomloom.errors import DataError
from atomloom.rows import Rows

if TYPE_CHECKING:
    from atomloom.data.slots import Slots

Indices = NDArray[np.int64]
Array = NDArray[Any]


class Column(ABC):
    """The values of one field for all frames.

    Attributes:
        frames: how many frames there are.
        item: shape of one row, without the frame axis and without the ragged axis.
        dtype: of the values.
        lengths: rows of each frame for a ragged field, None for one row a frame.
    """

    frames: int
    item: tuple[int, ...]
    dtype: np.dtype[Any]
    lengths: Indices | None = None

    @property
    def ragged(self) -> bool:
        """Whether frames differ in their number of rows; costs nothing where counting them does."""
        return self.lengths is not None

    def lengths_of(self, frames: Indices) -> Indices:
        """Rows of each of these frames of a ragged field."""
        assert self.lengths is not None, "only ragged columns are asked"
        return self.lengths[frames]

    @property
    def reads(self) -> int:
        """Bytes that reading a frame takes beyond those of its own rows, at the most: what a source is padded with."""
        return 0

    def as_long_as(self, other: Column) -> bool:
        """Whether another ragged column has as many rows in every frame."""
        if self.lengths is None or other.lengths is None:
            return self.lengths is other.lengths
        return self.lengths is other.lengths or np.array_equal(self.lengths, other.lengths)

    @abstractmethod
    def take(self, frames: Indices) -> Array:
        """The rows of these frames, in this order, one behind the other."""

    def slotted(self, frames: Indices, slots: Slots) -> Iterable[Array]:
        """What `take` gives, batch by batch in slots, in new arrays that are sealed: nobody can write into them.

        They may also be given as one array ``[batches, slots, ...]``. A column that can read right into them does so.
        """
        from atomloom.data.slots import spread

        return spread(self.take(frames), slots, None if self.lengths is None else self.lengths[frames])

    def __repr__(self) -> str:
        ragged = ", ragged" if self.ragged else ""
        return f"<{type(self).__name__} of {self.frames} frames, {self.dtype}{list(self.item)}{ragged}>"


@final
class PerFrame(Column):
    """One row of `rows` for each frame."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.frames, self.item, self.dtype = rows.shape[0], tuple(rows.shape[1:]), rows.dtype

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        return np.asarray(self.rows[_span(frames)])


@final
class Packed(Column):
    """`rows` of all frames one behind the other, `lengths` of them for each frame.

    Args:
        starts: what `offsets` of the lengths gives, where several columns share it.
    """

    def __init__(self, rows: Rows, lengths: Indices, starts: Indices | None = None) -> None:
        self.rows, self.lengths = rows, lengths
        self.frames, self.item, self.dtype = len(lengths), tuple(rows.shape[1:]), rows.dtype
        self.offsets = offsets(lengths) if starts is None else starts
        _check_not_negative(lengths)
        if self.offsets[-1] != rows.shape[0]:
            found = (
                f"the lengths of {self.frames} frames add up to {self.offsets[-1]} rows and there are {rows.shape[0]}"
            )
            raise DataError("lay out a packed field", found, "Check that lengths and values belong together")

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        assert self.lengths is not None
        return np.asarray(self.rows[_span(segments(self.offsets[frames], self.lengths[frames]))])


@final
class Padded(Column):
    """Another column with one row a frame, of which the first `lengths` entries are real."""

    def __init__(self, column: Column, lengths: Indices) -> None:
        self.column, self.lengths = column, lengths
        self.frames, self.item, self.dtype = column.frames, column.item[1:], column.dtype
        longest = int(lengths.max(initial=0))
        _check_not_negative(lengths)
        if len(lengths) != self.frames or longest > column.item[0]:
            found = f"{len(lengths)} lengths of up to {longest} for {self.frames} rows of {column.item[0]} entries"
            raise DataError("lay out a padded field", found, "Check that lengths and values belong together")

    @property
    def reads(self) -> int:
        """See `Column.reads`."""
        return int(np.prod(self.column.item, dtype=np.int64)) * self.dtype.itemsize

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        assert self.lengths is not None
        block = self.column.take(frames)
        lengths = self.lengths[frames]
        if len(lengths) and int(lengths.min()) == block.shape[1]:
            return block.reshape(block.shape[0] * block.shape[1], *self.item)
        real: Array = block[np.arange(block.shape[1]) < lengths[:, None]]
        return real


@final
class Constant(Column):
    """The same `value` in every one of `frames` frames; ragged if its first axis is one."""

    def __init__(self, value: Array, frames: int, *, ragged: bool = False) -> None:
        self.value, self.frames, self.dtype = value, frames, value.dtype
        self.item = tuple(value.shape[1:]) if ragged else tuple(value.shape)
        self.lengths = np.broadcast_to(np.int64(len(value)), frames) if ragged else None

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        tiled = np.broadcast_to(self.value, (len(frames), *self.value.shape))
        if self.lengths is None:
            return tiled.copy()
        return tiled.reshape(len(frames) * len(self.value), *self.item)


@final
class Picked(Column):
    """The frames `picked` of another column, whose `lengths` may be given where they are known already."""

    def __init__(self, column: Column, picked: Indices, lengths: Indices | None = None) -> None:
        self.column, self.picked = column, picked
        self.frames, self.item, self.dtype = len(picked), column.item, column.dtype
        self.lengths = column.lengths[picked] if lengths is None and column.lengths is not None else lengths

    @property
    def reads(self) -> int:
        """See `Column.reads`."""
        return self.column.reads

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        return self.column.take(self.picked[frames])

    def slotted(self, frames: Indices, slots: Slots) -> Iterable[Array]:
        """See `Column.slotted`."""
        return self.column.slotted(self.picked[frames], slots)


@final
class Mapped(Column):
    """Another column with `function` over its values; it must keep the number of rows."""

    def __init__(self, column: Column, function: Callable[[Array], Array]) -> None:
        self.column, self.function = column, function
        probe = function(np.zeros((1, *column.item), dtype=column.dtype))
        self.frames, self.lengths = column.frames, column.lengths
        self.item, self.dtype = tuple(probe.shape[1:]), probe.dtype

    @property
    def reads(self) -> int:
        """See `Column.reads`."""
        return self.column.reads

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        return self.function(self.column.take(frames))


@final
class Joined(Column):
    """Several columns of the same item shape one behind the other."""

    def __init__(self, columns: Sequence[Column]) -> None:
        items = {column.item for column in columns}
        if len(items) != 1 or len({column.lengths is None for column in columns}) != 1:
            found = f"their rows have the shapes {sorted(items)}"
            raise DataError("join several sources", found, "Join only sources whose fields have the same shape")
        self.columns = tuple(columns)
        self.starts = offsets(np.array([column.frames for column in columns], dtype=np.int64))
        self.frames, self.item = int(self.starts[-1]), columns[0].item
        self.dtype = _common_type([column.dtype for column in columns])
        lengths = [column.lengths for column in columns if column.lengths is not None]
        self.lengths = np.concatenate(lengths) if lengths else None

    @property
    def reads(self) -> int:
        """See `Column.reads`."""
        return max(column.reads for column in self.columns)

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        owner = np.searchsorted(self.starts, frames, side="right") - 1
        counts = np.ones(len(frames), dtype=np.int64) if self.lengths is None else self.lengths[frames]
        starts = offsets(counts)
        out = np.empty((int(starts[-1]), *self.item), dtype=self.dtype)
        for which in np.unique(owner):
            mine = np.flatnonzero(owner == which)
            rows = self.columns[which].take(frames[mine] - self.starts[which])
            out[segments(starts[mine], counts[mine])] = rows
        return out


def _check_not_negative(lengths: Indices) -> None:
    if lengths.min(initial=0) < 0:
        frame = int(np.argmin(lengths))
        raise DataError("lay out a field", f"the length of frame {frame} is {int(lengths[frame])}", "Correct it")


def _common_type(types: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    if len({dtype.kind in "US" for dtype in types}) > 1:
        found = f"one holds text and another numbers ({', '.join(map(str, types))})"
        raise DataError("join several sources", found, "Join only sources whose fields mean the same")
    return np.result_type(*types)


def whole_lengths(values: Array, name: str) -> Indices:
    """Lengths of frames as integers; an error names the first value that is no whole number.

    >>> whole_lengths(np.array([3.0, 2.0]), "N")
    array([3, 2])
    """
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    wrong = values[np.floor(values) != values] if values.dtype.kind == "f" else values
    if wrong.size:
        found = f"it holds {wrong.reshape(-1)[0]}"
        raise DataError(f"use {name} as the length of each frame", found, "Give it whole numbers")
    return values.astype(np.int64)


def offsets(lengths: Indices) -> Indices:
    """Where each frame's rows begin, and where the last one's end.

    >>> offsets(np.array([2, 3])).tolist()
    [0, 2, 5]
    """
    out = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=out[1:])
    return out


def segments(starts: Indices, lengths: Indices) -> Indices:
    """The row numbers of several runs of rows, one run behind the other.

    >>> segments(np.array([10, 2]), np.array([3, 2])).tolist()
    [10, 11, 12, 2, 3]
    """
    shifts = np.repeat(starts - offsets(lengths)[:-1], lengths)
    rows: Indices = shifts + np.arange(len(shifts), dtype=np.int64)
    return rows


def _span(rows: Indices) -> slice | Indices:
    """Consecutive rows as a slice, which every source reads faster than a list of indices."""
    count = len(rows)
    if count and rows[-1] - rows[0] == count - 1 and (count < 3 or bool(np.all(np.diff(rows) == 1))):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
