"""Analyses and histories as files that other programs read."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from atomloom.runs import Run
from atomloom.runs.atomic import atomic_file, atomic_path
from atomloom_dcmnet.analysis import Analysis, MoleculeErrors, Part

SUMMARISED = (
    *("rmse", "mae", "largest", "rmse_all", "mae_all", "largest_all"),
    *("bound_atoms", "bound_sites", "dipole", "quadrupole"),
)
"""Of which a JSON file has mean, percentiles and max."""


def save_analysis(analysis: Analysis, folder: Path) -> None:
    """``best_analysis.json`` with everything that is known, and ``predictions.csv`` with one row for each molecule.

    ``predictions.parquet`` holds the same rows where pyarrow is installed.
    """
    whole = {
        "unit": "(kcal/mol)/e",
        "summary": {name: analysis.summary(name) for name in SUMMARISED},
        "elements": [_plain_row(part) for part in analysis.elements],
        "shells": [_plain_row(part) for part in analysis.shells],
        "largest_displacement": float(analysis.displacements.max()),
        "largest_net_charge_error": float(analysis.of("net_charge").max()),
        "molecules": [_plain_row(each) for each in analysis.molecules],
    }
    with atomic_file(folder / "best_analysis.json") as file:
        file.write(json.dumps(whole, indent=2) + "\n")
    _write(folder / "predictions.csv", MoleculeErrors._fields, analysis.molecules)
    if find_spec("pyarrow") is not None:
        save_parquet(analysis, folder / "predictions.parquet")


def save_parquet(analysis: Analysis, path: Path) -> None:
    """One row for each molecule, as Parquet; needs pyarrow (``pip install "atomloom-dcmnet[parquet]"``)."""
    import pyarrow
    from pyarrow import parquet

    columns = {name: [getattr(each, name) for each in analysis.molecules] for name in MoleculeErrors._fields}
    with atomic_path(path) as temporary:
        parquet.write_table(pyarrow.table(columns), temporary)


def save_history(run: Run, folder: Path) -> None:
    """``training_history.csv``: the metrics of a run, one row for each epoch."""
    columns = run.metrics()
    _write(folder / "training_history.csv", tuple(columns), zip(*columns.values(), strict=True))


def _write(path: Path, head: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    with atomic_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _plain_row(row: MoleculeErrors | Part) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row._asdict().items()}


def _plain(value: Any) -> Any:
    """JSON has no number for NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
