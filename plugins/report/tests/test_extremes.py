"""Numbers at the ends of what a float holds, in every kind of figure, on the page and in print."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from atomloom.report import (
    Axis,
    Bars,
    Curve,
    Figure,
    HeatMap,
    Heights,
    Hexbin,
    Histogram,
    Molecule,
    Points3D,
    Scatter,
    Series,
    Surface3D,
)
from atomloom_report import interactive
from atomloom_report.interactive import space
from atomloom_report.printed import drawing, layout

NAN, INF = float("nan"), float("inf")
VALUES = {
    "huge": [-1e299, 0.0, 1e299],
    "beyond": [-1.7e308, 1.7e308, 1.0],
    "tiny": [5e-324, 1e-308, 2e-300],
    "close": [1e6, 1e6 + 1e-9, 1e6],
    "zero": [0.0, 0.0, 0.0],
    "negative": [-3.0, -2.0, -1.0],
    "none": [NAN, INF, -INF],
    "one": [NAN, 2.0, INF],
    "wide": [1e-290, 1.0, 1e290],
}
Scale = Literal["linear", "log"]


def curve(v: Any, scale: Scale) -> Figure:
    """A curve of the values."""
    series = (Series.around("a", np.arange(3.0), v, np.abs(v)), Series("b", v, v))
    return Curve(title="t", series=series, x=Axis("x", scale=scale), y=Axis("y", scale=scale))


def scatter(v: Any, scale: Scale) -> Figure:
    """A scatter of the values."""
    series = (Series.around("a", v, v[::-1], np.abs(v)),)
    return Scatter(title="t", series=series, x=Axis(scale=scale), y=Axis(scale=scale), identity=True)


def hexbin(v: Any, scale: Scale) -> Figure:
    """A hexbin of the values."""
    return Hexbin.of(Scatter(title="t", series=(Series("", v, v),), x=Axis(scale=scale), y=Axis(scale=scale)))


def histogram(v: Any, scale: Scale) -> Figure:
    """A histogram of the values."""
    return Histogram.of("t", {"a": v, "b": v[:1]}, Axis("x", "eV", scale))


def bars(v: Any, scale: Scale) -> Figure:
    """A bars of the values."""
    return Bars(title="t", labels=("a", "b", "c"), series=(Heights("s", v, v[::-1]),), y=Axis(scale=scale))


def heat_map(v: Any, scale: Scale) -> Figure:
    """A heat map of the values."""
    return HeatMap(title="t", values=v[:, None] * np.ones(2), color=Axis(scale=scale), centre=0.5)


def points(v: Any, scale: Scale) -> Figure:
    """A points of the values."""
    places = np.stack([v, np.arange(3.0), np.zeros(3)], axis=1)
    return Points3D(title="t", points=places, values=v, color=Axis(scale=scale))


def surface(v: Any, scale: Scale) -> Figure:
    """A surface of the values."""
    atoms = Molecule(np.array([1, 0, 250]), np.array([[0, 0, 0], [0, 0, NAN], [0, 0, 1.0]]))
    corners, triangles = np.eye(3), np.array([[0, 1, 2], [0, 0, 0]])
    return Surface3D(
        title="t", vertices=corners, triangles=triangles, values=v, molecule=atoms, color=Axis(scale=scale)
    )


KINDS = (curve, scatter, hexbin, histogram, bars, heat_map, points, surface)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_numbers_break_a_figure(kind: Callable[[Any, Scale], Figure], values: list[float], scale: Scale) -> None:
    """It is drawn or left out, in JSON that browsers read and on paper, without a warning."""
    with np.errstate(all="ignore"):
        figure = kind(np.array(values), scale)
    flat, scene = interactive.drawing(figure), None
    if isinstance(figure, Points3D | Surface3D):
        scene = space.drawing(figure)
    json.dumps([flat, scene and scene.scene], allow_nan=False)
    with layout.settings():
        paper = drawing(figure)
        if paper is not None:
            paper.draw_without_rendering()
    assert (paper is None) == (flat is None and scene is None)
