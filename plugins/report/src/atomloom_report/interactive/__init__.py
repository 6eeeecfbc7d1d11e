"""Figures as what plotly.js draws: plain dictionaries of data and layout.

The page's style sheet gives axes and words their colours, so the same drawing serves light, dark and print.
"""

from __future__ import annotations

from typing import Any

from atomloom.report import Bars, Curve, Figure, HeatMap, Hexbin, Histogram, Scatter
from atomloom_report.interactive import bins, categories, series

MANY = 4000
"""The most points of a figure that a page draws: more make it slow, and thinning keeps the extremes."""


def drawing(figure: Figure) -> dict[str, Any] | None:
    """What `Plotly.newPlot` takes; None for a figure that holds nothing, or of a kind that is not drawn flat.

    >>> from atomloom.report import Series
    >>> curve = Curve(title="Loss", series=(Series("train", [1, 2], [3, 4]),))
    >>> drawing(curve)["data"][0]["y"]
    [3.0, 4.0]
    """
    match figure.thinned(MANY):
        case Curve() as chart:
            return series.curve(chart) if any(chart.shown(s).any() for s in chart.series) else None
        case Scatter() as chart:
            return series.scatter(chart) if any(chart.shown(s).any() for s in chart.series) else None
        case Histogram() as chart:
            return bins.histogram(chart) if any(s.counts.any() for s in chart.series) else None
        case Hexbin() as chart:
            return bins.hexbin(chart) if chart.counts.size else None
        case Bars() as chart:
            return categories.bars(chart) if any(chart.y.shows(s.values).any() for s in chart.series) else None
        case HeatMap() as chart:
            return categories.heat_map(chart) if chart.color.shows(chart.values).any() else None
    return None
