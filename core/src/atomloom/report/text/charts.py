"""Curves and scatter plots drawn with characters, in a frame with numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from atomloom.report.arrays import Array
from atomloom.report.axes import Axis
from atomloom.report.series import Curve, Scatter, Series
from atomloom.report.text.canvas import Canvas, trace
from atomloom.report.text.style import Style
from atomloom.report.text.ticks import Span
from atomloom.report.thinning import along

ROWS = 14
"""Height of a chart in lines."""

WIDEST = 100
"""A chart grows with the page up to this many columns."""

MARKS = ("●", "x", "+", "○", "△", "◆"), ("o", "x", "+", "*", "#", "@")
"""What stands for the first, second, ... of several series; they repeat when there are more."""


@dataclass(frozen=True)
class _Frame:
    """A canvas, and what its two axes show."""

    canvas: Canvas
    x: Span
    y: Span
    margin: int

    @classmethod
    def around(cls, x: Span, y: Span, style: Style) -> _Frame:
        margin = max((len(text) for _, text in y.ticks(ROWS // 2)), default=0)
        width = max(min(style.width, WIDEST) - margin - 3, 16)
        return cls(Canvas(width, ROWS, style), x, y, margin)

    def places(self, series: Series) -> tuple[Array, Array]:
        return self.x.places(series.x), self.y.places(series.y)

    def lines(self, x: Axis, y: Axis) -> list[str]:
        """The drawing with the axes around it."""
        style = self.canvas.style
        side, tick, corner = (style.glyph(*pair) for pair in (("│", "|"), ("┤", "+"), ("└", "+")))
        texts = {self._row(place): text for place, text in self.y.ticks(ROWS // 2)}
        body = [
            f"{texts.get(row, ''):>{self.margin}} {tick if row in texts else side}{line}"
            for row, line in enumerate(self.canvas.lines())
        ]
        blank = " " * (self.margin + 1)
        rule, numbers = self._below(style)
        head = [style.words(y.title)] if y.title else []
        title = style.words(x.title)
        start = max(self.margin + 2 + self.canvas.width - cell_len(title), 0)
        foot = [f"{blank}{corner}{rule}", f"{blank} {numbers}", " " * start + title]
        return [*head, *body, *(line for line in foot if line.strip())]

    def _row(self, place: float) -> int:
        return ROWS - 1 - min(int(place * ROWS), ROWS - 1)

    def _below(self, style: Style) -> tuple[str, str]:
        width = self.canvas.width
        rule, numbers = [style.glyph("─", "-")] * width, [" "] * width
        free = 0
        for place, text in self.x.ticks(width // 12):
            column = min(int(place * width), width - 1)
            start = min(max(column - len(text) // 2, 0), width - len(text))
            if start >= free:
                rule[column] = style.glyph("┬", "+")
                numbers[start : start + len(text)] = text
                free = start + len(text) + 2
        return "".join(rule), "".join(numbers)


def curve(figure: Curve, style: Style) -> list[str]:
    """The lines of a curve plot; several series are told apart by their marks, bands are shaded."""
    frame = _frame(figure, style)
    shade = style.glyph("░", ":")
    for series in figure.series:
        _shade(frame, series, shade)
    single = len(figure.series) == 1
    marks = MARKS[style.ascii]
    for number, series in enumerate(figure.series):
        x, y = frame.places(series.take(along(8 * frame.canvas.width, series.y)))
        x, y = trace(x, y, 2 * frame.canvas.width)
        frame.canvas.dots(x, y) if single else frame.canvas.mark(x, y, marks[number % len(marks)])
    return [*_legend(figure.series, style), *frame.lines(figure.x, figure.y)]


def scatter(figure: Scatter, style: Style) -> list[str]:
    """The lines of a scatter plot, with the line y = x in dots if the figure has it."""
    frame = _frame(figure, style)
    if figure.identity:
        both = np.linspace(frame.x.low, frame.x.high, 2 * frame.canvas.width)
        values = 10**both if figure.x.log else both
        frame.canvas.mark(frame.x.places(values), frame.y.places(values), style.glyph("·", "."))
    single = len(figure.series) == 1
    marks = MARKS[style.ascii]
    for number, series in enumerate(figure.series):
        x, y = frame.places(series)
        frame.canvas.dots(x, y) if single else frame.canvas.mark(x, y, marks[number % len(marks)])
    return [*_legend(figure.series, style), *frame.lines(figure.x, figure.y)]


def _frame(figure: Curve | Scatter, style: Style) -> _Frame:
    shown = [series.take(np.flatnonzero(figure.shown(series))) for series in figure.series]
    across, up = [series.x for series in shown], [series.y for series in shown]
    up += [edge for series in shown for edge in (series.low, series.high) if edge is not None]
    x, y = (np.concatenate([np.empty(0), *values]) for values in (across, up))
    if isinstance(figure, Scatter) and figure.identity:
        x = y = np.concatenate([x, y])
    return _Frame.around(Span.of(figure.x, x), Span.of(figure.y, y), style)


def _shade(frame: _Frame, series: Series, shade: str) -> None:
    if series.low is None or series.high is None:
        return
    low, high = frame.y.places(series.low), frame.y.places(series.high)
    low = np.where(np.isnan(low) & np.isfinite(high) & frame.y.log, 0.0, low)
    fineness = 8 + 40 * frame.canvas.width // max(len(series), 1)
    (x, low), (_, high) = (trace(frame.x.places(series.x), edge, fineness) for edge in (low, high))
    for part in np.linspace(0, 1, 4 * ROWS):
        frame.canvas.mark(x, low + (high - low) * part, shade)


def _legend(series: tuple[Series, ...], style: Style) -> list[str]:
    marks = MARKS[style.ascii]
    if len(series) < 2:
        return []
    named = (f"{marks[i % len(marks)]} {style.words(one.name)}" for i, one in enumerate(series))
    return style.wrap("   ".join(named).replace("   ", "  ·  " if not style.ascii else " | "))
