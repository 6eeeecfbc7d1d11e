"""The fields of a store as columns of a data set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np

from atomloom.data import Column, Slots, spread
from atomloom.data.columns import Array, Indices, offsets
from atomloom.data.slots import SMALL, filled_up
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

    def lengths_of(self, frames: Indices) -> Indices:
        """See `Column.lengths_of`."""
        return self.store.pick(self.axis, frames).lengths

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
        return next(iter(self._in_slots(picked, slots)))

    def slotted(self, frames: Indices, slots: Slots) -> Iterable[Array]:
        """See `Column.slotted`."""
        return self._in_slots(self.store.pick(self.axis, frames), slots)

    def _in_slots(self, picked: Picked, slots: Slots) -> Iterable[Array]:
        rows = picked.rows(self.name)
        if not self.axis:
            return self._single(picked, rows, slots)
        width = slots.width or int(picked.lengths.max(initial=0))
        # A shard that was added later may be of another precision than the first.
        alike = all(each.dtype == self.dtype for each in rows)
        if not alike or not gather.worthwhile(picked.lengths, width, self._size, flat=not slots.width):
            return self._copied(picked, rows, slots)
        windows = gather.Windows(rows, picked.parts, width)
        return self._even(picked, windows, slots) if slots.width else self._dense(picked, windows, slots)

    def _even(self, picked: Picked, windows: gather.Windows, slots: Slots) -> Iterator[Array]:
        """Frames that have `slots.width` slots each; of what is small, several batches at once."""
        width, cuts = slots.width, slots.cuts.tolist()
        size = windows.size // width
        together = max(1, SMALL // max(slots.size * size, 1))
        for number in range(0, len(cuts) - 1, together):
            some = cuts[number : number + together + 1]
            first, last, batches = some[0], some[-1], len(some) - 1
            picked.look(self.name)  # whoever takes the batches may take a while
            rows = gather.masked(windows.of(first, last), picked.masks(width, size, first, last))
            if batches == 1 and (last - first) * width == slots.size:
                yield np.ndarray((slots.size, *self.item), self.dtype, rows)
                continue
            for place, made in enumerate(self._cut(rows, some, slots)):
                if place:
                    picked.look(self.name)
                yield made

    def _cut(self, rows: Array, cuts: list[int], slots: Slots) -> Iterable[Array]:
        """The rows of some batches, of which all but the last ones are full, in the slots of each."""
        first, last, batches, width = cuts[0], cuts[-1], len(cuts) - 1, slots.width
        if (last - first) * width == batches * slots.size:
            full: Array = np.ndarray((batches, slots.size, *self.item), self.dtype, rows)
            return full
        own: Array = np.ndarray(((last - first) * width, *self.item), self.dtype, rows)
        bounds = ((start - first, stop - first) for start, stop in pairwise(cuts))
        return [filled_up(own[start * width : stop * width], slots.size) for start, stop in bounds]

    def _dense(self, picked: Picked, windows: gather.Windows, slots: Slots) -> Iterator[Array]:
        """Frames that share the slots of a batch; of what is small, several batches as if they were one."""
        size, cuts = windows.size // windows.width, slots.cuts
        together = max(1, SMALL // max(slots.size * size, 1))
        for number in range(0, len(cuts) - 1, together):
            some = cuts[number : number + together + 1]
            batches, first, last = len(some) - 1, int(some[0]), int(some[-1])
            picked.look(self.name)
            places = slots.places[first:last] + np.repeat(np.arange(batches) * slots.size, np.diff(some))
            lengths, found = picked.lengths[first:last], windows.of(first, last)
            laid = gather.packed(found, lengths, places, batches * slots.size, windows.width)
            made: Array = np.ndarray((batches, slots.size, *self.item), self.dtype, laid)
            for place, batch in enumerate(made):
                if place:
                    picked.look(self.name)
                yield batch

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

    def _single(self, picked: Picked, rows: list[Array], slots: Slots) -> Iterable[Array]:
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
