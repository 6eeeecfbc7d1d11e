"""Stores from a hundred thousand to ten million frames: opening them, and what a molecule costs in random batches.

Beyond the caches of a processor every gather slows down, so a gather in C over the first shard stands beside it: what
it loses too is the memory's share. The largest store then serves for reading from a cold disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from tables import Limit, table

from atomloom import Dataset
from memmap import cold, compiled, opening, ours
from memmap.contenders import by_batch
from memmap.measuring import alternating, rate, seconds
from memmap.molecules import Molecules, bytes_in

LEAST = 1.0
"""Seconds of reading in a repetition, beside which the start of an epoch of ten million frames is short."""

OPENING = ("open ms", "open MB", "batch ms", "batch MB")
HEADS = ("frames", "GB", "write s", *OPENING, "ns a molecule", "C gather, ns", "C / ours")
NOTE = "open: the store; batch: from there to the loader's first batch; MB: anonymous memory since the imports"


def run(molecules: Molecules, folder: Path, rounds: int, sizes: Sequence[int]) -> list[Limit]:
    """Print the table, and that of cold reads of the largest store."""
    limits: list[Limit] = []
    rows, found = [], {}
    for frames in sizes:
        place = folder / str(frames)
        place.mkdir(parents=True)
        written = seconds(lambda: write(molecules, frames, place))  # noqa: B023 - called at once
        opened = opening.opened(place)
        limits += opening.limits(frames, opened)
        ours_ns, c_ns = nanoseconds(place, frames, rounds)
        numbers = (bytes_in(place) / 1e9, written, *(opened[key] for key in OPENING), ours_ns)
        compared = (f"{c_ns:.0f}", f"{c_ns / ours_ns:.2f}") if c_ns else ("no compiler", "")
        rows.append((f"{frames:,}", *(f"{number:.2f}" for number in numbers), *compared))
        if frames == max(sizes):
            found = cold.measured(place)
        shutil.rmtree(place)
    table("From small stores to large ones, random padded batches, files in the page cache", HEADS, rows, [NOTE])
    return [*limits, *cold.shown(found, max(sizes))]


def write(molecules: Molecules, frames: int, folder: Path) -> None:
    """A store of so many frames: those that there are, over and over again."""
    from atomloom_memmap import write_store

    write_store(repeated(molecules, frames), folder / ours.STORE)


def repeated(molecules: Molecules, frames: int) -> Dataset:
    """The molecules over and over again, none of it in memory twice."""
    return molecules.dataset()[np.arange(frames, dtype=np.int64) % len(molecules)]


def nanoseconds(folder: Path, frames: int, rounds: int) -> tuple[float, float]:
    """What a molecule costs in ours and in C, of which the latter is 0 without a compiler."""
    os.sync()  # what is still on its way to the disk would slow the first of them
    rng, epoch = np.random.default_rng(5), ours.padded(ours.loader(folder))
    for _ in epoch(np.arange(0)):  # all pages are mapped and checked once
        pass
    repetitions = {"ours": lambda: rate(epoch, frames, rng, LEAST)}
    if not compiled.missing():
        gather, count = first_shard(folder)
        repetitions["C"] = lambda: rate(by_batch(gather.read), count, rng, LEAST)
    times = {name: 1e9 / median(found) for name, found in alternating(repetitions, rounds).items()}
    return times["ours"], times.get("C", 0.0)


def first_shard(folder: Path) -> tuple[compiled.Gather, int]:
    """The loop in C over the first shard of a store, all its pages mapped, and how many molecules are in it."""
    arrays = next(ours.shards(folder))
    for array in arrays.values():
        array.max()
    gather = compiled.Gather(arrays, folder)
    gather.tune()
    return gather, len(arrays["E"])
