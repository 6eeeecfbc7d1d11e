"""The order of frames in an epoch, a pure function of (seed, epoch, position): nothing has to be saved to resume.

A full shuffle reads single frames from anywhere, which a disk that is not cached in memory does slowly. A block shuffle
reads whole stretches: blocks of consecutive frames come in a random order, and the frames of `mix` blocks at a time are
mixed, so that a batch holds frames of up to so many places of the data::

    stored     aaaa bbbb cccc dddd ee        blocks of 4, the last one is short
    blocks     cccc aaaa  ee bbbb  dddd      in random order, in windows of mix = 2
    epoch      accaaacc  bebbeb    dddd      each window shuffled by itself
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from atomloom.batching.permutation import permuted
from atomloom.data.columns import Indices
from atomloom.errors import ConfigError

MIX = 16
"""Blocks whose frames are mixed."""


@dataclass(frozen=True)
class Order:
    """The order of `frames` frames in every epoch.

    Args:
        frames: how many there are.
        seed: two orders of different seeds, and two epochs of one, are unrelated.
        shuffled: False for the order in which frames are stored.
        block: consecutive frames that are read together; 0 to shuffle all of them over the whole epoch.
        mix: of how many blocks at a time the frames are mixed.

    >>> order = Order(5, seed=1)
    >>> sorted(order.at(epoch=0).tolist())
    [0, 1, 2, 3, 4]
    >>> sorted((Order(400, seed=1, block=4, mix=2).at(0, 0, 8) // 4).tolist())  # frames of two blocks
    [1, 1, 1, 1, 39, 39, 39, 39]
    """

    frames: int
    seed: int
    shuffled: bool = True
    block: int = 0
    mix: int = MIX

    def __post_init__(self) -> None:
        """Refuse blocks of no frames and windows of no blocks."""
        if self.block < 0 or self.mix < 1:
            found = f"blocks of {self.block} frames are to be mixed {self.mix} at a time"
            raise ConfigError("shuffle in blocks", found, "Give 1 or more for both, or block 0 for a full shuffle")

    def at(self, epoch: int, start: int = 0, stop: int | None = None) -> Indices:
        """The frames at the positions `start` to `stop` of an epoch."""
        stop = self.frames if stop is None else min(stop, self.frames)
        positions = np.arange(start, max(start, stop), dtype=np.int64)
        if not self.shuffled or not len(positions):
            return positions
        if not self.block:
            return permuted(positions, self.frames, self.seed, epoch)
        blocks = _Blocks.of(self, epoch)
        return blocks.frames(np.concatenate(list(self._mixed(blocks, epoch, start, stop))))

    def _mixed(self, blocks: _Blocks, epoch: int, start: int, stop: int) -> Iterator[Indices]:
        """The places among the blocks that the positions from `start` to `stop` lead to, window by window."""
        for window in range(blocks.holding(start) // self.mix, blocks.holding(stop - 1) // self.mix + 1):
            low, high = blocks.begin(window * self.mix), blocks.begin((window + 1) * self.mix)
            inside = np.arange(max(start, low), min(stop, high), dtype=np.int64) - low
            yield low + permuted(inside, high - low, self.seed, epoch, window)


@dataclass(frozen=True)
class _Blocks:
    """The blocks of an epoch one behind the other, not mixed yet.

    Args:
        order: their numbers in the order in which they come.
        size: frames in each but the last one of the data.
        short: where that one comes.
        missing: by how many frames it is short.
    """

    order: Indices
    size: int
    short: int
    missing: int

    @classmethod
    def of(cls, order: Order, epoch: int) -> _Blocks:
        """Those of an epoch."""
        count = -(-order.frames // order.block)
        numbers, short = _shuffled(count, order.seed, epoch)
        return cls(numbers, order.block, short, count * order.block - order.frames)

    def begin(self, place: int) -> int:
        """The position of the first frame of the block at this place, or the end of the epoch."""
        place = min(place, len(self.order))
        return place * self.size - (self.missing if place > self.short else 0)

    def holding(self, position: int) -> int:
        """The place of the block with this position."""
        return (position + (self.missing if position >= self.begin(self.short + 1) else 0)) // self.size

    def frames(self, positions: Indices) -> Indices:
        """The frames at these positions."""
        full = positions + self.missing * (positions >= self.begin(self.short + 1))
        place, within = np.divmod(full, self.size)
        numbers: Indices = self.order[place] * self.size + within
        return numbers


@lru_cache(maxsize=4)
def _shuffled(count: int, seed: int, epoch: int) -> tuple[Indices, int]:
    """So many blocks in their order of the epoch, and where the last one of the data comes."""
    order = permuted(np.arange(count, dtype=np.int64), count, seed, epoch)
    order.flags.writeable = False
    return order, int(np.flatnonzero(order == count - 1)[0])
