"""Figures over named things: bars with error bars, and heat maps."""

from __future__ import annotations

import numpy as np

from atomloom.errors import DataError
from atomloom.report.arrays import Array, floats
from atomloom.report.axes import Axis, left_out
from atomloom.report.blocks import Column, Table
from atomloom.report.figure import Figure
from atomloom.report.piece import Piece, agree
from atomloom.report.statistics import describe


class Heights(Piece, frozen=True):
    """One bar per label of a `Bars`: (labels,), with standard uncertainties `errors` (labels,) or None."""

    name: str
    values: Array
    errors: Array | None = None

    def __post_init__(self) -> None:
        """Copy the arrays and check their lengths."""
        self._settle(values=floats(self.values, f"the bars {self.name!r}"))
        if self.errors is not None:
            self._settle(errors=floats(self.errors, f"the errors of the bars {self.name!r}"))
            agree(f"the bars {self.name!r}", values=self.values.size, errors=self.errors.size)


class Bars(Figure, frozen=True, kw_only=True, tag="bars"):
    """Bars with error bars over labels; several series stand side by side.

    >>> figure = Bars(title="MAE", labels=("ALA", "GLY"), series=(Heights("test", [1.0, 2.0], [0.1, 0.2]),))
    """

    labels: tuple[str, ...]
    series: tuple[Heights, ...]
    x: Axis = Axis()
    y: Axis = Axis()

    def __post_init__(self) -> None:
        """Check that every series has one bar per label."""
        self._settle(labels=tuple(self.labels), series=tuple(self.series))
        for series in self.series:
            agree(f"the bars {self.title!r}", labels=len(self.labels), values=series.values.size)

    def _left_out(self) -> tuple[str, ...]:
        each = (left_out(series.name, (self.y, series.values), things="bars") for series in self.series)
        return tuple(note for notes in each for note in notes) if self.series else ("There are no bars.",)


class HeatMap(Figure, frozen=True, kw_only=True, tag="heat-map"):
    """A grid of colours; the first row is the lowest unless the rows are named, then it is the top one.

    Args:
        values: (rows, columns)
        rows: a name for each row, or none.
        columns: a name for each column, or none.
        at_y: (rows,) where the rows stand on the y axis, if they are numbers and have no names.
        at_x: (columns,) where the columns stand on the x axis.
        color: what the colours measure.
        centre: the value in the middle of a diverging colour scale; None for a sequential one.
    """

    values: Array
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    at_y: Array | None = None
    at_x: Array | None = None
    x: Axis = Axis()
    y: Axis = Axis()
    color: Axis = Axis()
    centre: float | None = None

    def __post_init__(self) -> None:
        """Check that names and places fit the grid."""
        what = f"the heat map {self.title!r}"
        values = floats(self.values, what, (None, None))
        self._settle(values=values, rows=tuple(self.rows), columns=tuple(self.columns))
        for side, size, names, at in (("rows", 0, self.rows, "at_y"), ("columns", 1, self.columns, "at_x")):
            if names:
                agree(what, **{side: values.shape[size], "names": len(names)})
            if getattr(self, at) is not None:
                self._settle(**{at: floats(getattr(self, at), f"{at} of {what}", (values.shape[size],))})
        if self.centre is not None and not np.isfinite(self.centre):
            raise DataError(f"make {what}", "the centre of its colours is not finite", "Give a number or None")
        if self.statistics is None:
            self._settle(statistics=summary(values, self.color))

    def _left_out(self) -> tuple[str, ...]:
        return left_out("", (self.color, self.values), things="cells")


def summary(values: Array, axis: Axis) -> Table:
    """Number, mean, spread and range of the finite `values` that are shown in the colours of `axis`."""
    heads = (
        Column("quantity", kind="text"),
        Column("n", kind="integer"),
        *(Column(name, axis.unit) for name in ("mean", "std", "min", "median", "max")),
    )
    s = describe(values)
    return Table(heads, ((axis.label or "value", s.n, s.mean, s.std, s.min, s.median, s.max),))
