"""Shows which frames a model gets most wrong, and whether these are the large ones."""

from __future__ import annotations

import numpy as np
from atomloom import Dataset, Report, Run
from atomloom.pipeline import Fitted, predict
from atomloom.report import Axis, Column, Scatter, Section, Series, Table

COUNT = 10
"""Frames in the table."""


def worst(run: Run, dataset: Dataset, /) -> Report:
    """The frames of `dataset` with the largest energy errors, as a table and over their number of atoms."""
    errors = predict(Fitted.load(run), dataset)["E"] - dataset["E"]
    atoms = dataset.sizes["atom"]
    chosen = np.argsort(-np.abs(errors), kind="stable")[:COUNT]
    columns = (Column("frame", kind="integer"), Column("atoms", kind="integer"), Column("error", "eV"))
    rows = [(int(frame), int(atoms[frame]), float(errors[frame])) for frame in chosen]
    points = Series("frames", atoms, np.abs(errors))
    sizes, size_of_error = Axis("atoms in the frame"), Axis("abs(predicted - reference)", "eV")
    figure = Scatter(title="Errors by size", series=(points,), x=sizes, y=size_of_error)
    section = Section("Energies", (Table(columns, rows, title=f"The {len(rows)} largest errors"), figure))
    return Report(f"What {run.name} gets most wrong", (section,), facts={"run": run.name, "frames": str(len(dataset))})
