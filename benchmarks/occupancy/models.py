"""How well deposited models fit without refinement, beside how cctbx scales them."""

from __future__ import annotations

from pathlib import Path

from tables import Limit

from occupancy.crystals import CRYSTALS, SHARED, amplitudes
from occupancy.environments import OURS, Unavailable, ask

NEAR = 0.003
"""How far R may be from cctbx's, where both have the same free flags and neither made them."""

HEADS = ("", "reflections", "cctbx keeps", "R work", "by cctbx", "R free", "by cctbx")


def deposited(folder: Path) -> tuple[list[tuple[str, ...]], list[Limit], list[str]]:
    """Rows, limits and notes."""
    rows, limits, notes = [], [], []
    for crystal in CRYSTALS:
        if not (SHARED / crystal.model).exists():
            notes.append(f"{crystal.name} is not in {SHARED}")
            continue
        task = {"model": str((SHARED / crystal.model).resolve()), "data": str(amplitudes(crystal, folder))}
        ours = ask(OURS, "deposited", task, folder, f"{crystal.name}-{OURS}-deposited")
        try:
            theirs = ask("cctbx", "deposited", task, folder, f"{crystal.name}-cctbx-deposited")
        except Unavailable as reason:
            notes.append(f"{crystal.name}: {reason}")
            continue
        pairs = [(ours[name], theirs[name]) for name in ("r_work", "r_free")]
        figures = [f"{value:.4f}" for pair in pairs for value in pair]
        rows.append((crystal.name, str(ours["reflections"]), str(theirs["reflections"]), *figures))
        for name, (mine, other) in zip(("work", "free"), pairs, strict=True):
            if crystal.flagged:
                limits.append(Limit(f"{crystal.name}: R {name}, off cctbx's", abs(mine - other), NEAR, least=False))
    return rows, limits, notes
