"""The packed store of atomloom-memmap beside other formats and loaders, each from its own package.

Molecules have the sizes of QM9 (Z, R, F, E: 459 bytes each); orders are random over all of them and fresh every time;
rates are medians of alternating repetitions in one process. Formats whose package is not installed are named as
skipped. The stores lie in a temporary folder (TMPDIR), the largest of 4.6 GB; ATOMLOOM_BENCH_FRAMES="100000 1000000"
leaves it out. `python benchmarks/bench_memmap.py random packed` prints some of the tables.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from memmap import checking, growth, packed_batches, packing, random_batches
from memmap.molecules import Molecules, made
from tables import Limit, verdict

MOLECULES, ROUNDS = 100_000, 7
SIZES = "100000 1000000 10000000"

TABLES: dict[str, Callable[[Molecules, Path], list[Limit]]] = {
    "random": lambda molecules, folder: random_batches.run(molecules, folder, ROUNDS),
    "packed": lambda molecules, folder: packed_batches.run(molecules, folder, ROUNDS),
    "packing": packing.run,
    "checking": lambda molecules, folder: checking.run(molecules, folder, ROUNDS),
    "growth": lambda molecules, folder: growth.run(molecules, folder, ROUNDS, sizes()),
}


def sizes() -> list[int]:
    """The sizes of the stores that grow."""
    return sorted(int(size) for size in os.environ.get("ATOMLOOM_BENCH_FRAMES", SIZES).split())


def main() -> int:
    """Print the tables; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all without a name")
    wanted = parser.parse_args().tables or list(TABLES)
    if unknown := set(wanted) - set(TABLES):
        parser.error(f"there is no table {', '.join(sorted(unknown))}; name some of {', '.join(TABLES)}")
    molecules, limits = made(MOLECULES), []
    with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
        for name in wanted:
            place = Path(folder) / name
            place.mkdir()
            limits += TABLES[name](molecules, place)
    return verdict(limits)


if __name__ == "__main__":
    sys.exit(main())
