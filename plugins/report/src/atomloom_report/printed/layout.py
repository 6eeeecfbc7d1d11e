"""The sheet that a figure is printed on: sizes, fonts, axes, its caption below it."""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure as Sheet
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from atomloom.report import Axis, Figure, spans
from atomloom.report.arrays import Array
from atomloom_report import palette, words
from atomloom_report.scales import ColorScale, every, power

WIDTH, HEIGHT = 5.2, 3.7
"""Of the drawing in inches, without caption: a column of a page and a half."""

DPI = 300
"""Of the PNG files."""

LINE, TITLE_LINE, GAP = 0.165, 0.2, 0.1
"""The height of a line of the caption and of the title, and the distance of both from the drawing, in inches."""

LETTERS = 86
"""How many letters a line of the caption holds."""

ROOM = 62
"""How many letters stand side by side along an axis."""

MOST_NAMES = 40
"""The most names that are written along an axis."""

LONGEST = 28
"""Characters of a name along an axis or in a legend."""

_SETTINGS: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],  # the first comes with matplotlib
    "font.size": 9,
    "text.color": palette.INK,
    "text.parse_math": False,  # names are verbatim, dollars included
    "axes.edgecolor": palette.QUIET,
    "axes.labelcolor": palette.INK,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "grid.color": palette.LINE,
    "grid.linewidth": 0.5,
    "xtick.color": palette.QUIET,
    "ytick.color": palette.QUIET,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "figure.facecolor": "white",
    "svg.fonttype": "none",  # words stay words
    "svg.hashsalt": "atomloom",  # no random names
    "path.simplify": True,
}


@contextmanager
def settings() -> Iterator[None]:
    """Our look, and nothing that this user or this machine has configured."""
    with mpl.rc_context(), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box is drawn; the SVG and the page have the character
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def sheet(figure: Figure) -> Sheet:
    """An empty sheet, high enough for the caption of `figure`."""
    below = LINE * len(_caption(figure)) + (GAP if figure.legend else 0)
    above = TITLE_LINE * len(_headline(figure)) + (GAP if figure.title else 0)
    height = HEIGHT + below + above
    paper = Sheet(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(paper)
    engine = paper.get_layout_engine()
    assert engine is not None  # asked for just above
    engine.set(rect=(0, below / height, 1, HEIGHT / height), w_pad=0.06, h_pad=0.06)  # type: ignore[call-arg]
    return paper


def finished(paper: Sheet, figure: Figure) -> Sheet:
    """The sheet with title and caption."""
    left, edge = 0.012, 0.06 / paper.get_figheight()
    paper.text(left, 1 - edge, "\n".join(_headline(figure)), fontsize=10, fontweight="bold", verticalalignment="top")
    paper.text(left, edge, "\n".join(_caption(figure)), fontsize=7.5, color=palette.QUIET)
    return paper


def _headline(figure: Figure) -> list[str]:
    return textwrap.wrap(words.visible(figure.title), 54, max_lines=2, placeholder=" …")


def _caption(figure: Figure) -> list[str]:
    plain = "".join(span.text for span in spans(words.visible(figure.legend)))
    return textwrap.wrap(plain, LETTERS)


def axes(paper: Sheet, x: Axis, y: Axis) -> Axes:
    """The axes of the sheet, with their titles and scales."""
    drawn: Axes = paper.add_subplot()
    drawn.set_xlabel(_title(x))
    drawn.set_ylabel(_title(y))
    for side, given in ((drawn.xaxis, x), (drawn.yaxis, y)):
        if given.log:
            side.axes.set(**{f"{side.axis_name}scale": "log"})
            side.set_major_locator(LogLocator(numticks=7))
            side.set_major_formatter(FuncFormatter(_power))
            side.set_minor_formatter(NullFormatter())
    return drawn


def _title(given: Axis) -> str:
    return "\n".join(textwrap.wrap(words.title(given), 44, max_lines=2, placeholder=" …"))


def _power(value: float, _: Any) -> str:
    if not 0 < value < math.inf:
        return ""
    exponent = math.log10(value)
    return power(round(exponent)) if abs(exponent - round(exponent)) < 1e-6 else f"{value:g}"


def fine_ticks(drawn: Axes) -> None:
    """More numbers on log axes that show less than two powers of ten."""
    for side in (drawn.xaxis, drawn.yaxis):
        low, high = side.get_view_interval()
        if side.get_scale() == "log" and low > 0 and np.log10(high / low) < 1.5:
            side.set_major_locator(LogLocator(subs=(1, 2, 5)))


def named(drawn: Axes, side: Literal["x", "y"], names: tuple[str, ...]) -> None:
    """Names at 0, 1, 2, ... along an axis, as many as fit."""
    shown = every(len(names), MOST_NAMES)
    room = ROOM // max(len(shown), 1) - 1 if side == "x" else LONGEST
    folded = ["\n".join(textwrap.wrap(words.visible(names[place]), max(room, 4))) for place in shown]
    upright = all(text.count("\n") < 3 and len(line) <= room for text in folded for line in text.split("\n"))
    texts = folded if upright else [short(names[place]) for place in shown]
    along = drawn.xaxis if side == "x" else drawn.yaxis
    along.set_major_locator(FixedLocator(list(shown)))
    along.set_ticklabels(texts)
    along.grid(False)
    if side == "x" and not upright:
        steep = len(texts) > 12
        drawn.tick_params(axis="x", labelrotation=90 if steep else 30)
        for label in drawn.get_xticklabels():
            label.set_horizontalalignment("center" if steep else "right")
            label.set_rotation_mode("default" if steep else "anchor")


def short(name: str) -> str:
    """A name that fits beside an axis or into a legend."""
    text = words.visible(name)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def legend(drawn: Axes, handles: list[Any], names: list[str]) -> None:
    """The legend, above the drawing, of those that have a name."""
    # matplotlib leaves out names that start with an underscore; a hair space before it makes them ordinary.
    pairs = [(handle, f"\u200a{short(name)}") for handle, name in zip(handles, names, strict=True) if name]
    if pairs:
        chosen, texts = zip(*pairs, strict=True)
        columns = max(1, min(len(texts), int(70 / (max(map(len, texts)) + 6))))
        drawn.legend(chosen, texts, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.1)


def colors(scale: ColorScale) -> ScalarMappable:
    """The colours of a scale, for places on it (powers of ten if it is logarithmic)."""
    found = LinearSegmentedColormap.from_list("scale", list(scale.stops)).with_extremes(bad=palette.LINE)
    return ScalarMappable(Normalize(scale.low, scale.high), found)


def color_bar(paper: Sheet, drawn: Axes, scale: ColorScale, given: Axis) -> None:
    """The bar that explains the colours."""
    bar = paper.colorbar(colors(scale), ax=drawn, shrink=0.92, aspect=26, pad=0.03)
    bar.set_ticks([place for place, _ in scale.ticks], labels=[text for _, text in scale.ticks])
    bar.set_label(_title(given))
    bar.outline.set_visible(False)


def shades(scale: ColorScale, values: Array) -> Array:
    """The colour of each value, (values, 4)."""
    return np.asarray(colors(scale).to_rgba(np.ma.masked_invalid(scale.straight(values))))
