"""Scenes in space as the page's own script draws them, on a canvas that needs no WebGL and prints."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import numpy as np

from atomloom.elements import symbol
from atomloom.report import Axis, Points3D, Surface3D
from atomloom.report.arrays import Array
from atomloom_report import elements, words
from atomloom_report.palette import NOWHERE
from atomloom_report.scene import Scene, scene

SHADES = 255
"""How many colours a point can have; one more, negative, stands for a point without a value."""

MANY = 20_000
"""The most points of a cloud that a page draws."""


class Bar(NamedTuple):
    """A colour bar: its title, its colours, and the places (percent from the left) and texts of its numbers."""

    title: str
    stops: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]


class Drawing(NamedTuple):
    """The scene as plain data, and the colour bar to set below it."""

    scene: dict[str, Any]
    bar: Bar | None


def drawing(figure: Points3D | Surface3D) -> Drawing | None:
    """What the page's script draws; None for a figure that holds nothing."""
    shown = scene(figure.thinned(MANY))
    if shown.empty:
        return None
    values = (
        {} if shown.values is None else {"values": _packed(shown.values, "<f8"), "unit": words.unit(figure.color.unit)}
    )
    return Drawing(
        {
            "points": _packed(shown.points, "<f4"),
            "triangles": _packed(shown.triangles, "<u4"),
            "shades": _packed(_shades(shown), "<i2"),
            "atoms": _packed(shown.positions, "<f4"),
            "colors": [elements.color(number) for number in shown.numbers.tolist()],
            "radii": shown.sizes.round(3).tolist(),
            "thick": 0.07 if shown.slim else 0.26,
            "names": [f"{symbol(number)}{place}" for place, number in enumerate(shown.numbers.tolist(), 1)],
            "bonds": shown.bonds.tolist(),
            "radius": shown.radius + 0.5,
            "stops": list(shown.scale.stops) if shown.scale is not None else [NOWHERE],
            "nowhere": NOWHERE,
            **values,
        },
        _bar(shown, figure.color),
    )


def _shades(shown: Scene) -> Array:
    if shown.values is None or shown.scale is None:
        return np.zeros(len(shown.points), np.int64)
    shares = shown.scale.shares(shown.values)
    return np.where(np.isfinite(shares), np.round(np.nan_to_num(shares) * (SHADES - 1)), -1)


def _packed(values: Array, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()


def _bar(shown: Scene, color: Axis) -> Bar | None:
    scale = shown.scale
    if scale is None or shown.values is None or not np.isfinite(shown.values).any():
        return None
    ticks = ((round(100 * (place - scale.low) / (scale.high - scale.low), 3), text) for place, text in scale.ticks)
    return Bar(words.title(color), scale.stops, tuple(ticks))
