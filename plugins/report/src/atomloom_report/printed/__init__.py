"""Every figure of a report as PNG and SVG files, for papers and slides."""

from __future__ import annotations

import re
from pathlib import Path

from matplotlib.figure import Figure as Sheet

from atomloom.report import Bars, Curve, Figure, HeatMap, Hexbin, Histogram, Points3D, Report, Scatter, Surface3D
from atomloom.runs.atomic import atomic_path
from atomloom_report import words
from atomloom_report.printed import bins, categories, series, space
from atomloom_report.printed.layout import DPI, finished, settings, sheet

MANY = 50_000
"""The most points of a figure that are drawn."""

OURS = re.compile(r"\d\d\d?-[a-z0-9-]+\.(png|svg)")
"""The names that this renderer gives; of these it removes those that an earlier version of the report left."""


def render(report: Report, folder: Path, /) -> Path | None:
    """Write ``plots/NN-TITLE.png`` and ``.svg`` into `folder`; None for a report without figures."""
    figures = [block for block in report.blocks if isinstance(block, Figure)]
    plots = folder / "plots"
    written = set()
    for place, figure in enumerate(figures, 1):
        with settings():
            drawn = drawing(figure)
            if drawn is None:
                continue
            plots.mkdir(exist_ok=True)
            name = f"{place:02}-{words.slug(figure.title, 'figure')}"
            written.add(_saved(drawn, plots / f"{name}.png"))
            drawn.set_layout_engine("none")  # it is laid out, and the second file is to look like the first
            written.add(_saved(drawn, plots / f"{name}.svg"))
    for old in plots.glob("*") if plots.is_dir() else ():
        if OURS.fullmatch(old.name) and old not in written:
            old.unlink()
    return plots if written else None


def drawing(figure: Figure) -> Sheet | None:
    """The figure with its title and its caption; None for one that holds nothing or is of an unknown kind."""
    shown = figure.thinned(MANY)
    paper = sheet(shown)
    match shown:
        case Curve():
            drawn = series.curve(paper, shown)
        case Scatter():
            drawn = series.scatter(paper, shown)
        case Histogram():
            drawn = bins.histogram(paper, shown)
        case Hexbin():
            drawn = bins.hexbin(paper, shown)
        case Bars():
            drawn = categories.bars(paper, shown)
        case HeatMap():
            drawn = categories.heat_map(paper, shown)
        case Points3D() | Surface3D():
            drawn = space.scenery(paper, shown)
        case _:
            drawn = False
    return finished(paper, shown) if drawn else None


def _saved(drawn: Sheet, path: Path) -> Path:
    # Neither dates nor versions: the same figure gives the same file.
    nameless = {"Software": None} if path.suffix == ".png" else {"Date": None, "Creator": None}
    with settings(), atomic_path(path) as temporary:
        drawn.savefig(temporary, format=path.suffix[1:], dpi=DPI, metadata=nameless)
    return path
