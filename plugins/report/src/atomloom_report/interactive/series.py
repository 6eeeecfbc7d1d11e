"""Curves and scatter plots for plotly."""

from __future__ import annotations

from typing import Any

import numpy as np

from atomloom.report import Curve, Scatter, Series
from atomloom_report import shapes, words
from atomloom_report.interactive.parts import Trace, axis, drawing, hover, identity, legend, numbers, plain
from atomloom_report.palette import Look, faint, looks

MARKED = 40
"""A curve of at most so many points shows each of them."""

SIZES = ((300, 7, 0.8), (1500, 5, 0.6))
"""Up to so many points of a scatter plot: their size in pixels and their opacity."""

SMALLEST = (4, 0.45)
"""Size and opacity of points that are more than any of `SIZES` has."""


def curve(figure: Curve) -> dict[str, Any]:
    """Lines with their bands, and the numbers of all of them where the mouse is."""
    data = []
    for series, look in zip(figure.series, looks(len(figure.series)), strict=True):
        data += [*_band(figure, series, look), _line(figure, series, look)]
    return drawing(data, *_axes(figure), hovermode="x unified" if len(figure.series) > 1 else "closest")


def scatter(figure: Scatter) -> dict[str, Any]:
    """Points with their error bars, and the line y = x."""
    total = sum(len(series) for series in figure.series)
    size, opacity = next(((size, opacity) for many, size, opacity in SIZES if total <= many), SMALLEST)
    data = [
        _points(figure, series, look, {"size": size, "opacity": opacity})
        for series, look in zip(figure.series, looks(len(figure.series)), strict=True)
    ]
    line = [identity(*shapes.ends(figure))] if figure.identity else []
    return drawing([*line, *data], *_axes(figure, shapes.square(figure)))


def _axes(figure: Curve | Scatter, span: tuple[float, float] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    x, y = (
        axis(given, span, *(getattr(s, at) for s in figure.series))
        for at, given in zip("xy", (figure.x, figure.y), strict=True)
    )
    return x, y


def _line(figure: Curve, series: Series, look: Look) -> Trace:
    x, y = shapes.points(figure, series)
    marked = len(series) <= MARKED or shapes.lonely(x, y)
    name = plain(series.name)
    return {
        "type": "scatter",
        "mode": "lines+markers" if marked else "lines",
        "name": legend(series.name),
        "x": numbers(x),
        "y": numbers(y),
        "line": {"color": look.color, "width": 2, "dash": look.dash},
        "marker": {"color": look.color, "size": 5, "symbol": look.symbol},
        "legendgroup": name,
        **_hovering(figure, series),
    }


def _band(figure: Curve, series: Series, look: Look) -> list[Trace]:
    pieces = shapes.bands(figure, series)
    if not pieces:
        return []
    x = np.concatenate([part for band in pieces for part in (band.x, band.x[::-1], [np.nan])])
    y = np.concatenate([part for band in pieces for part in (band.low, band.high[::-1], [np.nan])])
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": numbers(x[:-1]),
            "y": numbers(y[:-1]),
            "fill": "toself",
            "fillcolor": faint(look.color, 0.18),
            "line": {"width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
            "legendgroup": plain(series.name),
        }
    ]


def _points(figure: Scatter, series: Series, look: Look, marker: dict[str, Any]) -> Trace:
    x, y = shapes.points(figure, series)
    down, up = shapes.whiskers(figure, series)
    errors = {"type": "data", "symmetric": False, "array": numbers(up), "arrayminus": numbers(down)}
    style = {"color": faint(look.color, 0.5), "thickness": 1.2, "width": 0}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": legend(series.name),
        "x": numbers(x),
        "y": numbers(y),
        "marker": {"color": look.color, "symbol": look.symbol, **marker},
        **({"error_y": errors | style} if down.any() or up.any() else {}),
        **_hovering(figure, series),
    }


def _hovering(figure: Curve | Scatter, series: Series) -> Trace:
    where = [f"{hover('y', figure.y)} at {hover('x', figure.x)}"]
    if isinstance(figure, Curve) and len(figure.series) > 1:
        where = [hover("y", figure.y)]  # the place stands above the list of all curves
    texts = {"text": [words.plotly(label) for label in series.labels]} if series.labels else {}
    lines = [*(["<b>%{text}</b>"] if texts else []), *where]
    return {**texts, "hovertemplate": f"{'<br>'.join(lines)}<extra>{plain(series.name)}</extra>"}
