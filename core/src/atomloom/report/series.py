"""Curves and scatter plots: named series of points on two axes."""

from __future__ import annotations

from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt

from atomloom.report.arrays import Array, floats
from atomloom.report.axes import Axis, left_out
from atomloom.report.blocks import Column, Table
from atomloom.report.figure import Figure
from atomloom.report.markup import code
from atomloom.report.piece import Piece, agree
from atomloom.report.statistics import compare, describe, pearson
from atomloom.report.thinning import along, scattered, shares

WHOLE = 1e9
"""Numbers on the x axis up to this, all without a fraction, are taken for epochs or steps and written as integers."""


class Series(Piece, frozen=True):
    """Points under one name.

    Args:
        name: verbatim; may be empty when a figure has a single series.
        x: (points,)
        y: (points,); NaN is a gap.
        low: (points,), the lower edge of a band around a curve, or of error bars of a scatter plot.
        high: (points,), the upper edge.
        labels: a name for each point, shown where the mouse is.
    """

    name: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Copy the arrays and check their lengths."""
        what = f"the series {self.name!r}"
        arrays = {key: getattr(self, key) for key in ("x", "y", "low", "high")}
        kept = {key: floats(values, f"{key} of {what}") for key, values in arrays.items() if values is not None}
        self._settle(**kept, labels=tuple(self.labels))
        agree(what, **{key: values.size for key, values in kept.items()})
        agree(f"the band of {what}", **{edge: int(arrays[edge] is None) for edge in ("low", "high")})
        if self.labels:
            agree(what, x=self.x.size, labels=len(self.labels))

    @classmethod
    def around(cls, name: str, x: npt.ArrayLike, y: npt.ArrayLike, spread: npt.ArrayLike) -> Self:
        """A series with the band y - spread to y + spread.

        >>> Series.around("mean", [1, 2], [5, 6], [1, 2]).low
        array([4., 4.])
        """
        middle, half = np.asarray(y, dtype=np.float64), np.asarray(spread, dtype=np.float64)
        return cls(name, np.asarray(x), middle, middle - half, middle + half)

    def __len__(self) -> int:
        """The number of points."""
        return int(self.x.size)

    def take(self, indices: Array) -> Series:
        """The points at `indices`, in that order."""
        picked: dict[str, Any] = {key: getattr(self, key) for key in ("x", "y", "low", "high")}
        picked = {key: None if values is None else values[indices] for key, values in picked.items()}
        return Series(self.name, **picked, labels=tuple(self.labels[i] for i in indices) if self.labels else ())


class _OnAxes(Figure, frozen=True, kw_only=True):
    series: tuple[Series, ...]
    x: Axis = Axis()
    y: Axis = Axis()

    def __post_init__(self) -> None:
        self._settle(series=tuple(self.series))
        if self.statistics is None:
            self._settle(statistics=self._statistics())

    def shown(self, series: Series) -> Array:
        """A mask of the points of `series` that have a place on both axes."""
        return self.x.shows(series.x) & self.y.shows(series.y)

    def _left_out(self) -> tuple[str, ...]:
        each = (left_out(series.name, (self.x, series.x), (self.y, series.y)) for series in self.series)
        return tuple(note for notes in each for note in notes) if self.series else ("There are no series.",)

    def _statistics(self) -> Table:
        raise NotImplementedError


class Curve(_OnAxes, frozen=True, kw_only=True, tag="curve"):
    """Lines through the points of each series in their order, with an optional band around each.

    >>> loss = Series("train", [1, 2], [0.5, 0.25])
    >>> curve = Curve(title="Loss", series=(loss,), x=Axis("epoch"), y=Axis("loss", "eV"))
    >>> curve.statistics.cells("last")
    (0.25,)
    """

    def thinned(self, many: int) -> Self:
        """At most about `many` points: the lowest and highest of equal stretches of each curve, so that spikes stay."""
        keep = shares(many, [len(series) for series in self.series])
        kept = tuple(series.take(along(n, series.y)) for series, n in zip(self.series, keep, strict=True))
        return self._replaced(series=kept, remarks=(*self.notes, *_dropped(self.series, kept)))

    def _left_out(self) -> tuple[str, ...]:
        cut = (
            f"The band of {code(series.name)} reaches below what the log axis can show."
            for series in self.series
            if self.y.log and series.low is not None and (series.low <= 0).any()
        )
        return (*super()._left_out(), *cut)

    def _statistics(self) -> Table:
        unit = self.y.unit
        whole = all(_whole(series.x) for series in self.series)
        heads = (
            Column("series", kind="text"),
            Column("first", unit),
            Column("last", unit),
            Column("lowest", unit),
            Column(f"at {self.x.label or 'x'}", self.x.unit, kind="integer" if whole else "number"),
        )
        return Table(heads, tuple(_course(series, whole) for series in self.series))


class Scatter(_OnAxes, frozen=True, kw_only=True, tag="scatter"):
    """Single points; with `identity`, of predictions (y) against reference values (x) and the line y = x.

    >>> parity = Scatter(title="E", series=(Series("test", [1, 2, 3], [1, 2, 4]),), identity=True, y=Axis("E", "eV"))
    >>> parity.statistics.cells("max")
    (1.0,)
    """

    identity: bool = False

    def thinned(self, many: int) -> Self:
        """At most about `many` points, a fixed choice that holds the extremes and the largest errors."""
        shown = tuple(series.take(np.flatnonzero(self.shown(series))) for series in self.series)
        if sum(map(len, shown)) <= many:
            return self
        keep = shares(many, [len(series) for series in shown])
        kept = tuple(s.take(scattered(n, len(s), s.y - s.x, s.x, s.y)) for s, n in zip(shown, keep, strict=True))
        return self._replaced(series=kept, remarks=(*self.notes, *_dropped(shown, kept)))

    def _statistics(self) -> Table:
        return _parity(self) if self.identity else _spread(self)


def _dropped(before: tuple[Series, ...], after: tuple[Series, ...]) -> tuple[str, ...]:
    total, left = sum(map(len, before)), sum(map(len, after))
    return (f"{left:,} of {total:,} points are drawn.",) if left < total else ()


def _whole(values: Array) -> bool:
    return bool((np.abs(values) < WHOLE).all() and (values == np.round(values)).all())


def _course(series: Series, whole: bool) -> tuple[str | float | int | None, ...]:
    good = np.flatnonzero(np.isfinite(series.y))
    if not good.size:
        return (series.name, None, None, None, None)
    y, x = series.y[good], series.x[good]
    lowest = int(np.argmin(y))
    where = int(x[lowest]) if whole else x[lowest]
    return (series.name, y[0], y[-1], y[lowest], where)


def _parity(figure: Scatter) -> Table:
    unit = figure.y.unit
    heads = (
        Column("series", kind="text"),
        Column("n", kind="integer"),
        Column("MAE", unit),
        Column("RMSE", unit),
        Column("bias", unit),
        Column("p95", unit),
        Column("max", unit),
        Column("R²", precision=4),
        Column("r", precision=4),
    )
    rows = []
    for series in figure.series:
        errors = compare(series.y, series.x)
        numbers = (errors.mae, errors.rmse, errors.bias, errors.p95, errors.max, errors.r2, errors.pearson)
        rows.append((series.name, errors.n, *numbers))
    note = "p95 and max are of the absolute error, R² = 1 - Σ(y - x)²/Σ(x - mean x)², r is Pearson's."
    return Table(heads, tuple(rows), caption=note)


def _spread(figure: Scatter) -> Table:
    x, y = figure.x, figure.y
    heads = (
        Column("series", kind="text"),
        Column("n", kind="integer"),
        Column("mean x", x.unit),
        Column("std x", x.unit),
        Column("mean y", y.unit),
        Column("std y", y.unit),
        Column("r", precision=4),
    )
    rows = []
    for series in figure.series:
        good = np.isfinite(series.x) & np.isfinite(series.y)
        across, up = describe(series.x[good]), describe(series.y[good])
        r = pearson(series.x[good], series.y[good])
        rows.append((series.name, across.n, across.mean, across.std, up.mean, up.std, r))
    return Table(heads, tuple(rows), caption="r is Pearson's correlation coefficient.")


def parity(title: str, predicted: npt.ArrayLike, reference: npt.ArrayLike, axis: Axis, caption: str = "") -> Scatter:
    """The usual plot of predictions against reference values, of one quantity on the `axis`; arrays of any one shape.

    >>> parity("E", [1.0, 2.5], [1.0, 2.0], Axis("energy", "eV")).statistics.cells("MAE")
    (0.25,)
    """
    compare(predicted, reference)
    series = Series("", np.ravel(reference), np.ravel(predicted))
    across, up = (
        msgspec.structs.replace(axis, label=f"{side} {axis.label}".strip()) for side in ("reference", "predicted")
    )
    return Scatter(title=title, caption=caption, series=(series,), x=across, y=up, identity=True)
