"""Curves and scatter plots in print."""

from __future__ import annotations

from matplotlib.figure import Figure as Sheet

from atomloom.report import Curve, Scatter
from atomloom_report import shapes
from atomloom_report.palette import NOWHERE, looks
from atomloom_report.printed.layout import axes, fine_ticks, legend

MARKED = 40
"""A curve of at most so many points shows each of them."""

CROWD = 2000
"""Points of a scatter plot beyond which they are small, and pixels within an SVG file."""


def curve(paper: Sheet, figure: Curve) -> bool:
    """Draw lines and their bands; False if there is none."""
    if not any(figure.shown(series).any() for series in figure.series):
        return False
    drawn, handles = axes(paper, figure.x, figure.y), []
    for series, look in zip(figure.series, looks(len(figure.series)), strict=True):
        for band in shapes.bands(figure, series):
            drawn.fill_between(band.x, band.low, band.high, color=look.color, alpha=0.18, linewidth=0)
        x, y = shapes.points(figure, series)
        marker = look.marker if len(series) <= MARKED or shapes.lonely(x, y) else ""
        handles += drawn.plot(x, y, color=look.color, linestyle=look.line, marker=marker, markersize=3.5)
    fine_ticks(drawn)
    legend(drawn, handles, [series.name for series in figure.series])
    return True


def scatter(paper: Sheet, figure: Scatter) -> bool:
    """Draw points, their error bars and the line y = x; False if there is no point."""
    if not any(figure.shown(series).any() for series in figure.series):
        return False
    drawn, handles = axes(paper, figure.x, figure.y), []
    crowded = sum(map(len, figure.series)) > CROWD
    size, opacity = (1.6, 0.3) if crowded else (3.8, 0.75)
    for series, look in zip(figure.series, looks(len(figure.series)), strict=True):
        x, y = shapes.points(figure, series)
        down, up = shapes.whiskers(figure, series)
        if down.any() or up.any():
            drawn.errorbar(x, y, [down, up], fmt="none", ecolor=look.color, elinewidth=0.8, alpha=0.6)
        points = drawn.plot(
            x, y, color=look.color, marker=look.marker, linestyle="", markersize=size, markeredgewidth=0
        )
        points[0].set(alpha=opacity, rasterized=crowded)
        handles += points
    span = shapes.square(figure)
    if figure.identity:
        drawn.plot(
            shapes.ends(figure), shapes.ends(figure), color=NOWHERE, linewidth=1, linestyle=(0, (5, 3)), zorder=1
        )
    if span:
        drawn.set(xlim=shapes.ends(figure), ylim=shapes.ends(figure))
    fine_ticks(drawn)
    legend(drawn, handles, [series.name for series in figure.series])
    return True
