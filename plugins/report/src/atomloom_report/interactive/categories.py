"""Bars and heat maps for plotly."""

from __future__ import annotations

from typing import Any

import numpy as np

from atomloom.report import Axis, Bars, HeatMap, Heights, number, quantity
from atomloom.report.arrays import Array
from atomloom_report import scales, shapes, words
from atomloom_report.interactive.parts import (
    HEIGHT,
    Trace,
    axis,
    color_bar,
    color_stops,
    drawing,
    legend,
    named,
    numbers,
    plain,
    value,
)
from atomloom_report.palette import QUIET, Look, looks
from atomloom_report.scales import ColorScale, cell_texts, color_scale

ROW = 26
"""Height of a row of a heat map with names, in CSS pixels."""

TALLEST = 1200
"""The height of a heat map of many rows."""


def bars(figure: Bars) -> dict[str, Any]:
    """Bars side by side with their uncertainties."""
    data = [
        _heights(figure, series, look) for series, look in zip(figure.series, looks(len(figure.series)), strict=True)
    ]
    reach = [series.values for series in figure.series]
    return drawing(data, named(figure.x, figure.labels), axis(figure.y, None, *reach), barmode="group", bargap=0.3)


def heat_map(figure: HeatMap) -> dict[str, Any]:
    """A grid of colours; small ones show their numbers too."""
    scale = color_scale(figure.values, figure.color, figure.centre)
    rows, columns = figure.values.shape
    y = named(figure.y, figure.rows, across=False) if figure.rows else axis(figure.y)
    if figure.rows:  # the first row is the top one
        y |= {"range": y["range"][::-1]}
    x = named(figure.x, figure.columns) if figure.columns else axis(figure.x)
    height = min(max(HEIGHT, ROW * rows + 100 if figure.rows else HEIGHT), TALLEST)
    written = max(rows, columns) <= scales.MOST_CELLS
    return drawing([_grid(figure, scale, written)], x | {"showgrid": False}, y | {"showgrid": False}, height=height)


def _heights(figure: Bars, series: Heights, look: Look) -> Trace:
    down, up = shapes.bar_whiskers(figure.y, series)
    errors = {"type": "data", "symmetric": False, "array": numbers(up), "arrayminus": numbers(down)}
    style = {"color": QUIET, "thickness": 1.5, "width": 3}
    return {
        "type": "bar",
        "name": legend(series.name),
        "x": list(range(len(figure.labels))),
        "y": numbers(np.where(figure.y.shows(series.values), series.values, np.nan)),
        "marker": {"color": look.color},
        **({"error_y": errors | style} if up.any() else {}),
        "customdata": _beside(figure, series),
        "hovertemplate": f"%{{customdata}}<extra>{plain(series.name)}</extra>",
    }


def _beside(figure: Bars, series: Heights) -> list[str]:
    spreads = [None] * len(figure.labels) if series.errors is None else series.errors.tolist()
    return [
        f"<b>{words.plotly(label)}</b><br>{value(quantity(height, spread), figure.y.unit)}"
        for label, height, spread in zip(figure.labels, series.values.tolist(), spreads, strict=True)
    ]


def _grid(figure: HeatMap, scale: ColorScale, written: bool) -> Trace:
    rows, columns = figure.values.shape
    texts = cell_texts(figure.values) if written else []
    return {
        "type": "heatmap",
        "z": numbers(scale.straight(figure.values)),
        "x": _places(figure.columns, figure.at_x, columns),
        "y": _places(figure.rows, figure.at_y, rows),
        "zmin": scale.low,
        "zmax": scale.high,
        "colorscale": color_stops(scale),
        "colorbar": color_bar(scale, figure.color),
        "hoverongaps": False,
        "xgap": 1 if written else 0,
        "ygap": 1 if written else 0,
        **({"text": texts, "texttemplate": "%{text}"} if written else {}),
        **_hovering(figure, scale),
    }


def _places(names: tuple[str, ...], at: Array | None, size: int) -> list[float]:
    places = np.arange(size) if names or at is None else at
    return list(places.tolist())


def _hovering(figure: HeatMap, scale: ColorScale) -> Trace:
    sides = [
        _side(names, at, size, given)
        for names, at, size, given in (
            (figure.rows, figure.at_y, figure.values.shape[0], figure.y),
            (figure.columns, figure.at_x, figure.values.shape[1], figure.x),
        )
    ]
    unit = figure.color.unit
    texts = [
        [f"<b>{value(number(cell), unit)}</b><br>{row}, {column}" for cell, column in zip(cells, sides[1], strict=True)]
        for cells, row in zip(figure.values.tolist(), sides[0], strict=True)
    ]
    return {"hovertext": texts, "hoverinfo": "text"}


def _side(names: tuple[str, ...], at: Array | None, size: int, given: Axis) -> list[str]:
    if names:
        return [words.plotly(name) for name in names]
    places = np.arange(size) if at is None else at
    label = words.plotly(given.label)
    return [f"{label} {value(number(place), given.unit)}".strip() for place in places.tolist()]
