"""Length buckets: where to cut a distribution of lengths so that padding costs least.

Boundaries are inclusive: a frame of length n belongs to the first bucket whose boundary is n or more. The cost of a
frame padded to b is ``linear * b + quadratic * b**2``: atoms cost the first, dense pairs the second.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from atomloom.data.columns import Indices
from atomloom.errors import ConfigError, DataError


def assign(lengths: npt.ArrayLike, boundaries: npt.ArrayLike) -> Indices:
    """The number of each frame's bucket; an error names a frame above every bucket.

    >>> assign([10, 11, 20], [10, 20]).tolist()
    [0, 1, 1]
    """
    sizes, bounds = _lengths(lengths), np.asarray(boundaries, dtype=np.int64)
    if not bounds.size or (np.diff(bounds) <= 0).any():
        raise ConfigError("use the bucket boundaries", f"{bounds.tolist()} do not ascend", "Give ascending lengths")
    above = np.flatnonzero(sizes > bounds[-1])
    if above.size:
        found = f"frame {int(above[0])} has {int(sizes[above[0]])} atoms and the largest bucket holds {int(bounds[-1])}"
        raise DataError("put frames into buckets", found, f"Add a boundary of {int(sizes.max())} or more")
    return np.searchsorted(bounds, sizes).astype(np.int64)


def equal_counts(lengths: npt.ArrayLike, buckets: int) -> Indices:
    """Boundaries at the quantiles of the lengths, so that buckets hold about equally many frames.

    Fewer than `buckets` come out where many frames share a length.

    >>> equal_counts([1, 2, 3, 4, 5, 6], 3).tolist()
    [2, 4, 6]
    """
    sizes = np.sort(_lengths(lengths))
    _check_count(buckets)
    ends = (np.arange(1, buckets + 1) * len(sizes) + buckets - 1) // buckets - 1
    return np.unique(sizes[ends])


def optimal(lengths: npt.ArrayLike, buckets: int, *, linear: float = 1.0, quadratic: float = 0.0) -> Indices:
    """The boundaries of at most `buckets` buckets with the least total cost, by dynamic programming.

    With counts C(i) of frames up to the i-th distinct length and cost c(i) of padding to it, the best cost of the first
    i lengths in k buckets is ``min over j < i of best(j, k - 1) + (C(i) - C(j)) c(i)``.

    >>> optimal([1, 1, 1, 9, 10], 2).tolist()
    [1, 10]
    """
    _check_count(buckets)
    if linear < 0 or quadratic < 0 or linear + quadratic == 0:
        raise ConfigError(
            "optimise buckets", f"the cost {linear} n + {quadratic} n^2 is no cost", "Give a positive one"
        )
    distinct, counts = np.unique(_lengths(lengths), return_counts=True)
    upto = np.concatenate([[0], np.cumsum(counts)]).astype(np.float64)
    price = linear * distinct + quadratic * distinct.astype(np.float64) ** 2
    best, choices = np.where(np.arange(len(distinct) + 1) == 0, 0.0, np.inf), []
    for _ in range(min(buckets, len(distinct))):
        best, chosen = _one_more(best, upto, price)
        choices.append(chosen)
    return distinct[_cuts(choices, len(distinct))]


def waste(lengths: npt.ArrayLike, boundaries: npt.ArrayLike, *, linear: float = 1.0, quadratic: float = 0.0) -> float:
    """The share of the cost that padding causes, 0 to 1.

    >>> waste([5, 10], [10])
    0.25
    """
    sizes = _lengths(lengths)
    padded = np.asarray(boundaries, dtype=np.int64)[assign(sizes, boundaries)]
    real, paid = (float((linear * n + quadratic * n.astype(np.float64) ** 2).sum()) for n in (sizes, padded))
    return 1.0 - real / paid if paid else 0.0


def _one_more(
    best: NDArray[np.float64], upto: NDArray[np.float64], price: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Indices]:
    """Best costs with at most one bucket more, and for each end where its last bucket begins."""
    costs = np.full(len(best), np.inf)
    chosen = np.zeros(len(best), dtype=np.int64)
    costs[0] = 0.0
    for end in range(1, len(best)):
        options = best[:end] + (upto[end] - upto[:end]) * price[end - 1]
        chosen[end] = int(np.argmin(options))
        costs[end] = options[chosen[end]]
    return costs, chosen


def _cuts(choices: list[Indices], end: int) -> Indices:
    """Which distinct lengths are boundaries, followed back from the last one."""
    cuts = []
    for chosen in reversed(choices):
        if end == 0:
            break
        cuts.append(end - 1)
        end = int(chosen[end])
    return np.array(cuts[::-1], dtype=np.int64)


def _lengths(lengths: npt.ArrayLike) -> Indices:
    sizes = np.asarray(lengths, dtype=np.int64)
    if not sizes.size or sizes.min() < 0:
        found = "there are none" if not sizes.size else f"one is {int(sizes.min())}"
        raise DataError("plan batches from the lengths of frames", found, "Give the number of atoms of every frame")
    return sizes


def _check_count(buckets: int) -> None:
    if buckets < 1:
        raise ConfigError("make buckets", f"{buckets} were asked for", "Ask for one or more")
