"""Timings of several ways to do one thing, in turn, so that what the machine does meanwhile meets them alike."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Timed(NamedTuple):
    """Seconds of each repeat of something."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median."""
        return float(np.median(self.seconds))

    def rate(self, things: int) -> tuple[float, float]:
        """Things in a second by the median, and half the range from the slowest to the fastest repeat."""
        rates = things / np.array(self.seconds)
        return float(np.median(rates)), float(np.ptp(rates)) / 2


def in_turn(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Timed]:
    """Each of the ways timed so often, one after the other in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            seconds[name].append(timed(way))
    return {name: Timed(tuple(each)) for name, each in seconds.items()}


def timed(way: Callable[[], object]) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def allocated(way: Callable[[], object]) -> int:
    """Bytes of memory that something has allocated at its height; what is mapped from files is not among them."""
    tracemalloc.start()
    try:
        way()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
