"""Some frames of a store along one axis: in which shards they are, and where their rows begin and end there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom_memmap import gather
from atomloom_memmap.shard import OpenShard


class PickedPart(NamedTuple):
    """Those of the frames that are in one shard.

    Args:
        shard: the shard.
        chosen: which of the frames they are, a slice where it is all of them.
        starts, stops: their rows there.
        lengths: how many these are.
    """

    shard: OpenShard
    chosen: Indices | slice
    starts: Indices
    stops: Indices
    lengths: Indices


class Picked:
    """Some frames of a store.

    Args:
        shards: those of the store.
        firsts: the first frame of each shard, and the number of all frames.
        axis: the ragged axis, or nothing for fields with one row a frame.
        frames: their numbers.

    Attributes:
        parts: by shard; no shard without any of the frames is among them.
        lengths: the rows of each frame.
    """

    def __init__(self, shards: Sequence[OpenShard], firsts: Indices, axis: str, frames: Indices) -> None:
        self.frames, self.axis = frames, axis
        self.parts = tuple(_parts(shards, firsts, axis, frames))
        self.lengths = self.parts[0].lengths if len(self.parts) == 1 else np.empty(len(frames), dtype=np.int64)
        for part in self.parts[1:] and self.parts:
            self.lengths[part.chosen] = part.lengths
        self._masked: tuple[tuple[int, ...], Array] | None = None

    def masks(self, width: int, size: int, first: int, last: int) -> Array:
        """See `gather.masks_of`, for the frames from `first` to `last`; fields of one size of row share them."""
        asked, known = (width, size, first, last), self._masked
        if known is None or known[0] != asked:
            known = self._masked = asked, gather.masks_of(self.lengths[first:last], width, size)
        return known[1]

    def rows(self, name: str) -> list[Array]:
        """The rows of a field in each part, mapped; the blocks that hold those of the frames are checked."""
        arrays = [part.shard.fields[name] for part in self.parts]
        rows = [array.rows for array in arrays]
        for array, part in zip(arrays, self.parts, strict=True):
            array.touch(part.starts, part.stops)
        return rows

    def check_sizes(self, name: str) -> None:
        """Stops if a file of a field has shrunk since its rows were given out."""
        for part in self.parts:
            _ = part.shard.fields[name].rows


def _parts(shards: Sequence[OpenShard], firsts: Indices, axis: str, frames: Indices) -> list[PickedPart]:
    if len(shards) == 1:
        return [_part(shards[0], axis, slice(None), frames)]
    owners = np.searchsorted(firsts, frames, side="right") - 1
    parts = []
    for owner in np.unique(owners).tolist():
        chosen = np.flatnonzero(owners == owner)
        parts.append(_part(shards[owner], axis, chosen, frames[chosen] - shards[owner].first))
    return parts or [_part(shards[0], axis, slice(None), frames)]


def _part(shard: OpenShard, axis: str, chosen: Indices | slice, frames: Indices) -> PickedPart:
    starts, stops = shard.bounds(axis, frames)
    return PickedPart(shard, chosen, starts, stops, stops - starts)
