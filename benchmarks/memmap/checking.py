"""What comparing every block with its checksum at the first touch costs: first epochs with it and without."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median

from tables import Limit, table

from memmap import ours
from memmap.measuring import alternating, ratio, seconds
from memmap.molecules import SLOTS, Molecules


def run(molecules: Molecules, folder: Path, rounds: int) -> list[Limit]:
    """Print the table; the issue asks to state this cost and sets no limit."""
    ours.write(molecules, folder)
    repetitions = {check: partial(first_epoch, folder, check) for check in ("touch", "never")}
    taken = alternating(repetitions, rounds)
    extra = ratio(taken["touch"], taken["never"]) - 1
    rows = [(check, f"{1000 * median(found):.1f}") for check, found in taken.items()]
    spent = median(taken["touch"]) - median(taken["never"])
    cost = f"{extra:.0%} longer: {molecules.payload / spent / 1e9:.1f} GB/s" if spent > 0 else "no longer in this run"
    notes = [f"checking makes the first epoch {cost}; the epochs after it check nothing"]
    table("A first epoch, files in the page cache", ("checks", "ms"), rows, notes)
    return []


def first_epoch(folder: Path, check: str) -> float:
    """Seconds of an epoch of a store that was just opened."""
    opened = ours.loader(folder, check=check)
    return seconds(lambda: sum(1 for _ in opened.batches(num_atoms=SLOTS)))
