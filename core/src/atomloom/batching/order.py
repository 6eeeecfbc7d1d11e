"""The order of frames in an epoch: a permutation that is computed where it is asked for, never stored.

Position p of epoch e is frame ``permutation(p)``, a pure function of (seed, epoch, p): nothing has to be saved to
resume and nothing has to be held for a billion frames. Up to `SMALL` frames numpy's own shuffle is used, which is
uniform over all permutations. Beyond, a Feistel network over pairs (left, right) that number the frames row by row adds
a hash of one half to the other, round after round (Black & Rogaway 2002, https://doi.org/10.1007/3-540-45760-7_9); what
falls outside the range is permuted again until it falls inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from atomloom.data.columns import Indices

SMALL = 1 << 16
"""Up to so many frames an explicit permutation is made, of half a megabyte at most."""

ROUNDS = 6
_WORD = np.uint64
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, the increment of SplitMix64


@dataclass(frozen=True)
class Order:
    """The order of `frames` frames in every epoch.

    Args:
        frames: how many there are.
        seed: two orders of different seeds, and two epochs of one, are unrelated.
        shuffled: False for the order in which frames are stored.

    >>> order = Order(5, seed=1)
    >>> sorted(order.at(epoch=0).tolist())
    [0, 1, 2, 3, 4]
    """

    frames: int
    seed: int
    shuffled: bool = True

    def at(self, epoch: int, start: int = 0, stop: int | None = None) -> Indices:
        """The frames at the positions `start` to `stop` of an epoch."""
        stop = self.frames if stop is None else min(stop, self.frames)
        positions = np.arange(start, max(start, stop), dtype=np.int64)
        if not self.shuffled or self.frames < 2:
            return positions
        if self.frames <= SMALL:
            return _explicit(self.frames, self.seed, epoch)[positions]
        return _feistel(positions, self.frames, _round_keys(self.seed, epoch))


@lru_cache(maxsize=16)
def _explicit(frames: int, seed: int, epoch: int) -> Indices:
    order = np.random.default_rng([seed, epoch]).permutation(frames).astype(np.int64)
    order.flags.writeable = False
    return order


def _round_keys(seed: int, epoch: int) -> list[np.uint64]:
    """Keys from numpy's seed sequence, which keeps (seed, epoch) and (seed + 1, epoch - 1) apart."""
    return list(np.random.SeedSequence([seed, epoch]).generate_state(ROUNDS, np.uint64))


def _feistel(positions: Indices, frames: int, keys: list[np.uint64]) -> Indices:
    width = math.isqrt(frames - 1) + 1
    height = -(-frames // width)
    out = _rounds(positions.astype(_WORD), height, width, keys)
    outside = np.flatnonzero(out >= frames)
    while outside.size:
        out[outside] = _rounds(out[outside], height, width, keys)
        outside = outside[out[outside] >= frames]
    return out.astype(np.int64)


def _rounds(values: NDArray[np.uint64], height: int, width: int, keys: list[np.uint64]) -> NDArray[np.uint64]:
    left, right = np.divmod(values, _WORD(width))
    for number, key in enumerate(keys):
        if number % 2:
            right = (right + _hash(left, key, width)) % _WORD(width)
        else:
            left = (left + _hash(right, key, height)) % _WORD(height)
    return left * _WORD(width) + right


def _hash(values: NDArray[np.uint64], key: np.uint64, below: int) -> NDArray[np.uint64]:
    """SplitMix64 of value and key (Steele et al. 2014), its upper half scaled to a number below `below` < 2^32."""
    mixed = (values ^ key) + _WORD(_GOLDEN)
    mixed = (mixed ^ (mixed >> _WORD(30))) * _WORD(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> _WORD(27))) * _WORD(0x94D049BB133111EB)
    mixed ^= mixed >> _WORD(31)
    return ((mixed >> _WORD(32)) * _WORD(below)) >> _WORD(32)
