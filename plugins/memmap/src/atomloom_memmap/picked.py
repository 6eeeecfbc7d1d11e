"""Some frames of a store along one axis: in which shards they are, and where their rows begin and end there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        starts: where their rows begin there.
        lengths: how many these are.
        latest: where the last of them begin.
    """

    shard: OpenShard
    chosen: Indices | slice
    starts: Indices
    lengths: Indices
    latest: int


class _Share(NamedTuple):
    """The frames in one shard, as `PickedPart` has them, and their numbers there."""

    shard: OpenShard
    chosen: Indices | slice
    numbers: Indices


class Picked:
    """Some frames of a store.

    Args:
        shards: those of the store.
        firsts: the first frame of each shard, and the number of all frames.
        axis: the ragged axis, or nothing for fields with one row a frame.
        frames: their numbers.
        other: the same frames along another axis, if they have been looked up.

    Attributes:
        parts: by shard; no shard without any of the frames is among them.
        lengths: the rows of each frame.
    """

    def __init__(
        self,
        shards: Sequence[OpenShard],
        firsts: Indices,
        axis: str,
        frames: Indices,
        other: Picked | None = None,
    ) -> None:
        self.frames, self.axis = frames, axis
        self._shares: list[_Share] = other._shares if other else _divided(shards, firsts, frames)
        self.parts = tuple(_part(share, axis) for share in self._shares)
        self.lengths = self.parts[0].lengths if len(self.parts) == 1 else np.empty(len(frames), dtype=np.int64)
        for part in self.parts[1:] and self.parts:
            self.lengths[part.chosen] = part.lengths
        self._masked: tuple[tuple[int, ...], Array] = (), np.empty(0)

    def masks(self, width: int, size: int, first: int, last: int) -> Array:
        """See `gather.masks_of`, for the frames from `first` to `last`; fields of one size of row share them.

        They hold until those of other frames are asked for.
        """
        asked = (width, size, first, last)
        if asked != self._masked[0]:
            self._masked = asked, gather.masks_of(self.lengths[first:last], width, size, self._masked[1])
        return self._masked[1]

    def rows(self, name: str) -> list[Array]:
        """The rows of a field in each part, mapped; the blocks that hold those of the frames are checked."""
        arrays = [part.shard.fields[name] for part in self.parts]
        rows = [array.rows for array in arrays]
        for array, part in zip(arrays, self.parts, strict=True):
            array.touch(part.starts, part.lengths)
        return rows

    def looks(self, name: str) -> list[Callable[[], None]]:
        """For each file of a field what stops if that has shrunk since its rows were given out."""
        return [part.shard.fields[name].look for part in self.parts]


def _divided(shards: Sequence[OpenShard], firsts: Indices, frames: Indices) -> list[_Share]:
    """Which of the frames are in which shard; no shard without any is among them."""
    if len(shards) == 1 or not len(frames):
        return [_Share(shards[0], slice(None), frames)]
    owners = np.searchsorted(firsts, frames, side="right") - 1
    # Narrow numbers are sorted by their digits, in a few steps.
    order = np.argsort(owners.astype(np.min_scalar_type(len(shards))), kind="stable")
    stops = np.cumsum(np.bincount(owners, minlength=len(shards))).tolist()
    held = [(shard, order[start:stop]) for shard, start, stop in zip(shards, [0, *stops], stops, strict=False)]
    return [_Share(shard, chosen, frames[chosen] - shard.first) for shard, chosen in held if len(chosen)]


def _part(share: _Share, axis: str) -> PickedPart:
    starts, lengths = share.shard.spans(axis, share.numbers)
    return PickedPart(share.shard, share.chosen, starts, lengths, int(starts.max(initial=0)))
