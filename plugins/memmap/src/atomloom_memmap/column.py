"""The fields of a store as columns of a data set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np

from atomloom.data import Column, Slots, spread
from atomloom.data.columns import Array, Indices, offsets
from atomloom_memmap import gather
from atomloom_memmap.picked import Picked

if TYPE_CHECKING:
    from atomloom_memmap.store import Store


@final
class Stored(Column):
    """A field of a store, gathered from its shards right into the slots of batches."""

    def __init__(self, store: Store, name: str) -> None:
        entry = store.manifest.fields[name]
        self.store, self.name, self.axis = store, name, entry.axis
        self.frames, self.item, self.dtype = len(store), entry.item, np.dtype(entry.dtype)
        self._size = math.prod(self.item) * self.dtype.itemsize

    @property
    def ragged(self) -> bool:
        """See `Column.ragged`."""
        return bool(self.axis)

    @property
    def lengths(self) -> Indices | None:  # type: ignore[override]  # counted when it is asked for
        """Rows of each frame; counted by reading the offsets when it is first asked for."""
        return self.store.lengths(self.axis) if self.axis else None

    def as_long_as(self, other: Column) -> bool:
        """See `Column.as_long_as`: along one axis of one store there is nothing to compare."""
        if isinstance(other, Stored) and other.store is self.store:
            return self.axis == other.axis
        return super().as_long_as(other)

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        picked = self.store.pick(self.axis, frames)
        total = int(picked.lengths.sum())
        slots = Slots(total, np.array([0, len(frames)]), offsets(picked.lengths)[:-1])
        return next(self._in_slots(picked, slots))

    def slotted(self, frames: Indices, slots: Slots) -> Iterator[Array]:
        """See `Column.slotted`."""
        return self._in_slots(self.store.pick(self.axis, frames), slots)

    def _in_slots(self, picked: Picked, slots: Slots) -> Iterator[Array]:
        rows = picked.rows(self.name)
        width = slots.width or int(picked.lengths.max(initial=0))
        # A shard that was added later may be of another precision than the first.
        alike = all(each.dtype == self.dtype for each in rows)
        if not self.axis:
            yield from self._single(picked, rows, slots)
        elif alike and gather.worthwhile(picked.lengths, width, self._size):
            windows = gather.Windows(rows, picked.parts, width)
            for first, last in pairwise(slots.cuts.tolist()):
                picked.check_sizes(self.name)  # whoever takes the batches may take a while
                yield self._by_windows(windows.of(first, last), picked, slots, width, first, last)
        else:
            yield from self._copied(picked, rows, slots)

    def _by_windows(self, found: Array, picked: Picked, slots: Slots, width: int, first: int, last: int) -> Array:
        """The frames from `first` to `last`, found as windows, in the slots of their batch."""
        if not slots.width:
            lengths, places = picked.lengths[first:last], slots.places[first:last]
            return gather.packed(found, lengths, places, slots.size, width).view(self.dtype).reshape(-1, *self.item)
        masks = picked.masks(width, found.dtype.itemsize // width, first, last)
        rows = gather.masked(found, masks).view(self.dtype).reshape(-1, *self.item)
        if len(rows) == slots.size:
            return rows
        filled = np.zeros((slots.size, *self.item), dtype=self.dtype)
        filled[: len(rows)] = rows
        return filled

    def _copied(self, picked: Picked, rows: list[Array], slots: Slots) -> list[Array]:
        """Frames that are long, or of other precisions, one by one."""
        batches = [np.zeros((slots.size, *self.item), dtype=self.dtype) for _ in range(len(slots.cuts) - 1)]
        owner = np.repeat(np.arange(len(batches)), np.diff(slots.cuts))
        for part, values in zip(picked.parts, rows, strict=True):
            for number in np.unique(owner[part.chosen]).tolist():
                mine = np.flatnonzero(owner[part.chosen] == number)
                places = slots.places[part.chosen][mine]
                gather.copied(batches[number], places, values, part.starts[mine], part.lengths[mine])
        return batches

    def _single(self, picked: Picked, rows: list[Array], slots: Slots) -> Iterator[Array]:
        """One row for each frame."""
        if len(rows) == 1:
            return spread(rows[0][picked.parts[0].starts].astype(self.dtype, copy=False), slots)
        found = np.empty((len(picked.lengths), *self.item), dtype=self.dtype)
        for part, values in zip(picked.parts, rows, strict=True):
            found[part.chosen] = values[part.starts]
        return spread(found, slots)


@final
class Counted(Column):
    """The number of rows of every frame along an axis, which the offsets say."""

    def __init__(self, store: Store, axis: str) -> None:
        self.store, self.axis = store, axis
        self.frames, self.item, self.dtype = len(store), (), np.dtype(np.int64)

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        lengths: Any = self.store.pick(self.axis, frames).lengths
        return np.asarray(lengths)
