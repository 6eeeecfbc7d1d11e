"""Opening a store in a process of its own: how long it takes, and how much memory of its own it needs."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tables import Limit

from memmap import ours
from memmap.measuring import elsewhere
from memmap.molecules import SLOTS

TIMES = 5
MOST_MS, MOST_MB = 10.0, 10.0
STRICT_FROM = 10_000_000
"""Frames from which on a store is held to these limits."""

_CHILD = """
import json, sys, time
from pathlib import Path
from atomloom_memmap import PackedMemmapLoader, Store

def anonymous():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1000

path, slots = sys.argv[1], int(sys.argv[2])
memory, start = anonymous(), time.perf_counter()
store = Store(path)
opened, held = time.perf_counter() - start, anonymous() - memory
start = time.perf_counter()
loader = PackedMemmapLoader(path, batch_size=256)
batches = iter(loader.batches(num_atoms=slots))
first = next(batches)
batch, more = time.perf_counter() - start, anonymous() - memory
print(json.dumps({"open ms": 1000 * opened, "open MB": held, "batch ms": 1000 * batch, "batch MB": more}))
"""


def opened(folder: Path) -> dict[str, float]:
    """Medians over several processes: time and anonymous memory of opening a store, and up to the first batch."""
    found = [elsewhere(_CHILD, str(folder / ours.STORE), str(SLOTS)) for _ in range(TIMES)]
    return {key: median(each[key] for each in found) for key in found[0]}


def limits(frames: int, found: dict[str, float]) -> list[Limit]:
    """What is asked of a store of so many frames."""
    if frames < STRICT_FROM:
        return []
    return [
        Limit(f"opening {frames:,} frames, ms", found["open ms"], MOST_MS, least=False),
        Limit(f"opening {frames:,} frames, MB of anonymous memory", found["open MB"], MOST_MB, least=False),
    ]
