"""Occupancy refinement of three deposited crystals, beside cctbx (the engine of phenix.refine), servalcat and torchref.

Peers clash with each other and with us, so each has an environment below .nox/, made here from
benchmarks/occupancy/requirements_NAME.txt, and each job a process of its own with one thread. CPU seconds, from the
files to occupancies and uncertainties without imports, are medians over the starts: a busy machine hardly counts.
`python benchmarks/bench_occupancy.py 6MW0 costs` prints some of the tables.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from occupancy import comparing, models, tensors
from occupancy.crystals import CRYSTALS, SHARED
from tables import Limit, table, verdict

PLAIN = {
    "deposited": ("Deposited models, scaled and not refined", models.HEADS, models.deposited),
    "costs": ("Forward and backward of an OccupancyTensor", tensors.HEADS, tensors.tensor_costs),
}
"""Tables that are not of one crystal: their titles, heads, and what makes their rows, limits and notes."""


def main() -> int:
    """Print the tables; 1 when a limit is missed."""
    known = {crystal.name: crystal for crystal in CRYSTALS}
    parser = argparse.ArgumentParser(description=__doc__)
    names = [*PLAIN, *known]
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(names)}; all without a name")
    wanted = parser.parse_args().tables or names
    if unknown := set(wanted) - set(names):
        parser.error(f"there is no table {', '.join(sorted(unknown))}; name some of {', '.join(names)}")
    limits: list[Limit] = []
    with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
        for name in wanted:
            if name in PLAIN:
                title, heads, made = PLAIN[name]
                rows, asked, notes = made(Path(folder))
                table(title, heads, rows, notes)
                limits += asked
            elif (SHARED / known[name].model).exists():
                found = comparing.compare(known[name], Path(folder))
                table(f"{name}, the groups of cctbx", comparing.HEADS, found.rows, found.notes)
                limits += found.limits
            else:
                print(f"{name} is skipped: it is not in {SHARED}")
    return verdict(limits)


if __name__ == "__main__":
    sys.exit(main())
