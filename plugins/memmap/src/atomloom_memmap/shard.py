"""The stretch of frames of an open store that was written together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from atomloom.arrays.place import Place
from atomloom.data.columns import Array, Indices, segments
from atomloom.errors import DataError
from atomloom_memmap.checksums import Sums, blocks_of, digest
from atomloom_memmap.manifest import ArrayEntry, Part, Shard
from atomloom_memmap.stored import STRETCH, Check, StoredArray

SUMS = "checksums.npy"
"""The file in each part that holds the checksums of the blocks of its arrays."""


class Damage(NamedTuple):
    """A place where the bytes are not those that were written.

    Args:
        shard: number of the shard, from 0 up.
        file: path of the file within the store.
        field: what the array holds.
        where: the bytes, and the frames whose values are there.
    """

    shard: int
    file: str
    field: str
    where: str


class OpenShard:
    """A stretch of frames of an open store.

    Args:
        store: folder of the store.
        number: of the shard.
        first: number of its first frame.
        described: what the manifest says of it.
        axes: the ragged axis of every field, an empty string for one row a frame.
        check: when blocks are checked.

    Attributes:
        frames: how many there are.
        fields: the arrays of the fields by name.
        offsets: by ragged axis, the array of where each frame's rows begin.
    """

    def __init__(
        self, store: Path, number: int, first: int, described: Shard, axes: dict[str, str], check: Check
    ) -> None:
        self.number, self.first, self.frames = number, first, described.frames
        self._axes = axes
        self.parts = [OpenPart(store, part) for part in described.parts]
        self.fields: dict[str, StoredArray] = {}
        self.offsets: dict[str, StoredArray] = {}
        for part in self.parts:
            for axis, entry in part.described.offsets.items():
                self.offsets[axis] = part.array(entry, self._frames_of_offsets, check)
            for name, entry in part.described.fields.items():
                self.fields[name] = part.array(entry, self._teller(axes[name]), check)

    def check_sizes(self) -> None:
        """Stops if a file is missing or has not the size that the manifest says."""
        for part in self.parts:
            part.check_size()
        for array in (*self.offsets.values(), *self.fields.values()):
            array.check_size()

    def spans(self, axis: str, frames: Indices) -> tuple[Indices, Indices]:
        """Where the rows of these frames of the shard begin along an axis, and how many; one without an axis."""
        if not axis:
            return frames, np.broadcast_to(np.int64(1), len(frames))
        array = self.offsets[axis]
        offsets = array.rows
        array.touch(frames, 2)
        # Where a frame ends stands beside where it begins: seen as one value, both are found by one step.
        both = np.ndarray((len(offsets) - 1,), np.complex128, offsets.data, 0, offsets.strides)[frames]
        begin, end = both.view(offsets.dtype).reshape(-1, 2).T
        return begin.copy(), end - begin

    def rows(self, name: str, frames: Indices) -> Array:
        """The rows of a field of these frames of the shard, one behind the other; `gather` is quicker for many."""
        starts, lengths = self.spans(self._axes[name], frames)
        array = self.fields[name]
        values = array.rows
        array.touch(starts, lengths)
        rows: Array = values[segments(starts, lengths)]
        return rows

    def lengths(self, axis: str) -> Indices:
        """Rows of every frame along an axis."""
        array = self.offsets[axis]
        offsets = array.rows
        array.touch(np.array([0]), self.frames + 1)
        lengths: Indices = offsets[1:] - offsets[:-1]
        return lengths

    def verified(self) -> Iterator[list[Damage]]:
        """The places that have not their checksums, for one stretch of a file after the other; see `stretches`."""
        named = {array: f"offsets of {axis}" for axis, array in self.offsets.items()}
        named |= {array: name for name, array in self.fields.items()}
        for part in self.parts:
            mine = {array: name for array, name in named.items() if array.path.parent == part.path}
            yield from part.verified(self.number, mine)

    @property
    def stretches(self) -> int:
        """How many stretches `verified` goes through, unless it finds a file that cannot be read."""
        arrays = (*self.offsets.values(), *self.fields.values())
        return sum(-(-array.entry.bytes // STRETCH) for array in arrays)

    def _teller(self, axis: str) -> Callable[[int, int], str]:
        """Says which frames a stretch of rows along an axis belongs to."""

        def told(first: int, stop: int) -> str:
            if axis:
                offsets = self.offsets[axis].rows
                first, last = (int(np.searchsorted(offsets, row, side="right")) - 1 for row in (first, stop - 1))
                stop = last + 1
            return self._named(first, stop)

        return told

    def _frames_of_offsets(self, first: int, stop: int) -> str:
        return self._named(max(first - 1, 0), min(stop, self.frames))

    def _named(self, first: int, stop: int) -> str:
        one, last = self.first + first, self.first + stop - 1
        return f"frame {one}" if one == last else f"frames {one} to {last}"


class OpenPart:
    """A folder of arrays with their checksums."""

    def __init__(self, store: Path, described: Part) -> None:
        self.described, self._store = described, store
        self.path = store / described.folder
        entries = [*described.offsets.values(), *described.fields.values()]
        counts = [blocks_of(entry.bytes) for entry in entries]
        stops = np.cumsum(counts, dtype=np.int64).tolist()
        self._stretch = {
            entry.file: slice(stop - count, stop) for entry, count, stop in zip(entries, counts, stops, strict=True)
        }

    def array(self, entry: ArrayEntry, told: Callable[[int, int], str], check: Check) -> StoredArray:
        """One of its arrays."""
        return StoredArray(self.path / entry.file, entry, lambda: self.sums_of(entry), told, check)

    def sums_of(self, entry: ArrayEntry) -> Sums:
        """The checksums of the blocks of one of its arrays."""
        return self.sums[self._stretch[entry.file]]

    @cached_property
    def sums(self) -> Sums:
        """The checksums of all blocks, themselves checked by the manifest."""
        place = Place(self.path / SUMS)
        try:
            text = place.path.read_bytes()
        except OSError as error:
            raise place.error(f"it cannot be read ({error.strerror})") from None
        if digest(text) != self.described.digest:
            raise place.error("it is damaged: the manifest has another checksum for it", "Copy that file again")
        sums: Sums = np.frombuffer(text, dtype="<u8")[-sum(s.stop - s.start for s in self._stretch.values()) :]
        return sums

    def check_size(self) -> None:
        """Stops if the file of checksums is missing."""
        if not (self.path / SUMS).is_file():
            raise Place(self.path / SUMS).error("the checksums of the arrays beside it are not there")

    def verified(self, shard: int, arrays: dict[StoredArray, str]) -> Iterator[list[Damage]]:
        """What is wrong with the files of this folder, stretch by stretch."""
        try:
            _ = self.sums
        except DataError as error:
            yield [Damage(shard, f"{self.described.folder}/{SUMS}", "checksums", error.found)]
            return
        for array, name in arrays.items():
            file = f"{self.described.folder}/{array.path.name}"
            for wrong in _wrong(array):
                yield [Damage(shard, file, name, where) for where in wrong]


def _wrong(array: StoredArray) -> Iterator[list[str]]:
    try:
        array.check_size()
        for blocks in array.stretches():
            yield [array.where(block) for block in blocks]
    except DataError as error:
        yield [error.found]
