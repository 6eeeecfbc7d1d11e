"""A keyed permutation that is computed where it is asked for, never stored.

Up to `SMALL` numbers are permuted by numpy's own shuffle, which is uniform over all permutations. Beyond, a Feistel
network over pairs (left, right) that count the numbers row by row adds a hash of one half to the other, round after
round (Black & Rogaway 2002, https://doi.org/10.1007/3-540-45760-7_9); what falls outside the range is permuted again
until it falls inside.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from atomloom.data.columns import Indices

SMALL = 1 << 20
"""Up to so many numbers an explicit permutation is made, of four megabytes at most."""

ROUNDS = 6
_WORD = np.uint64
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, the increment of SplitMix64


def permuted(positions: Indices, size: int, seed: int, *key: int) -> Indices:
    """Where a permutation of `size` numbers takes these; permutations of different seeds and keys are unrelated.

    >>> sorted(permuted(np.arange(5), 5, 7, 0).tolist())
    [0, 1, 2, 3, 4]
    """
    if size <= SMALL:
        return _explicit(size, seed, key).take(positions).astype(np.int64)
    return _feistel(positions, size, list(_seeds(seed, key).generate_state(ROUNDS, np.uint64)))


def _seeds(seed: int, key: tuple[int, ...]) -> np.random.SeedSequence:
    """What numpy makes random numbers of; unlike the entries of a list, seed and key cannot run into each other."""
    return np.random.SeedSequence(seed, spawn_key=key)


@lru_cache(maxsize=4)
def _explicit(size: int, seed: int, key: tuple[int, ...]) -> NDArray[np.int32]:
    # numpy shuffles its widest integers in half of the time.
    order = np.random.default_rng(_seeds(seed, key)).permutation(size).astype(np.int32)
    order.flags.writeable = False
    return order


def _feistel(positions: Indices, size: int, keys: list[np.uint64]) -> Indices:
    width = math.isqrt(size - 1) + 1
    height = -(-size // width)
    out = _rounds(positions.astype(_WORD), height, width, keys)
    outside = np.flatnonzero(out >= size)
    while outside.size:
        out[outside] = _rounds(out[outside], height, width, keys)
        outside = outside[out[outside] >= size]
    return out.astype(np.int64)


def _rounds(values: NDArray[np.uint64], height: int, width: int, keys: list[np.uint64]) -> NDArray[np.uint64]:
    left = values // _WORD(width)
    right = values - left * _WORD(width)
    for number, key in enumerate(keys):
        changed, other, below = (right, left, width) if number % 2 else (left, right, height)
        changed += _hash(other, key, below)
        # The sum of two numbers below `below`, modulo it: what is too small for the difference wraps around.
        np.minimum(changed, changed - _WORD(below), out=changed)
    left *= _WORD(width)
    left += right
    return left


def _hash(values: NDArray[np.uint64], key: np.uint64, below: int) -> NDArray[np.uint64]:
    """SplitMix64 of value and key (Steele et al. 2014), its upper half scaled to a number below `below` < 2^32."""
    mixed = values ^ key
    mixed += _WORD(_GOLDEN)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> _WORD(shift)
        mixed *= _WORD(factor)
    mixed ^= mixed >> _WORD(31)
    mixed >>= _WORD(32)
    mixed *= _WORD(below)
    mixed >>= _WORD(32)
    return mixed
