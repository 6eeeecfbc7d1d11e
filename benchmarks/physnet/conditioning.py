"""What it costs a training step to know charge and spin, at 128 features for 10 ethanols.

The work is XLA's own count for the compiled update; the time is that of steps taken in turns on one core, as ratios
within each round with a 95 % interval of their median.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from tables import Limit, table

from atomloom_physnet import Config, PhysNet
from physnet.pinned import found_by, in_turns
from physnet.updates import Updates, molecules

WAYS = ("none", "embedding", "attention")
WORK, TIME = 1.01, 1.03
"""How many times the unconditioned step's work and time tables may take."""
Found = dict[str, dict[str, Sequence[float]]]
FEATURES, ETHANOLS, ROUNDS = 128, (10, 9), 200


class Interval(NamedTuple):
    """A median, and the bounds that it lies within with a confidence of 95 %."""

    low: float
    median: float
    high: float


def interval(values: Sequence[float]) -> Interval:
    """Of the median, by ranks: whatever the distribution, few of its samples lie far from the middle one.

    >>> interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
    Interval(low=2.0, median=5.0, high=8.0)
    """
    ordered, count = sorted(values), len(values)
    reach = 1.96 * math.sqrt(count) / 2
    low, high = math.floor(count / 2 - reach), math.ceil(count / 2 + reach)
    return Interval(ordered[max(low, 0)], float(np.median(ordered)), ordered[min(high, count) - 1])


def run() -> list[Limit]:
    """Print work and time as multiples of those without conditioning."""
    found: Found = found_by("conditioning")
    rows, work = [], {way: [mine / plain for mine, plain in _beside(found, way, "work")] for way in WAYS}
    for way in WAYS:
        time = interval(_ratios(found, way))
        spread = f"{time.median:.3f} ({time.low:.3f} to {time.high:.3f})" if way != "none" else "1"
        rows.append([way, *(f"{share:.4f}" for share in work[way]), spread])
    title = f"Conditioning: a training step at {FEATURES} features, as multiples of the unconditioned one"
    table(title, ("", "operations", "bytes", f"CPU time, median of {ROUNDS} (95 %)"), rows)
    return [
        Limit("embedding: operations and bytes", max(work["embedding"]), WORK, least=False),
        Limit("embedding: upper end of the time", interval(_ratios(found, "embedding")).high, TIME, least=False),
    ]


def _ratios(found: Found, way: str) -> list[float]:
    return [mine / plain for mine, plain in _beside(found, way, "seconds")]


def _beside(found: Found, way: str, what: str) -> Iterator[tuple[float, float]]:
    """The values of a way with those of the unconditioned network."""
    return zip(found[way][what], found["none"][what], strict=True)


def measured() -> Found:
    """Work and CPU seconds of every way."""
    dataset = molecules(*ETHANOLS)
    steps = {way: Updates(PhysNet(), Config(features=FEATURES, conditioning=way), dataset) for way in WAYS}
    seconds = in_turns(steps, ROUNDS)
    return {way: {"work": step.work, "seconds": seconds[way]} for way, step in steps.items()}
