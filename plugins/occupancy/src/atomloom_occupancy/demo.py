"""The demo: a made-up crystal of which the occupancies are known, refined from wrong ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from atomloom.report import Axis, Bars, Block, Column, Heights, Report, Section, Table
from atomloom_occupancy import examples
from atomloom_occupancy.job import Job
from atomloom_occupancy.job import run as refine

WRONG = {"near A": 0.3, "near B": 0.7, "far A": 0.2, "far B": 0.4, "far C": 0.4, "bound": 0.9, "apo": 0.1, "water": 0.5}
"""Where the refinement starts."""


def run(folder: Path, /) -> Report:
    """Make the crystal, simulate its data, refine from wrong occupancies, and put true beside found."""
    examples.observations(examples.crystal()).write_to_file(str(folder / "data.mtz"))
    (folder / "groups.toml").write_text(examples.GROUPS, encoding="utf-8")
    examples.crystal(WRONG).write_pdb(str(folder / "wrong.pdb"))
    job = Job(folder / "wrong.pdb", folder / "data.mtz", folder / "refined", folder / "groups.toml")
    done = refine(job)
    assert done.table is not None, "the demo has states to refine"
    found = Section("True and found", _compared(done.table))
    off = np.abs(_z(done.table))
    summary = (
        f"{len(done.table)} occupancies found from wrong starts, {int(np.sum(off < 2))} of them within two standard "
        f"uncertainties of the truth, the largest error {float(_errors(done.table).max()):.3f}. True and found: "
        f"{'; '.join(map(_in_words, *_columns(done.table)))}."
    )
    return Report("Occupancies of a made-up crystal", (found, *done.report.sections), summary, done.report.facts)


def _columns(table: pd.DataFrame) -> tuple[pd.Series[str], pd.Series[float], pd.Series[float]]:
    return table["state"], table["occupancy"], table["esd_b_fixed"]


def _in_words(state: str, found: float, esd: float) -> str:
    return f"{state} {examples.TRUTH[state]:.2f}, {found:.3f} ± {esd:.3f}"


def _errors(table: pd.DataFrame) -> pd.Series[float]:
    return (table["occupancy"] - table["state"].map(dict(examples.TRUTH))).abs()


def _z(table: pd.DataFrame) -> pd.Series[float]:
    return (table["occupancy"] - table["state"].map(dict(examples.TRUTH))) / table["esd_b_fixed"]


def _compared(table: pd.DataFrame) -> tuple[Block, ...]:
    true = table["state"].map(dict(examples.TRUTH))
    rows = Table.of(
        [
            (Column("state", kind="text"), table["state"]),
            (Column("start", precision=2), table["start"]),
            (Column("true", precision=2), true),
            (Column("found", precision=3, uncertainty="esd"), table["occupancy"]),
            (Column("esd"), table["esd_b_fixed"]),
            (Column("(found - true) / esd", precision=2), _z(table)),
        ],
        caption="gemmi summed the data atom by atom; errors are 8 % of the mean F. B and positions are true.",
    )
    series = (
        Heights("true", true.to_numpy(dtype=np.float64)),
        Heights(
            "found", table["occupancy"].to_numpy(dtype=np.float64), table["esd_b_fixed"].to_numpy(dtype=np.float64)
        ),
    )
    return rows, Bars(title="True and found", labels=tuple(table["state"]), series=series, y=Axis("occupancy"))
