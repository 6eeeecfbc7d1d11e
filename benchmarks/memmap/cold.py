"""Random reads of files that are not in the page cache: plain memmaps, and the loader's modes for cold disks.

Every mode reads in a process of its own, for the system keeps the pages of files that somebody has mapped.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from tables import Limit, table

from memmap import ours
from memmap.measuring import elsewhere
from memmap.molecules import FRAMES, SLOTS, bytes_in

SECONDS, SHARE = 5.0, 0.5
"""How long each mode reads, or until this share of the store has been read: what was read once is no longer cold."""

LIMIT = 10.0
PLAIN = "plain memmaps, molecule by molecule"
_LEAST = 100  # bytes of each molecule that must have come from the disk, or it was not cold


def plain(folder: Path) -> Iterator[int]:
    """Slices of memmaps of the store's own files."""
    shards = list(ours.shards(folder))
    firsts = np.cumsum([0, *(len(shard["E"]) for shard in shards)])
    for index in np.random.default_rng(6).permutation(int(firsts[-1])).tolist():
        owner = int(np.searchsorted(firsts, index, side="right")) - 1
        arrays, place = shards[owner], index - int(firsts[owner])
        rows = slice(arrays["offsets"][place], arrays["offsets"][place + 1])
        for name in ("Z", "R", "F"):
            np.array(arrays[name][rows])
        float(arrays["E"][place])
        yield 1


def loaded(folder: Path, **options: object) -> Iterator[int]:
    """Batches of the loader."""
    for _ in ours.loader(folder, **options).batches(num_atoms=SLOTS, pairs=False):
        yield FRAMES


MODES: dict[str, Callable[[Path], Iterator[int]]] = {
    PLAIN: plain,
    "loader, global shuffle, cold": lambda folder: loaded(folder, cold=True),
    "loader, shuffle in blocks": lambda folder: loaded(folder, order="blocks"),
}


def measured(folder: Path) -> dict[str, dict[str, float]]:
    """For each mode molecules per second, and bytes that were read from the disk for each."""
    os.sync()
    found = {}
    for mode in MODES:
        forget(folder)
        found[mode] = elsewhere("import sys; from memmap.cold import child; child(*sys.argv[1:])", str(folder), mode)
    return found


def forget(folder: Path) -> None:
    """Have the system drop the pages of all files of a store, which nobody may have mapped any longer."""
    gc.collect()
    for path in (folder / ours.STORE).rglob("*.npy"):
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def child(folder: str, mode: str) -> None:
    """Read for a while and print what was read."""
    most = from_disk() + SHARE * bytes_in(Path(folder))
    molecules, before, start = 0, from_disk(), time.perf_counter()
    for count in MODES[mode](Path(folder)):
        molecules += count
        if time.perf_counter() - start >= SECONDS or from_disk() >= most:
            break
    taken = time.perf_counter() - start
    print(json.dumps({"molecules": molecules, "seconds": taken, "bytes": from_disk() - before}))


def from_disk() -> int:
    """Bytes that this process has had the disk read."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes:"))


def shown(found: dict[str, dict[str, float]], frames: int) -> list[Limit]:
    """Print the table; where the system kept the pages there is nothing to compare."""
    rates = {mode: each["molecules"] / each["seconds"] for mode, each in found.items()}
    rows = [
        (
            mode,
            f"{each['molecules']:,}",
            f"{each['bytes'] / each['molecules']:,.0f}",
            f"{rates[mode]:,.0f}",
            f"{rates[mode] / rates[PLAIN]:.1f}",
        )
        for mode, each in found.items()
    ]
    warm = [mode for mode, each in found.items() if each["bytes"] < _LEAST * each["molecules"]]
    notes = [f"{mode}: not cold, the system did not drop the pages of these files" for mode in warm]
    heads = ("", "molecules", "bytes from disk each", "mol/s", "this / plain")
    table(f"{frames:,} frames on a cold disk", heads, rows, notes)
    modes = [] if warm else [mode for mode in found if mode != PLAIN]
    return [Limit(f"cold: {mode} / plain", rates[mode] / rates[PLAIN], LIMIT) for mode in modes]
