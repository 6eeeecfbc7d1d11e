"""The rows of ``occupancies.csv``: what was found for every state, and how well it is determined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from atomloom.data.columns import Array
from atomloom.runs.atomic import atomic_file
from atomloom_occupancy.displacement import mean_b
from atomloom_occupancy.profiling import intervals
from atomloom_occupancy.refining import Refined
from atomloom_occupancy.uncertainty import Uncertainty

COLUMNS = (
    "state",
    "set",
    "atoms",
    "occupancy",
    "esd_b_fixed",
    "esd_b_free",
    "start",
    "bound",
    "low",
    "high",
    "partner",
    "correlation",
    "correlation_with_b",
    "delta_b",
    "esd_delta_b",
    "flat",
)
"""The header of the file."""


def result_table(refined: Refined, spread: Uncertainty, change: Array | None = None) -> pd.DataFrame:
    """One row for each state; empty where there is no number.

    Args:
        refined: the refinement.
        spread: its uncertainties. `low` and `high` are ends of the profile interval.
        change: (states, 1) of B or (states, 6) of U, where displacements were refined as well.
    """
    network, rows, ends = refined.network, [], intervals(refined, spread)
    owner = {state: each for each in network.sets for state in each.states}
    moved = np.full(len(network.states), np.nan) if change is None else mean_b(change)
    loose = {state for each in spread.flat for state in each}
    for number, state in enumerate(network.states):
        mine = owner.get(number)
        tied = frozenset(mine.states) if mine and mine.complete and len(mine.states) == 2 else frozenset()
        partner = spread.partner(number, tied)
        rows.append(
            (
                state.name,
                mine.name if mine else "",
                len(state.atoms),
                refined.point[number],
                spread.fixed_b[number],
                spread.free_b[number],
                state.start,
                spread.bound[number],
                *ends[number],
                network.states[partner].name if partner is not None else "",
                spread.correlation[number, partner] if partner is not None else np.nan,
                spread.correlation_with_b[number],
                moved[number],
                spread.esd_of_b[number] if change is not None else np.nan,
                "yes" if number in loose else "",
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_table(table: pd.DataFrame, path: Path) -> None:
    """The table as CSV with six digits, its first line the header."""
    with atomic_file(path, "w") as file:
        file.write(table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
