"""Counted points: histograms on one axis, hexagonal bins on two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt

from atomloom.errors import DataError
from atomloom.report.arrays import Array, floats, integers
from atomloom.report.axes import TINY, Axis, left_out
from atomloom.report.blocks import Column, Table
from atomloom.report.figure import Figure
from atomloom.report.piece import Piece, agree
from atomloom.report.series import Scatter
from atomloom.report.statistics import describe, percentiles

FEWEST, MOST = 8, 60
"""How many bins a histogram has when nobody says, whatever the spread of the values."""


class Counts(Piece, frozen=True):
    """How many values of one series fall into each bin: (bins,) whole numbers."""

    name: str
    counts: Array

    def __post_init__(self) -> None:
        """Copy the counts."""
        self._settle(counts=integers(self.counts, f"the counts of {self.name!r}"))


class Histogram(Figure, frozen=True, kw_only=True, tag="histogram"):
    """Counts over the bins between `edges`, ascending, (bins + 1,); the same bins for every series.

    >>> chart = Histogram.of("Errors", {"test": [0.0, 0.1, 0.1, 0.4]}, Axis("error", "eV"), bins=2)
    >>> chart.edges, chart.series[0].counts
    (array([0. , 0.2, 0.4]), array([3, 1]))
    """

    edges: Array
    series: tuple[Counts, ...]
    x: Axis = Axis()
    y: Axis = Axis("count")

    def __post_init__(self) -> None:
        """Check that the edges ascend and that there is one count between each two."""
        edges = floats(self.edges, f"the edges of {self.title!r}")
        self._settle(edges=edges, series=tuple(self.series))
        ascending = np.isfinite(edges).all() and (edges[1:] > edges[:-1]).all()
        if edges.size < 2 or not ascending or (self.x.log and edges[0] <= 0):
            asked = f"make the histogram {self.title!r}"
            raise DataError(asked, "its edges are not two or more ascending numbers on its axis", "Sort its edges")
        for series in self.series:
            agree(f"the histogram {self.title!r}", bins=edges.size - 1, counts=series.counts.size)

    @classmethod
    def of(
        cls, title: str, values: Mapping[str, npt.ArrayLike], x: Axis, bins: int | None = None, caption: str = ""
    ) -> Self:
        """Count `values` (name -> array) in equal bins of the axis `x`, by the rule of Freedman and Diaconis."""
        arrays = {name: floats(np.ravel(given), f"the values of {name!r}") for name, given in values.items()}
        shown = {name: given[x.shows(given)] for name, given in arrays.items()}
        edges = _edges(np.concatenate([np.empty(0), *shown.values()]), x, bins)
        return cls(
            title=title,
            caption=caption,
            edges=edges,
            series=tuple(Counts(name, np.histogram(given, edges)[0]) for name, given in shown.items()),
            x=x,
            statistics=_summaries(arrays, x.unit),
            remarks=tuple(note for name, given in arrays.items() for note in left_out(name, (x, given))),
        )


class Hexbin(Figure, frozen=True, kw_only=True, tag="hexbin"):
    """Very many points, counted in hexagons.

    Args:
        at_x: (cells,) centres of the hexagons that hold a point, in the axis' unit.
        at_y: (cells,)
        counts: (cells,)
        width: of a hexagon between its upright sides, along the x axis (in decades if that is logarithmic).
        height: of a hexagon from its lower to its upper corner, along the y axis.
        identity: whether to draw the line y = x.
        color: the axis of the colour scale.
    """

    at_x: Array
    at_y: Array
    counts: Array
    width: float
    height: float
    x: Axis = Axis()
    y: Axis = Axis()
    color: Axis = Axis("points", scale="log")
    identity: bool = False

    def __post_init__(self) -> None:
        """Copy the arrays and check their lengths."""
        what = f"the hexagons of {self.title!r}"
        across, up = floats(self.at_x, f"x of {what}"), floats(self.at_y, f"y of {what}")
        counts = integers(self.counts, f"the counts of {what}")
        agree(what, x=across.size, y=up.size, counts=counts.size)
        self._settle(at_x=across, at_y=up, counts=counts)
        if not (0 < self.width < np.inf and 0 < self.height < np.inf):
            raise DataError(f"make {what}", "their width or height is not above zero", "Use Hexbin.of")

    @classmethod
    def of(cls, figure: Scatter, cells: int = 40) -> Self:
        """The points of a scatter plot, all series together, counted in about `cells` hexagons from left to right.

        >>> from atomloom.report import Series
        >>> Hexbin.of(Scatter(title="E", series=(Series("", [0, 0, 1], [0, 0, 1]),)), cells=4).counts.tolist()
        [2, 1]
        """
        kept = [series.take(np.flatnonzero(figure.shown(series))) for series in figure.series]
        across = _straight(figure.x, np.concatenate([np.empty(0), *(series.x for series in kept)]))
        up = _straight(figure.y, np.concatenate([np.empty(0), *(series.y for series in kept)]))
        width, height = _extent(across) / cells, _extent(up) / cells * 2 / np.sqrt(3)
        at_x, at_y, counts = _hexagons(across, up, width, height)
        return cls(
            title=figure.title,
            caption=figure.caption,
            at_x=10**at_x if figure.x.log else at_x,
            at_y=10**at_y if figure.y.log else at_y,
            counts=counts,
            width=width,
            height=height,
            x=figure.x,
            y=figure.y,
            identity=figure.identity,
            statistics=figure.statistics,
            remarks=figure.notes,
        )

    def corners(self) -> Array:
        """The corners of the hexagons in the axes' units: (cells, 6, 2).

        >>> figure = Hexbin(title="", at_x=[0.0], at_y=[0.0], counts=[1], width=2.0, height=4.0)
        >>> figure.corners()[0].tolist()
        [[1.0, -1.0], [1.0, 1.0], [0.0, 2.0], [-1.0, 1.0], [-1.0, -1.0], [0.0, -2.0]]
        """
        shape = np.array([[2, -1], [2, 1], [0, 2], [-2, 1], [-2, -1], [0, -2]]) / 4 * [self.width, self.height]
        centres = np.stack([_straight(self.x, self.at_x), _straight(self.y, self.at_y)], axis=-1)
        corners: Array = centres[:, None] + shape
        for place, axis in enumerate((self.x, self.y)):
            if axis.log:
                corners[..., place] = 10 ** corners[..., place]
        return corners

    def _left_out(self) -> tuple[str, ...]:
        return () if self.counts.size else ("There are no points.",)


def _straight(axis: Axis, values: Array) -> Array:
    return np.asarray(np.log10(values) if axis.log else values)


def _extent(values: Array) -> float:
    extent = float(np.ptp(values)) if values.size else 0.0
    return extent if 0 < extent < np.inf else 1.0


def _edges(values: Array, axis: Axis, bins: int | None) -> Array:
    straight = _straight(axis, values)
    low, high = (float(straight.min()), float(straight.max())) if straight.size else (0.0, 1.0)
    if bins is None:
        first, third = percentiles(straight, (25, 75))
        rule = (high - low) / (third - first) / 2 * straight.size ** (1 / 3) if third - first > TINY else FEWEST
        bins = int(np.clip(rule, FEWEST, MOST))
    middle, half = (low + high) / 2, (high - low) / 2
    if half <= max(1e-12 * abs(middle), TINY):  # one value, give or take its rounding: bins around it
        half = 0.5 if axis.log else max(abs(middle), 1.0) / 2
    edges = middle + half * np.linspace(-1, 1, bins + 1)
    edges = 10**edges if axis.log else edges
    if values.size:  # rounding must not put an extreme value outside
        edges[0], edges[-1] = min(edges[0], values.min()), max(edges[-1], values.max())
    return np.unique(edges)


def _summaries(arrays: Mapping[str, Array], unit: str) -> Table:
    heads = (
        Column("series", kind="text"),
        Column("n", kind="integer"),
        Column("mean", unit),
        Column("std", unit),
        Column("min", unit),
        Column("median", unit),
        Column("max", unit),
    )
    summaries = [(name, describe(values)) for name, values in arrays.items()]
    rows = tuple((name, s.n, s.mean, s.std, s.min, s.median, s.max) for name, s in summaries)
    return Table(heads, rows)


def _hexagons(x: Array, y: Array, width: float, height: float) -> tuple[Array, Array, Array]:
    # Hexagons are two rectangular lattices of (width, 3/2 height), the second moved by half of both: a point
    # belongs to the nearer of its two candidates, in units in which the hexagons are regular.
    if not x.size:
        return x, y, np.empty(0, np.int64)
    origin, step = np.array([x.min(), y.min()]), np.array([width, 1.5 * height])
    points = (np.stack([x, y], axis=-1) - origin) / step
    even, odd = np.round(points), np.floor(points) + 0.5
    stretch = np.array([1.0, 3.0])
    nearer = ((points - even) ** 2 @ stretch) <= ((points - odd) ** 2 @ stretch)
    cells, counts = np.unique(np.where(nearer[:, None], even, odd), axis=0, return_counts=True)
    centres = cells * step + origin
    return centres[:, 0], centres[:, 1], counts
