"""Alternating runs, so that a busy machine slows all contenders alike, their medians, and ratios within a round."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import numpy as np

from memmap.contenders import Epoch, PackedEpoch

LEAST = 0.3
"""Seconds of reading in a repetition: what a processor learns in the first milliseconds is learnt by then."""

SETTLE = 0.1
"""Seconds after a repetition in which the threads that it left behind come to rest."""


def seconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def rate(epoch: Epoch | PackedEpoch, count: int, rng: np.random.Generator, least: float = LEAST) -> float:
    """Molecules per second, read in fresh random orders of `count` molecules that are made while the clock stands."""
    read, taken = 0, 0.0
    while taken < least:
        batches = epoch(rng.permutation(count))
        begin = now = time.perf_counter()
        for batch in batches:
            read += len(batch.E)
            now = time.perf_counter()
            if taken + now - begin >= least:
                break
        taken += now - begin
    return read / taken


def elsewhere(code: str, *arguments: str) -> dict[str, float]:
    """What a piece of Python that prints JSON finds in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    found: dict[str, float] = json.loads(done.stdout)
    return found


def alternating(repetitions: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each repetition measures in every round; the first round warms up and is thrown away."""
    measured: dict[str, list[float]] = {name: [] for name in repetitions}
    for number in range(rounds + 1):
        for name, repetition in repetitions.items():
            found = repetition()
            gc.collect()
            time.sleep(SETTLE)
            if number:
                measured[name].append(found)
    return measured


def ratio(ours: list[float], other: list[float]) -> float:
    """The median over the rounds of how many times larger ours was."""
    return median(one / another for one, another in zip(ours, other, strict=True))
