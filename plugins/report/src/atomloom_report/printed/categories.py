"""Bars and heat maps in print."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet

from atomloom.report import Bars, HeatMap
from atomloom.report.arrays import Array
from atomloom_report import shapes
from atomloom_report.palette import INK, looks
from atomloom_report.printed.layout import axes, color_bar, colors, fine_ticks, legend, named, shades
from atomloom_report.scales import MOST_CELLS, cell_texts, color_scale

HALF = 0.5
"""Cells brighter than this have dark numbers."""

FILLED = 0.8
"""The share of the place of a label that its bars fill."""


def bars(paper: Sheet, figure: Bars) -> bool:
    """Draw bars side by side with their uncertainties; False if there is none."""
    if not any(figure.y.shows(series.values).any() for series in figure.series):
        return False
    drawn, handles = axes(paper, figure.x, figure.y), []
    width = FILLED / len(figure.series)
    for place, (series, look) in enumerate(zip(figure.series, looks(len(figure.series)), strict=True)):
        x = np.arange(len(figure.labels)) + (place + 0.5) * width - FILLED / 2
        heights = np.where(figure.y.shows(series.values), series.values, np.nan)
        handles.append(drawn.bar(x, heights, 0.94 * width, color=look.color))
        down, up = shapes.bar_whiskers(figure.y, series)
        if up.any():
            drawn.errorbar(x, heights, [down, up], fmt="none", ecolor=INK, elinewidth=0.8, capsize=1.6, capthick=0.8)
    named(drawn, "x", figure.labels)
    fine_ticks(drawn)
    legend(drawn, handles, [series.name for series in figure.series])
    return True


def heat_map(paper: Sheet, figure: HeatMap) -> bool:
    """Draw the grid of colours; False if no cell has a value."""
    if not figure.color.shows(figure.values).any():
        return False
    drawn = axes(paper, figure.x, figure.y)
    scale = color_scale(figure.values, figure.color, figure.centre)
    tints = colors(scale)
    across, up = (
        _edges(_places(names, at, size), given.log and not names)
        for (names, at, size), given in zip(_sides(figure), (figure.x, figure.y), strict=True)
    )
    cells = np.ma.masked_invalid(scale.straight(figure.values))
    drawn.pcolormesh(across, up, cells, cmap=tints.cmap, vmin=scale.low, vmax=scale.high, rasterized=cells.size > 2500)
    drawn.grid(False)
    if figure.columns:
        named(drawn, "x", figure.columns)
    if figure.rows:
        named(drawn, "y", figure.rows)
        drawn.invert_yaxis()
    if max(figure.values.shape) <= MOST_CELLS:
        _write(drawn, figure, shades(scale, figure.values.ravel()))
    color_bar(paper, drawn, scale, figure.color)
    return True


def _write(drawn: Axes, figure: HeatMap, tints: Array) -> None:
    places = (_places(names, at, size) for names, at, size in _sides(figure))
    across, up = np.meshgrid(*places)
    bright = tints[:, :3] @ [0.3, 0.59, 0.11] > HALF
    texts = np.ravel(cell_texts(figure.values))
    for x, y, text, light in zip(across.ravel(), up.ravel(), texts, bright, strict=True):
        drawn.text(x, y, text, ha="center", va="center", fontsize=7, color=INK if light else "white")


def _sides(figure: HeatMap) -> tuple[tuple[tuple[str, ...], Array | None, int], ...]:
    height, width = figure.values.shape
    return (figure.columns, figure.at_x, width), (figure.rows, figure.at_y, height)


def _places(names: tuple[str, ...], at: Array | None, size: int) -> Array:
    return np.arange(size) if names or at is None else at


def _edges(places: Array, log: bool) -> Array:
    # Half way between neighbours, on the scale of the axis; as far beyond the outermost as before them.
    straight = np.log10(places) if log else np.asarray(places, dtype=float)
    if straight.size == 1:
        edges = straight[0] + np.array([-0.5, 0.5])
    else:
        middles = (straight[1:] + straight[:-1]) / 2
        edges = np.concatenate([[2 * straight[0] - middles[0]], middles, [2 * straight[-1] - middles[-1]]])
    return np.asarray(10**edges if log else edges)
