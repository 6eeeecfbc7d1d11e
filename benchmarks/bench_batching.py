"""How much of a batch is padding, how many shapes are compiled, and how long planning takes, for each kind of plan.

Sizes are those of QM9 (the histogram of the 100 000 training molecules of Hoogeboom et al. 2022, arXiv 2203.17003) and
protein lengths: the ATLAS chains if ATOMLOOM_SHARED_DATA has them, else a log-normal distribution with their mean.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from atomloom.batching import (
    BucketPlan,
    FixedPlan,
    Order,
    PackedPlan,
    Plan,
    Shape,
    Sizes,
    buckets,
    packed_shape,
    packing,
)

QM9 = {
    3: 1, 4: 4, 5: 5, 6: 9, 7: 16, 8: 49, 9: 124, 10: 362, 11: 807, 12: 1689, 13: 3060, 14: 5136, 15: 7796, 16: 10644,
    17: 13025, 18: 13364, 19: 13832, 20: 9482, 21: 9970, 22: 3393, 23: 4848, 24: 539, 25: 1506, 26: 48, 27: 266, 29: 25,
}  # fmt: skip
LIMITS = {"QM9 packed to 1024 atoms": 0.01, "proteins packed, shuffled": 0.05, "proteins packed, decreasing": 0.02,
          "proteins in 3 optimal buckets": 0.2665, "planning 1e6 systems": 5.0,
          "ordering 1e7 frames shuffled": 2.0, "ordering 1e7 frames in blocks": 2.0}  # fmt: skip


def qm9() -> np.ndarray:
    """Sizes of 100 000 molecules."""
    return np.repeat(list(QM9), list(QM9.values())).astype(np.int64)


def proteins() -> tuple[str, np.ndarray]:
    """Lengths of 50 to 500 residues, and where they come from."""
    path = Path(os.environ.get("ATOMLOOM_SHARED_DATA", "../shared/data")) / "lengths" / "atlas_lengths.csv"
    if path.is_file():
        name, lengths = "ATLAS", np.array([int(row.rsplit(",", 1)[1]) for row in path.read_text().split()[1:]])
    else:
        name, lengths = "log-normal", np.random.default_rng(0).lognormal(5.1, 0.6, 1500).astype(np.int64)
    return name, lengths[(lengths >= 50) & (lengths <= 500)]


def plans(lengths: np.ndarray, frames: int, budget: int) -> dict[str, Plan]:
    """One plan of each kind."""
    sizes, order = Sizes(lengths), Order(len(lengths), 0)
    equal, optimal = (tuple(cut(lengths, 3).tolist()) for cut in (buckets.equal_counts, buckets.optimal))
    return {
        "fixed": FixedPlan(sizes, order, frames),
        "3 equal buckets": BucketPlan(sizes, order, equal, batch_size=frames),
        "3 optimal buckets": BucketPlan(sizes, order, optimal, batch_size=frames),
        f"packed to {budget} atoms": PackedPlan(sizes, order, packed_shape(sizes, budget)),
    }


def main() -> int:
    """Print the tables; 1 when a limit is passed."""
    source, chains = proteins()
    budget = int(np.sort(chains)[-4:].sum())
    found: dict[str, float] = {}
    print(f"{'sizes':12}{'plan':26}{'batches':>9}{'shapes':>8}{'padding of atoms':>18}{'of frames':>11}")
    for name, lengths, frames, limit in (("QM9", qm9(), 64, 1024), (source, chains, 4, budget)):
        for kind, plan in plans(lengths, frames, limit).items():
            waste = plan.waste()
            print(f"{name:12}{kind:26}{waste.batches:9}{waste.shapes:8}{waste.atoms:18.2%}{waste.frames:11.2%}")
            found[f"{'QM9' if name == 'QM9' else 'proteins'} {kind}"] = waste.atoms
    decreasing = packing.first_fit_decreasing(chains, budget)
    found["proteins packed, decreasing"] = 1 - chains.sum() / (len(decreasing) * budget)
    print(f"{source:12}{'packed, decreasing':26}{len(decreasing):9}{1:8}{found['proteins packed, decreasing']:18.2%}")
    found["proteins packed, shuffled"] = found[f"proteins packed to {budget} atoms"]
    found["proteins in 3 optimal buckets"] = buckets.waste(chains, buckets.optimal(chains, 3))
    found["planning 1e6 systems"] = seconds_to_plan(1_000_000)
    for kind, block in (("shuffled", 0), ("in blocks", 4096)):
        found[f"ordering 1e7 frames {kind}"] = seconds_to_order(10_000_000, block)
    return verdict(found)


def seconds_to_plan(systems: int) -> float:
    """CPU time of packing an epoch of so many molecules, shuffled, to 1024 atoms."""
    lengths = np.random.default_rng(0).choice(qm9(), systems)
    start = time.process_time()
    plan = PackedPlan(Sizes(lengths), Order(systems, 0), Shape(400, 1024))
    count = sum(1 for _ in plan.batches(0))
    seconds = time.process_time() - start
    print(f"\nplanning {systems} systems into {count} batches: {seconds:.2f} s of CPU time")
    return seconds


def seconds_to_order(frames: int, block: int) -> float:
    """CPU time of all positions of an epoch, a million at a time."""
    order, start = Order(frames, 0, block=block), time.process_time()
    for first in range(0, frames, 1_000_000):
        order.at(0, first, first + 1_000_000)
    return time.process_time() - start


def verdict(found: dict[str, float]) -> int:
    """Compare with the limits."""
    print()
    for name, limit in LIMITS.items():
        print(f"{name:34}{found[name]:10.4f}   limit {limit}{'   PASSED OVER' if found[name] > limit else ''}")
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
