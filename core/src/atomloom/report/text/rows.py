"""Histograms and bars drawn with characters, one line for each bin or bar."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from rich.cells import cell_len

from atomloom.report.arrays import Array
from atomloom.report.axes import Axis
from atomloom.report.bins import Histogram
from atomloom.report.categories import Bars, Heights
from atomloom.report.quantity import number, quantity
from atomloom.report.text.style import Style, pad
from atomloom.report.text.tables import fold
from atomloom.report.text.ticks import Span

MOST_BINS = 24
"""A histogram of more bins is shown with neighbouring ones added up."""

LONGEST = 60
"""A bar grows with the page up to this many columns."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def histogram(figure: Histogram, style: Style) -> list[str]:
    """The lines of a histogram, one chart for each of its series."""
    join = math.ceil((figure.edges.size - 1) / MOST_BINS)
    edges = np.append(figure.edges[:-1:join], figure.edges[-1])
    starts = np.arange(0, figure.edges.size - 1, join)
    labels = _between(edges, figure.x, style)
    lines = [f"Each line adds up {join} bins."] if join > 1 else []
    for series in figure.series:
        counts = np.add.reduceat(series.counts, starts)
        head = pad(style.words(figure.x.title), max(map(cell_len, labels)), right=True)
        title = [style.words(series.name)] if series.name else []
        lines += ["", *title] if lines else title
        lines += [f"{head}  {style.words(figure.y.title)}", *_counted(labels, counts, figure.y, style)]
    return lines


def bars(figure: Bars, style: Style) -> list[str]:
    """The lines of bars from zero (or the left end of a logarithmic axis), with whiskers for the errors."""
    several = len(figure.series) > 1
    entries = [(i, series) for i in range(len(figure.labels)) for series in figure.series]
    names = [_name(figure.labels[i], series.name if several else "", style) for i, series in entries]
    values = [style.words(_value(series, i)) for i, series in entries]
    if not entries:
        return []
    left, right = max(map(cell_len, names)), max(map(cell_len, values))
    width = min(max(style.width - left - right - 4, 0), LONGEST)
    span = _reach(figure)
    lines = [style.words(figure.y.title)] if figure.y.title else []
    for (i, series), name, value in zip(entries, names, values, strict=True):
        drawn = _whiskered(series, i, span, width, style)
        lines.append(f"{pad(name, left)}  {pad(drawn, width)}  {value}".rstrip())
        if several and series is figure.series[-1] and i + 1 < len(figure.labels):
            lines.append("")
    return lines


def _between(edges: Array, axis: Axis, style: Style) -> list[str]:
    decimals = max(0, 1 - math.floor(math.log10(float(np.diff(edges).min()))))  # two digits of a bin's width
    plain = not axis.log and decimals <= 6 and float(np.abs(edges).max()) < 1e6
    texts = [f"{edge:z.{decimals}f}" if plain else number(edge) for edge in edges.tolist()]
    longest = max(map(len, texts))
    dots = style.glyph(" … ", " .. ")
    return [f"{low:>{longest}}{dots}{high:>{longest}}" for low, high in pairwise(texts)]


def _counted(labels: list[str], counts: Array, axis: Axis, style: Style) -> list[str]:
    heights = np.log10(1 + counts) if axis.log else counts.astype(float)
    digits = len(str(int(counts.max(initial=0))))
    width = min(max(style.width - len(labels[0]) - digits - 4, 4), LONGEST)
    scale = width / max(float(heights.max(initial=0)), 1e-300)
    rows = zip(labels, counts, heights, strict=True)
    return [f"{label}  {count:>{digits}} {_bar(height * scale, style)}".rstrip() for label, count, height in rows]


def _bar(length: float, style: Style) -> str:
    if style.ascii:
        return "#" * max(round(length), int(length > 0))
    eighths = max(round(8 * length), int(length > 0))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _name(label: str, series: str, style: Style) -> str:
    text = style.words(f"{label} {series}".strip())
    room = style.width // 3
    return text if cell_len(text) <= room else fold(text, room - 1)[0] + style.glyph("…", "~")


def _value(series: Heights, i: int) -> str:
    return quantity(float(series.values[i]), None if series.errors is None else float(series.errors[i]))


def _reach(figure: Bars) -> Span:
    ends = [np.empty(0) if figure.y.log else np.zeros(1)]
    for series in figure.series:
        spread = np.nan_to_num(series.errors, posinf=0, neginf=0) if series.errors is not None else np.zeros(1)
        with np.errstate(over="ignore", invalid="ignore"):  # an end beyond float64 has no place, as others have none
            ends += [series.values, series.values - spread, series.values + spread]
    span = Span.of(figure.y, np.concatenate(ends))
    return Span(math.floor(span.low), span.high, True) if figure.y.log else span


def _whiskered(series: Heights, i: int, span: Span, width: int, style: Style) -> str:
    # Places in columns; a bar runs from the origin to its value and the whisker over value ± error.
    value, error = float(series.values[i]), 0.0 if series.errors is None else abs(float(series.errors[i]))
    with np.errstate(over="ignore"):
        places = span.places(np.array([value, value - error, value + error]))
    origin = 0.0 if span.log else float(span.places(np.zeros(1))[0])
    if not math.isfinite(places[0]):
        return ""
    start, end = sorted((round(origin * (width - 1)), round(float(places[0]) * (width - 1))))
    line = [" "] * width
    line[start : end + 1] = style.glyph("█", "#") * (end + 1 - start)
    if error and math.isfinite(error):
        # An end that has no place (below a log axis, beyond a float64) is the end of the drawing.
        reach = np.clip(np.where(np.isnan(places[1:]), [0, 1], places[1:]), 0, 1)
        low, high = (round(float(place) * (width - 1)) for place in reach)
        line[low : high + 1] = style.glyph("─", "-") * (high + 1 - low)
        line[low], line[high] = style.glyph("├", "|"), style.glyph("┤", "|")
    return "".join(line).rstrip()
