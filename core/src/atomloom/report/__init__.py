"""Reports: what a job found, as data that every renderer shows alike.

A `Report` has sections, a section has blocks: `Text`, `KeyFigures`, `Table`, `Links`, and figures described by their
arrays. Core writes it as text and JSON; an installed renderer (atomloom-report) makes a page and plots of it.

>>> import numpy as np
>>> reference, predicted = np.array([0.0, 1.0, 2.0]), np.array([0.1, 1.0, 1.9])
>>> report = Report("Dimers", (
...     Section("Energy", (
...         KeyFigures((KeyFigure("MAE", mae(predicted, reference), "eV", note="3 test frames"),)),
...         parity("Predictions", predicted, reference, Axis("energy", "eV")),
...     )),
... ))
>>> report
<Report 'Dimers': 1 section, 0 tables, 1 figure>
>>> from_json(to_json(report)) == report
True

Where things are: `blocks` and `figure` with `series`, `bins`, `categories`, `space` hold the data; `statistics` the
error measures that all reports use; `codec` the JSON; `text` the text; `saving` the files.
"""

from __future__ import annotations

from atomloom.report.axes import Axis
from atomloom.report.bins import Counts, Hexbin, Histogram
from atomloom.report.blocks import Column, KeyFigure, KeyFigures, Link, Links, Table, Text, Unknown
from atomloom.report.categories import Bars, HeatMap, Heights
from atomloom.report.codec import from_json, to_json
from atomloom.report.document import Report, Section
from atomloom.report.figure import Figure
from atomloom.report.markup import code, spans
from atomloom.report.piece import Block
from atomloom.report.quantity import fixed, number, quantity, with_unit
from atomloom.report.saving import save
from atomloom.report.series import Curve, Scatter, Series, parity
from atomloom.report.space import Molecule, Points3D, Surface3D
from atomloom.report.statistics import (
    Errors,
    Summary,
    bias,
    compare,
    describe,
    mae,
    max_error,
    pearson,
    percentiles,
    r2,
    rmse,
    rrmse,
    std,
)
from atomloom.report.text import to_text

__all__ = [
    "Axis",
    "Bars",
    "Block",
    "Column",
    "Counts",
    "Curve",
    "Errors",
    "Figure",
    "HeatMap",
    "Heights",
    "Hexbin",
    "Histogram",
    "KeyFigure",
    "KeyFigures",
    "Link",
    "Links",
    "Molecule",
    "Points3D",
    "Report",
    "Scatter",
    "Section",
    "Series",
    "Summary",
    "Surface3D",
    "Table",
    "Text",
    "Unknown",
    "bias",
    "code",
    "compare",
    "describe",
    "fixed",
    "from_json",
    "mae",
    "max_error",
    "number",
    "parity",
    "pearson",
    "percentiles",
    "quantity",
    "r2",
    "rmse",
    "rrmse",
    "save",
    "spans",
    "std",
    "to_json",
    "to_text",
    "with_unit",
]
