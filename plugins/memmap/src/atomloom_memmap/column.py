"""The fields of a store as columns of a data set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, final

import numpy as np

from atomloom.data import Column, Slots, spread
from atomloom.data.columns import Array, Indices, offsets
from atomloom.data.slots import SMALL, filled_up, sealed
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
        windows = gather.windows(rows, picked.parts, width)
        return self._even(picked, windows, slots) if slots.width else self._dense(picked, windows, slots)

    def _even(self, picked: Picked, windows: gather.Windows, slots: Slots) -> Iterator[Array]:
        """Frames that have `slots.width` slots each; of what is small, several batches at once."""
        width, shape, looks = slots.width, (slots.size, *self.item), picked.looks(self.name)
        row = windows.size // width
        for cuts in _together(slots, row):
            for look in looks:
                look()
            first, last = cuts[0], cuts[-1]
            rows = sealed(gather.masked(windows.of(first, last), picked.masks(width, row, first, last)))
            batches = len(cuts) - 1
            full = (last - first) * width == batches * slots.size
            yield from _watched(
                np.ndarray((batches, *shape), self.dtype, rows) if full else self._cut(rows, cuts, slots), looks
            )

    def _cut(self, rows: Array, cuts: list[int], slots: Slots) -> list[Array]:
        """The rows of some batches, of which not all are full, in the slots of each."""
        width, first = slots.width, cuts[0]
        own: Array = np.ndarray(((cuts[-1] - first) * width, *self.item), self.dtype, rows)
        bounds = ((start - first, stop - first) for start, stop in pairwise(cuts))
        return [sealed(filled_up(own[start * width : stop * width], slots.size)) for start, stop in bounds]

    def _dense(self, picked: Picked, windows: gather.Windows, slots: Slots) -> Iterator[Array]:
        """Frames that share the slots of a batch; of what is small, several batches as if they were one."""
        looks = picked.looks(self.name)
        for cuts in _together(slots, windows.size // windows.width):
            for look in looks:
                look()
            batches, first, last = len(cuts) - 1, cuts[0], cuts[-1]
            places = slots.places[first:last] + np.repeat(np.arange(batches) * slots.size, np.diff(cuts))
            lengths, found = picked.lengths[first:last], windows.of(first, last)
            laid = sealed(gather.packed(found, lengths, places, batches * slots.size, windows.width))
            made: Array = np.ndarray((batches, slots.size, *self.item), self.dtype, laid)
            yield from _watched(made, looks)

    def _copied(self, picked: Picked, rows: list[Array], slots: Slots) -> list[Array]:
        """Frames that are long, or of other precisions, one by one."""
        batches = [np.zeros((slots.size, *self.item), dtype=self.dtype) for _ in range(len(slots.cuts) - 1)]
        owner = np.repeat(np.arange(len(batches)), np.diff(slots.cuts))
        for part, values in zip(picked.parts, rows, strict=True):
            for number in np.unique(owner[part.chosen]).tolist():
                mine = np.flatnonzero(owner[part.chosen] == number)
                places = slots.places[part.chosen][mine]
                gather.copied(batches[number], places, values, part.starts[mine], part.lengths[mine])
        return [sealed(batch) for batch in batches]

    def _single(self, picked: Picked, rows: list[Array], slots: Slots) -> Iterable[Array]:
        """One row for each frame."""
        if len(rows) == 1:
            return spread(rows[0][picked.parts[0].starts].astype(self.dtype, copy=False), slots, own=True)
        found = np.empty((len(picked.lengths), *self.item), dtype=self.dtype)
        for part, values in zip(picked.parts, rows, strict=True):
            found[part.chosen] = values[part.starts]
        return spread(found, slots, own=True)


@final
class Counted(Column):
    """The number of rows of every frame along an axis, which the offsets say."""

    def __init__(self, store: Store, axis: str) -> None:
        self.store, self.axis = store, axis
        self.frames, self.item, self.dtype = len(store), (), np.dtype(np.int64)

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        return self.store.pick(self.axis, frames).lengths

    def slotted(self, frames: Indices, slots: Slots) -> Iterable[Array]:
        """See `Column.slotted`."""
        return spread(self.take(frames), slots, own=True)


def _watched(batches: Iterable[Array], looks: Sequence[Callable[[], None]]) -> Iterator[Array]:
    """Batches that were just gathered, with a look before all but the first; whoever takes them may take a while."""
    for number, batch in enumerate(batches):
        for look in looks if number else ():
            look()
        yield batch


def _together(slots: Slots, row: int) -> Iterator[list[int]]:
    """The numbers of the first frames of batches that are gathered at once, and of the frame behind them."""
    cuts, together = slots.cuts.tolist(), max(1, SMALL // max(slots.size * row, 1))
    return (cuts[number : number + together + 1] for number in range(0, len(cuts) - 1, together))
