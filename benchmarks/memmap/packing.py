"""How much of the loader's batches is padding, and how many shapes there are, counted over a whole epoch of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tables import Limit, table

from memmap import ours
from memmap.molecules import Molecules
from memmap.packed_batches import SHAPE

LIMITS = (
    ({"atoms": SHAPE.atoms}, {"atoms": 0.01}),
    ({"atoms": SHAPE.atoms, "pairs": SHAPE.pairs}, {"atoms": 0.02, "pairs": 0.035}),
)
"""Budgets, and which share of each may be padding."""


def run(molecules: Molecules, folder: Path) -> list[Limit]:
    """Print the table."""
    ours.write(molecules, folder)
    limits, rows = [], []
    for budget, most in LIMITS:
        named = ", ".join(f"{count} {axis}" for axis, count in budget.items())
        found = counted(folder, budget)
        if found["molecules"] != len(molecules):
            raise AssertionError(f"an epoch of {len(molecules)} molecules held {found['molecules']:.0f}")
        counts = tuple(f"{found[key]:,.0f}" for key in ("molecules", "batches", "shapes"))
        rows.append((named, *counts, *(f"{found[axis]:.2%}" if axis in found else "" for axis in ("atoms", "pairs"))))
        limits.append(Limit(f"shapes, {named}", found["shapes"], 1, least=False))
        limits += [Limit(f"padding of {axis}, {named}", found[axis], most[axis], least=False) for axis in budget]
    heads = ("packed to", "molecules", "batches", "shapes", "padding of atoms", "of pairs")
    table("Padding of an epoch, QM9's sizes", heads, rows)
    return limits


def counted(folder: Path, options: dict[str, int]) -> dict[str, float]:
    """What an epoch holds, and which share of its slots along each axis nothing is in."""
    shapes, molecules, batches = set(), 0, 0
    real, slots = (dict.fromkeys(options, 0) for _ in range(2))
    for batch in ours.loader(folder).batches(**options):
        batches += 1
        shapes.add(tuple((name, batch[name].shape) for name in batch))
        molecules += int(np.count_nonzero(batch["frame_mask"]))
        for axis in options:
            mask = batch[f"{axis.rstrip('s')}_mask"]
            real[axis] += int(np.count_nonzero(mask))
            slots[axis] += len(mask)
    waste = {axis: 1 - real[axis] / slots[axis] for axis in options}
    return {"molecules": molecules, "batches": batches, "shapes": len(shapes), **waste}
