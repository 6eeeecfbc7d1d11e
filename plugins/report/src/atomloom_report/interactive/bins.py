"""Histograms and hexagons for plotly."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from atomloom.report import Counts, Hexbin, Histogram, number
from atomloom.report.arrays import Array
from atomloom_report import shapes, words
from atomloom_report.interactive.parts import (
    Trace,
    axis,
    color_bar,
    color_stops,
    drawing,
    hover,
    identity,
    legend,
    numbers,
    plain,
    value,
)
from atomloom_report.palette import Look, faint, looks
from atomloom_report.scales import ColorScale, color_scale

LEVELS = 32
"""How many shades the hexagons have: each is one path, which draws fast."""


def histogram(figure: Histogram) -> dict[str, Any]:
    """Steps, filled faintly where several lie over each other, and the counts where the mouse is."""
    data: list[Trace] = []
    opacity = 0.75 if len(figure.series) == 1 else 0.25
    for series, look in zip(figure.series, looks(len(figure.series)), strict=True):
        data += [_steps(figure, series, look, opacity), _counts(figure, series, look)]
    top = max(float(series.counts.max(initial=1)) for series in figure.series)
    span = (float(np.log10(shapes.LEAST_COUNT)), float(np.log10(top * 1.5))) if figure.y.log else (0.0, top * 1.05)
    return drawing(data, axis(figure.x, None, figure.edges), axis(figure.y, span), hovermode="x", hoverdistance=-1)


def hexbin(figure: Hexbin) -> dict[str, Any]:
    """Hexagons in the colours of their counts."""
    scale = color_scale(figure.counts.astype(float), figure.color)
    cells = _cells(figure, scale)
    line = [identity(*_ends(figure))] if figure.identity else []
    x, y = axis(figure.x, None, figure.at_x), axis(figure.y, None, figure.at_y)
    return drawing([*cells, *line, _centres(figure), _bar(figure, scale)], x, y)


def _steps(figure: Histogram, series: Counts, look: Look, opacity: float) -> Trace:
    x, y = shapes.steps(figure, series.counts)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": legend(series.name),
        "legendgroup": plain(series.name),
        "x": numbers(x),
        "y": numbers(y),
        "fill": "toself",
        "fillcolor": faint(look.color, opacity),
        "line": {"color": look.color, "width": 1.5, "dash": look.dash},
        "hoverinfo": "skip",
    }


def _counts(figure: Histogram, series: Counts, look: Look) -> Trace:
    straight = np.log10(figure.edges) if figure.x.log else figure.edges
    middles = (straight[1:] + straight[:-1]) / 2
    unit = words.unit(figure.x.unit)
    texts = [
        f"{count:,} from {number(low)} to {value(number(high), unit)}"
        for count, (low, high) in zip(series.counts.tolist(), pairwise(figure.edges.tolist()), strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "marker": {"color": look.color, "opacity": 0},
        "showlegend": False,
        "legendgroup": plain(series.name),
        "x": numbers(10**middles if figure.x.log else middles),
        "y": numbers(np.maximum(series.counts.astype(float), shapes.LEAST_COUNT if figure.y.log else 0)),
        "customdata": texts,
        "hovertemplate": f"%{{customdata}}<extra>{plain(series.name)}</extra>",
    }


def _cells(figure: Hexbin, scale: ColorScale) -> list[Trace]:
    shares = scale.shares(figure.counts.astype(float))
    levels = np.minimum((shares * LEVELS).astype(int), LEVELS - 1)
    corners = figure.corners()
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": numbers(_outline(corners[levels == level, :, 0])),
            "y": numbers(_outline(corners[levels == level, :, 1])),
            "fill": "toself",
            "fillcolor": _mixed(scale, (level + 0.5) / LEVELS),
            "line": {"color": _mixed(scale, (level + 0.5) / LEVELS), "width": 0.5},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for level in np.unique(levels).tolist()
    ]


def _outline(corners: Array) -> Array:
    # Closed hexagons one after the other, a gap after each.
    closed = np.concatenate([corners, corners[:, :1], np.full((len(corners), 1), np.nan)], axis=1)
    return np.asarray(closed.ravel()[:-1])


def _mixed(scale: ColorScale, share: float) -> str:
    place = share * (len(scale.stops) - 1)
    first = min(int(place), len(scale.stops) - 2)
    low, high = ([int(scale.stops[i][at : at + 2], 16) for at in (1, 3, 5)] for i in (first, first + 1))
    red, green, blue = (round(a + (b - a) * (place - first)) for a, b in zip(low, high, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _centres(figure: Hexbin) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "marker": {"opacity": 0, "size": 10},
        "showlegend": False,
        "x": numbers(figure.at_x),
        "y": numbers(figure.at_y),
        "customdata": numbers(figure.counts),
        "hovertemplate": f"%{{customdata:,}} points<br>{hover('y', figure.y)} at {hover('x', figure.x)}<extra></extra>",
    }


def _bar(figure: Hexbin, scale: ColorScale) -> Trace:
    marker = {"color": [scale.low, scale.high], "cmin": scale.low, "cmax": scale.high, "showscale": True}
    marker |= {"colorscale": color_stops(scale), "colorbar": color_bar(scale, figure.color)}
    return {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "marker": marker, "showlegend": False}


def _ends(figure: Hexbin) -> tuple[float, float]:
    low = max(float(figure.at_x.min()), float(figure.at_y.min()))
    return low, min(float(figure.at_x.max()), float(figure.at_y.max()))
