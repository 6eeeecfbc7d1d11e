"""Histograms and hexagons in print."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Patch

from atomloom.report import Hexbin, Histogram
from atomloom_report import shapes
from atomloom_report.palette import NOWHERE, looks
from atomloom_report.printed.layout import axes, color_bar, fine_ticks, legend, shades
from atomloom_report.scales import color_scale


def histogram(paper: Sheet, figure: Histogram) -> bool:
    """Draw the steps; False if nothing is counted."""
    if not any(series.counts.any() for series in figure.series):
        return False
    drawn, handles = axes(paper, figure.x, figure.y), []
    opacity = 0.75 if len(figure.series) == 1 else 0.25
    for series, look in zip(figure.series, looks(len(figure.series)), strict=True):
        x, y = shapes.steps(figure, series.counts)
        drawn.fill(x, y, facecolor=look.color, alpha=opacity, linewidth=0)
        drawn.plot(x, y, color=look.color, linewidth=1, linestyle=look.line)
        handles.append(Patch(facecolor=look.color, alpha=0.6))
    if figure.y.log:
        drawn.set_ylim(bottom=shapes.LEAST_COUNT)
    else:
        drawn.set_ylim(bottom=0)
    fine_ticks(drawn)
    legend(drawn, handles, [series.name for series in figure.series])
    return True


def hexbin(paper: Sheet, figure: Hexbin) -> bool:
    """Draw the hexagons in the colours of their counts; False if there is none."""
    if not figure.counts.size:
        return False
    drawn, counts = axes(paper, figure.x, figure.y), figure.counts.astype(float)
    scale = color_scale(counts, figure.color)
    tints = shades(scale, counts)
    drawn.add_collection(PolyCollection(list(figure.corners()), facecolors=tints, edgecolors=tints, linewidths=0.3))
    drawn.autoscale_view()
    if figure.identity:
        ends = _ends(figure)
        drawn.plot(ends, ends, color=NOWHERE, linewidth=1, linestyle=(0, (5, 3)))
    color_bar(paper, drawn, scale, figure.color)
    return True


def _ends(figure: Hexbin) -> tuple[float, float]:
    low = np.maximum(figure.at_x.min(), figure.at_y.min())
    return float(low), float(np.minimum(figure.at_x.max(), figure.at_y.max()))
