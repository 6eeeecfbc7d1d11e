"""What both kinds of plots draw of a figure: places on the axes, bands, steps and ranges, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from atomloom.report import Axis, Curve, Heights, Histogram, Scatter, Series
from atomloom.report.arrays import Array
from atomloom_report.scales import widened

ROOM = 0.04
"""The share of an axis that stays free beside the outermost points."""

FARTHEST = 300
"""The largest power of ten at which a line on log axes may end."""

LEAST_COUNT = 0.5
"""Where the bars of a histogram start on a logarithmic axis, which has no zero."""


def points(figure: Curve | Scatter, series: Series) -> tuple[Array, Array]:
    """Both coordinates, NaN where a point has no place on the axes."""
    shown = figure.shown(series)
    return np.where(shown, series.x, np.nan), np.where(shown, series.y, np.nan)


def lonely(x: Array, y: Array) -> bool:
    """Whether a line through these points would not show one of them: it has gaps (or ends) on both sides."""
    there = np.isfinite(x) & np.isfinite(y)
    beside = np.concatenate([[False], there[:-1]]) | np.concatenate([there[1:], [False]])
    return bool((there & ~beside).any())


@dataclass(frozen=True)
class Band:
    """The stretch between `low` and `high` over `x`, (points,) each; all finite."""

    x: Array
    low: Array
    high: Array


def bands(figure: Curve, series: Series) -> list[Band]:
    """The pieces of the band of `series` between its gaps, cut at the lowest value that a log axis shows."""
    if series.low is None or series.high is None:
        return []
    low = np.maximum(series.low, _floor(figure)) if figure.y.log else series.low
    there = np.flatnonzero(figure.x.shows(series.x) & figure.y.shows(low) & figure.y.shows(series.high))
    pieces = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1) if there.size else []
    return [Band(series.x[at], low[at], series.high[at]) for at in pieces]


def _floor(figure: Curve) -> float:
    return _lowest(figure.y, (v for s in figure.series for v in (s.y, s.low, s.high) if v is not None))


def _lowest(axis: Axis, values: Iterable[Array]) -> float:
    return min((float(v[axis.shows(v)].min()) for v in values if axis.shows(v).any()), default=1.0)


def whiskers(figure: Scatter, series: Series) -> tuple[Array, Array]:
    """How far the error bars of the points reach down and up, zero where there is none."""
    _, y = points(figure, series)
    if series.low is None or series.high is None:
        return np.zeros_like(y), np.zeros_like(y)
    low = np.maximum(series.low, y / 10) if figure.y.log else series.low
    return _reach(y - low), _reach(series.high - y)


def bar_whiskers(axis: Axis, series: Heights) -> tuple[Array, Array]:
    """The same for bars, whose errors are symmetric; on a log axis they end a decade below the bar."""
    errors = np.zeros_like(series.values) if series.errors is None else np.abs(series.errors)
    down = np.minimum(errors, 0.9 * np.abs(series.values)) if axis.log else errors
    return _reach(down), _reach(errors)


def _reach(lengths: Array) -> Array:
    return np.where(np.isfinite(lengths), np.maximum(lengths, 0), 0)


def steps(figure: Histogram, counts: Array) -> tuple[Array, Array]:
    """The outline of a histogram as a closed polygon."""
    floor = LEAST_COUNT if figure.y.log else 0.0
    tops = np.maximum(np.repeat(counts, 2).astype(float), floor)
    return np.repeat(figure.edges, 2), np.concatenate([[floor], tops, [floor]])


def square(figure: Scatter) -> tuple[float, float] | None:
    """The common range of both axes of a plot with an identity line, as powers of ten if they are logarithmic."""
    parts = [v[figure.shown(s)] for s in figure.series for v in (s.x, s.y)]
    values = np.concatenate([np.empty(0), *parts])
    if not figure.identity or not values.size or figure.x.log != figure.y.log:
        return None
    straight = np.log10(values) if figure.x.log else values
    low, high = widened(float(straight.min()), float(straight.max()))
    room = ROOM * (high - low)
    return low - room, high + room


def ends(figure: Scatter) -> tuple[float, float]:
    """Where the identity line starts and ends, in the unit of the axes."""
    low, high = square(figure) or (0.0, 1.0)
    return (10.0 ** max(low, -FARTHEST), 10.0 ** min(high, FARTHEST)) if figure.x.log else (low, high)
