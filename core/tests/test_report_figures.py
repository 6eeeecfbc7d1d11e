"""Figures: what is refused, what is left out and said, and what thinning keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atomloom.errors import DataError
from atomloom.report import (
    Axis,
    Bars,
    Column,
    Counts,
    Curve,
    HeatMap,
    Heights,
    Hexbin,
    Histogram,
    KeyFigure,
    Link,
    Links,
    Molecule,
    Points3D,
    Scatter,
    Series,
    Surface3D,
    Table,
    parity,
)

NUMBER = Column("E", "eV")
INTEGER = Column("n", kind="integer")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Series("train", [1, 2], [1]),
            "Cannot make the series 'train': x has 2, y has 1. Give as many of each.",
        ),
        (lambda: Series("t", [1], [1], low=[0]), "Cannot make the band of the series 't'"),
        (lambda: Series("t", [1, 2], [1, 2], labels=("a",)), "x has 2, labels has 1"),
        (lambda: Series("t", ["a"], [1]), "x of the series 't' in a report: it holds values of type <U1"),
        (lambda: Series("t", [[1]], [1]), r"its shape is (1, 1), not n"),
        (lambda: Series("t", [1j], [1]), "type complex128"),
        (lambda: Axis("epoch", scale="logarithmic"), "'logarithmic' is none of linear, log. Choose one of these."),
        (lambda: Column("E", kind="float"), "'float' is none of text, number, integer"),
        (lambda: Table((NUMBER,), [(1, 2)], title="T"), "row 1 of the table 'T': columns has 1, row has 2"),
        (lambda: Table((NUMBER,), [("x",)], title="T"), "could not convert string to float"),
        (lambda: Table((INTEGER,), [(1.5,)], title="T"), "Give its cells the kinds of their columns"),
        (lambda: Table((Column("q", uncertainty="esd"),), []), "'esd' is none of q"),
        (lambda: Histogram(title="H", edges=[0, 0, 1], series=()), "not two or more ascending numbers"),
        (lambda: Histogram(title="H", edges=[0, 1], series=(Counts("", [1, 2]),)), "bins has 1, counts has 2"),
        (lambda: Counts("", [0.5]), "numbers that are not whole"),
        (lambda: Bars(title="B", labels=("a",), series=(Heights("", [1, 2]),)), "labels has 1, values has 2"),
        (lambda: HeatMap(title="M", values=[[1, 2]], columns=("a",)), "columns has 2, names has 1"),
        (lambda: HeatMap(title="M", values=[1, 2]), r"its shape is (2,), not nxn"),
        (lambda: HeatMap(title="M", values=[[1]], centre=math.nan), "the centre of its colours is not finite"),
        (lambda: Molecule([8, 1], [[0, 0, 0]]), "Z has 2, R has 1"),
        (lambda: Points3D(title="P", points=[[0, 0]]), "its shape is (1, 2), not nx3"),
        (lambda: Surface3D(title="S", vertices=[[0, 0, 0]], triangles=[[0, 0, 1]]), "none of the 1. Count the"),
        (lambda: Links((Link("/etc/passwd"),)), "it is not relative to the report's folder"),
        (lambda: Links((Link("javascript:alert(1)"),)), "it is not relative to the report's folder"),
    ],
)
def test_what_does_not_fit_is_refused(make: object, message: str) -> None:
    """Each mistake is named together with the piece that holds it."""
    with pytest.raises(DataError) as caught:
        make()  # type: ignore[operator]
    assert message in str(caught.value)


def test_points_that_no_plot_can_show_are_counted() -> None:
    """NaN, infinity and what lies below a log axis are said with the caption; an empty series is, too."""
    series = (Series("a*b", [0, 1, 2, 3], [1, math.nan, -1, 1]), Series("none", [], []))
    curve = Curve(title="Loss", series=series, x=Axis("epoch"), y=Axis("loss", scale="log"), caption="Per epoch.")
    assert curve.legend == (
        "Per epoch. 1 of 4 points of `a*b` holds NaN or infinity. "
        "1 of 4 points of `a*b` is not above zero on the log axis. `none` has no points."
    )


def test_arrays_are_copies_and_read_only() -> None:
    """Neither the caller's array nor the figure's can change the other."""
    mine = np.array([1.0, 2.0])
    series = Series("", mine, mine)
    mine[0] = 7
    assert series.x[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        series.x[0] = 7


def test_masked_values_are_gaps() -> None:
    """A masked element is NaN, not what lies under the mask."""
    assert math.isnan(Series("", [1], np.ma.masked_array([5.0], [True])).y[0])


def test_thinned_scatter_is_deterministic_and_keeps_the_worst() -> None:
    """The same points each time, the largest errors among them, statistics of all, and a sentence that says so."""
    rng = np.random.default_rng(0)
    reference = rng.normal(size=200_000)
    figure = parity("E", reference + rng.normal(size=reference.size), reference, Axis("energy", "eV"))
    thin, again = figure.thinned(1000), figure.thinned(1000)
    assert thin == again
    assert len(thin.series[0]) == 1000
    error, kept = (one.series[0].y - one.series[0].x for one in (figure, thin))
    assert (kept.min(), kept.max()) == (error.min(), error.max())
    assert thin.statistics == figure.statistics
    assert thin.notes == ("1,000 of 200,000 points are drawn.",)


def test_thinned_curve_keeps_spikes_and_what_it_said() -> None:
    """One spike and one gap in a hundred thousand steps survive thinning."""
    y = np.zeros(100_000)
    y[777], y[50_000] = 9, math.nan
    figure = Curve(title="", series=(Series("", np.arange(y.size), y),))
    thin = figure.thinned(100)
    assert len(thin.series[0]) <= 100
    assert np.nanmax(thin.series[0].y) == 9
    assert thin.notes[0] == figure.notes[0] == "1 of 100,000 points holds NaN or infinity."


@pytest.mark.parametrize("many", [1, 2, 3, 10])
def test_thinning_to_very_few_points_works(many: int) -> None:
    """However few are asked for, and with an empty series among them."""
    series = (Series("a", np.arange(50), np.arange(50)), Series("b", [], []))
    assert 1 <= len(Scatter(title="", series=series).thinned(many).series[0]) <= max(many, 2)
    assert 1 <= len(Curve(title="", series=series).thinned(many).series[0]) <= max(many, 4)
    points = Points3D(title="", points=np.ones((50, 3)), values=np.arange(50)).thinned(many)
    assert len(points.points) == many


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [0.0] * 5,
        [1e17, 1e17 + 16],
        [-1e299, 1e299],
        [1e-310, 2e-310],
        [math.nan, math.inf],
        [0.0] * 1000 + [1e12],
    ],
)
def test_histogram_counts_every_finite_value(values: list[float]) -> None:
    """Whatever the values, each finite one is in exactly one of a sane number of bins."""
    figure = Histogram.of("H", {"v": values}, Axis("v"))
    assert figure.series[0].counts.sum() == np.isfinite(values).sum()
    assert 1 <= figure.series[0].counts.size <= 60


def test_logarithmic_histogram_has_bins_of_equal_ratio() -> None:
    """On a log axis the edges grow by one factor, and zero is left out and said."""
    figure = Histogram.of("H", {"v": [0, 1, 10, 100]}, Axis("v", scale="log"), bins=2)
    assert figure.edges == pytest.approx([1, 10, 100])
    assert figure.notes == ("1 of 4 points of `v` is not above zero on the log axis.",)


def test_hexagons_tile_the_plane() -> None:
    """Brute force: every point belongs to the hexagon whose centre is nearest in regular units."""
    x, y = np.random.default_rng(6).uniform(size=(2, 500))
    cells = Hexbin.of(Scatter(title="", series=(Series("", x, y),)), cells=6)
    along = (x[:, None] - cells.at_x) / cells.width
    up = (y[:, None] - cells.at_y) / cells.height * 2 / math.sqrt(3)
    nearest = np.bincount(np.argmin(along**2 + up**2, axis=1), minlength=cells.counts.size)
    assert cells.counts.sum() == 500
    assert np.abs(nearest - cells.counts).sum() <= 2, "only the rightmost point lies on the edge of two hexagons"


def test_parity_needs_matching_shapes_and_takes_vectors() -> None:
    """Forces (frames, atoms, 3) are compared component by component."""
    figure = parity("F", np.ones((4, 5, 3)), np.zeros((4, 5, 3)), Axis("force", "eV/angstrom"))
    assert figure.statistics is not None
    assert figure.statistics.cells("n") == (60,)
    assert figure.x.title == "reference force (eV/angstrom)"


def test_key_figures_take_numpy_numbers() -> None:
    """numpy scalars become Python's, and an uncertainty that is not finite is no uncertainty."""
    figure = KeyFigure("n", np.int32(3), uncertainty=np.float32("nan"))
    assert (type(figure.value), figure.uncertainty) == (int, None)
    assert KeyFigure("ok", np.True_).value == "yes"
