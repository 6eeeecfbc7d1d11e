"""What all plotly drawings are made of: packed numbers, axes, legends, colour bars."""

from __future__ import annotations

import base64
import math
import textwrap
from typing import Any

import numpy as np

from atomloom.report import Axis, with_unit
from atomloom.report.arrays import Array
from atomloom_report import palette, words
from atomloom_report.scales import ColorScale, every

Trace = dict[str, Any]

HEIGHT = 400
"""Of a drawing, in CSS pixels."""

SHORT = 64
"""Arrays of up to so many numbers are lists that a person can read in the page's source."""

MOST_NAMES = 40
"""The most names that are written along an axis; the others show where the mouse is."""

LONGEST = 24
"""Characters of a name along an axis."""

LINE = 44
"""Characters of a line of an axis' title, which has at most two, and of a name in a legend."""

ROOM = 64
"""Characters that fit side by side along an axis."""

ROOMY, LEAST_DECADES, MOST_DECADES = 1.1, 1.3, 8
"""A log axis of so many decades, which plotly makes a tenth longer than its values, has a tick at each of them."""


def numbers(values: Array) -> Any:
    """An array as plotly.js reads it: a list (null for NaN), or the base64 of its bytes."""
    if values.size <= SHORT:
        return _listed(values.tolist())
    small = _small(values)
    packed: dict[str, Any] = {"dtype": small.dtype.str[1:], "bdata": base64.b64encode(small.tobytes()).decode()}
    return packed | ({"shape": ", ".join(map(str, small.shape))} if small.ndim > 1 else {})


def _listed(value: Any) -> Any:
    if isinstance(value, list):
        return [_listed(item) for item in value]
    return value if math.isfinite(value) else None


def _small(values: Array) -> Array:
    # Epochs and counts need no eight bytes each.
    whole = bool((np.abs(values) < 2**31).all() and (values == np.round(values)).all())
    return np.ascontiguousarray(values, dtype="<i4" if whole else "<f8")


def drawing(data: list[Trace], x: dict[str, Any], y: dict[str, Any], **layout: Any) -> dict[str, Any]:
    """Data and layout, with what all drawings have in common."""
    common = {
        "autosize": True,
        "height": HEIGHT,
        "margin": {"l": 12, "r": 12, "t": 12, "b": 12, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 13},
        "hovermode": "closest",
        "showlegend": any(trace.get("showlegend", True) and trace.get("name") for trace in data),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        "xaxis": x,
        "yaxis": y,
    }
    return {"data": data, "layout": common | layout}


def axis(given: Axis, span: tuple[float, float] | None = None, *shown: Array) -> dict[str, Any]:
    """An axis with its title, and with its range (powers of ten if it is logarithmic) where that is fixed.

    Args:
        shown: the values along it, by which a logarithmic axis without a fixed range chooses its ticks.
    """
    settings: dict[str, Any] = {
        "type": given.scale,
        "title": {"text": "<br>".join(lines(words.title(given), LINE, 2)), "standoff": 8, "font": {"size": 13}},
        "automargin": True,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "exponentformat": "power",
        "minexponent": 6,
        "separatethousands": True,
    }
    if given.log:
        settings |= {"tickformat": "~g"} | _decades(given, span, shown)
    return settings | ({"range": list(span)} if span else {})


def named(given: Axis, names: tuple[str, ...], across: bool = True) -> dict[str, Any]:
    """An axis of names at 0, 1, 2, ...: all of them, or every second, third, ... where there are too many."""
    shown = every(len(names), MOST_NAMES)
    texts, angle = _beside([names[place] for place in shown])
    ends = [-0.5, len(names) - 0.5]
    return axis(Axis(given.label, given.unit)) | {
        "type": "linear",
        "tickmode": "array",
        "tickvals": list(shown),
        "ticktext": texts,
        "ticklabeloverflow": "allow",
        **({"tickangle": angle} if across else {}),
        "range": ends,
        "showgrid": False,
    }


def _decades(given: Axis, span: tuple[float, float] | None, shown: tuple[Array, ...]) -> dict[str, Any]:
    values = np.concatenate([np.empty(0), *(each[given.shows(each)] for each in shown)])
    wide = span[1] - span[0] if span else float(np.ptp(np.log10(values))) if values.size else 0.0
    return {"nticks": min(math.ceil(ROOMY * wide), MOST_DECADES)} if wide > LEAST_DECADES else {}


def _beside(names: list[str]) -> tuple[list[str], int]:
    # Names stand upright in up to three lines while these fit beside each other, and are turned otherwise.
    room = ROOM // max(len(names), 1)
    folded = [lines(name, max(room, 6), 3) for name in names]
    if all(len(line) < room for each in folded for line in each):
        return ["<br>".join(each) for each in folded], 0
    longest = max(map(len, names))
    return [words.plotly(cut(name, LONGEST)) for name in names], -45 if longest > 4 and len(names) < 24 else -90


def cut(text: str, longest: int) -> str:
    """`text` with at most so many characters.

    >>> cut("distributed", 6)
    'distr…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"


def legend(name: str) -> str:
    """The name of a series in the legend."""
    return words.plotly(cut(name, LINE))


def lines(text: str, width: int, most: int) -> list[str]:
    """`text` in at most so many lines, for plotly.

    >>> lines("per-residue force error", 12, 2)
    ['per-residue', 'force error']
    """
    found = textwrap.wrap(words.visible(text), width, max_lines=most, placeholder=" …")
    return [words.plotly(line) for line in found]


def value(text: str, unit: str) -> str:
    """A number with its unit, for a text beside the mouse."""
    return with_unit(text, words.plotly(words.unit(unit)))


def hover(coordinate: str, given: Axis) -> str:
    """The template of a coordinate with its unit."""
    unit = words.plotly(words.unit(given.unit)).replace("%{", "%&#123;")
    return with_unit(f"%{{{coordinate}:.5~g}}", unit)


def plain(text: str) -> str:
    """A name within a template."""
    return words.plotly(text).replace("%{", "%&#123;")


def identity(low: float, high: float) -> Trace:
    """The line y = x."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "y = x",
        "showlegend": False,
        "x": [low, high],
        "y": [low, high],
        "line": {"color": palette.NOWHERE, "width": 1.5, "dash": "dash"},
        "hoverinfo": "skip",
    }


def color_stops(scale: ColorScale) -> list[list[Any]]:
    """The colours as plotly wants them."""
    return [
        [place, color] for place, color in zip(np.linspace(0, 1, len(scale.stops)).tolist(), scale.stops, strict=True)
    ]


def color_bar(scale: ColorScale, given: Axis) -> dict[str, Any]:
    """The bar that explains a colour scale."""
    return {
        "title": {"text": words.plotly(words.title(given)), "side": "right", "font": {"size": 13}},
        "tickfont": {"size": 12},
        "tickvals": [place for place, _ in scale.ticks],
        "ticktext": [text for _, text in scale.ticks],
        "thickness": 12,
        "outlinewidth": 0,
        "ticks": "outside",
        "ticklen": 4,
        "xpad": 6,
    }
