"""What the live page shows, as plain data: the runs, and the learning curves of one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from atomloom.errors import AtomloomError
from atomloom.runs import ensembles, history, metrics
from atomloom.runs.folder import RunFolder

POINTS = 1200
"""How many epochs are drawn at most; of more, those are drawn where some metric has its extremes."""


def overview(root: Path) -> list[dict[str, Any]]:
    """Name, status and progress of all runs in a folder, the latest first."""
    return [
        {"name": one.name, "status": one.status, "epochs": one.epochs, "total": one.total}
        for one in history.list_runs(root)
    ]


def details(files: RunFolder) -> dict[str, Any]:
    """Everything about one run that the page shows.

    Returns:
        the fields of `history.Summary`; ``curves``: ``epoch`` and each metric as lists of one length; ``units``: of the
        fields that the fit knew.
    """
    found = history.summarize(files).as_dict()
    try:
        columns = ensembles.course(files) if ensembles.size(files) else metrics.columns(files.metrics)
    except AtomloomError:
        columns = {}
    kept = thinned(columns)
    curves = {name: values[kept].tolist() for name, values in columns.items()}
    return {**found, "curves": curves, "units": _units(files)}


def _units(files: RunFolder) -> dict[str, str]:
    """Units by field, from the schema that a fit leaves in its provenance; none where there is no schema."""
    try:
        fields = files.read_provenance().get("schema", {}).get("fields", {})
    except AtomloomError:
        return {}
    return {name: field["unit"].replace("angstrom", "Å") for name, field in fields.items() if field.get("unit")}


def thinned(columns: dict[str, np.ndarray], points: int = POINTS) -> np.ndarray:
    """Which rows to draw: all of a few; of many, the highest and the lowest of each metric in each of even stretches.

    So a spike of a single epoch is seen however long the run is.
    """
    rows = len(next(iter(columns.values()), ()))
    if rows <= points:
        return np.arange(rows)
    names = [name for name in columns if name != "epoch"]
    stretches = np.array_split(np.arange(rows), max(points // (2 * max(len(names), 1)), 1))
    kept = {0, rows - 1}
    for name in names:
        values = columns[name]
        for stretch in stretches:
            finite = stretch[np.isfinite(values[stretch])]
            if len(finite):
                kept |= {int(finite[values[finite].argmin()]), int(finite[values[finite].argmax()])}
    return np.array(sorted(kept))
