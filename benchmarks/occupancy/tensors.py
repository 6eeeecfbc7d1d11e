"""What an `OccupancyTensor` costs beside what cannot be left out, and beside torchref's."""

from __future__ import annotations

from pathlib import Path

from tables import Limit

from occupancy.environments import OURS, Unavailable, ask

SIZES = (1_000, 10_000, 100_000, 1_000_000)
PER_GROUP = 10
REPEATS = 60
MOST = {1_000: 2.0, 100_000: 1.3, 1_000_000: 1.3}
"""How many times the bare expression we may cost."""

HEADS = ("atoms", "bare, us", "ours, us", "ours / bare", "torchref / bare")


def tensor_costs(folder: Path) -> tuple[list[tuple[str, ...]], list[Limit], list[str]]:
    """Rows, limits and notes: forward and backward, groups of `PER_GROUP` atoms."""
    task = {"sizes": SIZES, "per_group": PER_GROUP, "repeats": REPEATS}
    ours, notes = ask(OURS, "costs", task, folder, "costs")["costs"], []
    try:
        theirs = ask("torchref", "costs", task, folder, "torchref-costs")["costs"]
    except Unavailable as reason:
        theirs, notes = {}, [str(reason)]
    rows, limits = [], []
    for atoms in SIZES:
        seconds, bare = ours[str(atoms)]
        ratio = seconds / bare
        other = theirs[str(atoms)][0] / theirs[str(atoms)][1] if theirs else float("nan")
        rows.append((str(atoms), f"{1e6 * bare:.0f}", f"{1e6 * seconds:.0f}", f"{ratio:.2f}", f"{other:.2f}"))
        if atoms in MOST:
            limits.append(
                Limit(f"OccupancyTensor of {atoms} atoms, times the bare expression", ratio, MOST[atoms], False)
            )
        if theirs:
            limits.append(Limit(f"OccupancyTensor of {atoms} atoms, share of torchref's", ratio / other, 1.0, False))
    return rows, limits, notes
