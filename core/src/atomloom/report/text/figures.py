"""Each kind of figure as text: a chart where characters can draw one, and its statistics."""

from __future__ import annotations

import numpy as np

from atomloom.report.arrays import Array
from atomloom.report.bins import Hexbin, Histogram
from atomloom.report.blocks import Column, Table
from atomloom.report.categories import Bars, HeatMap
from atomloom.report.figure import Figure
from atomloom.report.quantity import number, with_unit
from atomloom.report.series import Curve, Scatter
from atomloom.report.space import Points3D, Surface3D
from atomloom.report.text.charts import curve, scatter
from atomloom.report.text.rows import bars, histogram
from atomloom.report.text.style import Style
from atomloom.report.text.tables import table

MOST_CELLS = 12
"""A heat map of at most so many rows and columns is shown in numbers."""


def figure(block: Figure, style: Style) -> list[str]:
    """The lines of a figure: title, drawing, statistics, caption."""
    parts = [_drawing(block, style), _statistics(block, style), style.wrap(block.legend)]
    lines = style.wrap(block.title)
    for part in parts:
        lines += [*([""] if lines else []), *part] if part else []
    return lines


def _drawing(block: Figure, style: Style) -> list[str]:
    match block:
        case Curve():
            return curve(block, style) if any(map(len, block.series)) else []
        case Scatter():
            return scatter(block, style) if any(map(len, block.series)) else []
        case Histogram():
            return histogram(block, style)
        case Bars():
            return bars(block, style)
        case HeatMap():
            return _grid(block, style)
        case Hexbin():
            return _cells(block, style)
        case Points3D() | Surface3D():
            return _in_space(block, style)
    return []


def _statistics(block: Figure, style: Style) -> list[str]:
    numbers = block.numbers
    if numbers is None:
        return []
    return [*table(numbers, style), *(style.wrap(numbers.caption, "  ") if numbers.caption else [])]


def _grid(block: HeatMap, style: Style) -> list[str]:
    height, width = block.values.shape
    if not block.values.size or height > MOST_CELLS or width > MOST_CELLS:
        return style.wrap(f"{height:,} rows and {width:,} columns of {block.color.title or 'values'}.")
    rows = block.rows or _names(block.at_y, height)
    columns = block.columns or _names(block.at_x, width)
    heads = (Column(block.y.title, kind="text"), *map(Column, columns))
    named = tuple((name, *values) for name, values in zip(rows, block.values.tolist(), strict=True))
    title = " over ".join(filter(None, (block.color.title, block.x.title)))
    return [*style.wrap(title), *table(Table(heads, named), style)]


def _names(at: Array | None, size: int) -> tuple[str, ...]:
    return tuple(map(str, range(size))) if at is None else tuple(map(number, at.tolist()))


def _cells(block: Hexbin, style: Style) -> list[str]:
    if not block.counts.size:
        return []
    fullest = int(block.counts.argmax())
    where = f"x = {number(block.at_x[fullest])}, y = {number(block.at_y[fullest])}"
    total, most = int(block.counts.sum()), int(block.counts.max())
    return style.wrap(f"{total:,} points in {block.counts.size:,} hexagons, at most {most:,} in one (at {where}).")


def _in_space(block: Points3D | Surface3D, style: Style) -> list[str]:
    if isinstance(block, Points3D):
        what, points = f"{len(block.points):,} points", block.points
    else:
        what, points = f"A surface of {len(block.triangles):,} triangles", block.vertices
    around = f" around {block.molecule.formula}" if block.molecule is not None else ""
    return [*style.wrap(f"{what}{around}."), *_extreme(block, points, style)]


def _extreme(block: Points3D | Surface3D, points: Array, style: Style) -> list[str]:
    if block.values is None or not block.color.shows(block.values).any():
        return []
    shown = np.where(block.color.shows(block.values), block.values, np.nan)
    largest = int(np.nanargmax(np.abs(shown)))
    at = ", ".join(f"{place:.2f}" for place in points[largest])
    value = with_unit(number(float(shown[largest])), block.color.unit)
    return style.wrap(f"Largest in size: {value} at ({at}) angstrom.")
