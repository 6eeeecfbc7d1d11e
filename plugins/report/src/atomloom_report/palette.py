"""The colours of every plot, on the page and in print.

Series take the colours of Okabe and Ito, which people with any common colour blindness tell apart; dashes and markers
differ too, so that a black-and-white print still does. Numbers become colours by two scales: viridis where more is
more, and blue-white-red around a centre.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import NamedTuple


class Look(NamedTuple):
    """How one series is drawn: colour, and the names that plotly and matplotlib have for its dash and marker."""

    color: str
    dash: str
    line: str
    symbol: str
    marker: str


LOOKS = (
    Look("#0072b2", "solid", "-", "circle", "o"),
    Look("#d55e00", "8px,4px", "--", "diamond", "D"),
    Look("#009e73", "2px,3px", ":", "square", "s"),
    Look("#b4619b", "8px,3px,2px,3px", "-.", "triangle-up", "^"),
    Look("#e69f00", "solid", "-", "x", "X"),
    Look("#56b4e9", "8px,4px", "--", "cross", "P"),
    Look("#8c8c8c", "2px,3px", ":", "triangle-down", "v"),
)
"""Of the first, second, ... series; they repeat when there are more. Purple is a shade darker than Okabe and Ito's."""

_VIRIDIS = "440154 482475 414487 355f8d 2a788e 21918c 22a884 44bf70 7ad151 bddf26 fde725"
_RED_BLUE = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"

SEQUENTIAL = tuple(f"#{stop}" for stop in _VIRIDIS.split())
"""Viridis at eleven equal steps."""

DIVERGING = tuple(f"#{stop}" for stop in _RED_BLUE.split())
"""ColorBrewer's RdBu, from blue below the centre to red above it."""

NOWHERE = "#9aa5b1"
"""Of a point without a value."""

INK, QUIET, LINE = "#1b2430", "#5d6b7c", "#d5dce4"
"""Of words, of lesser words and of grid lines in print; the page has its own for light and dark."""


def looks(count: int) -> tuple[Look, ...]:
    """The looks of so many series.

    >>> [look.color for look in looks(2)]
    ['#0072b2', '#d55e00']
    """
    return tuple(islice(cycle(LOOKS), count))


def faint(color: str, opacity: float) -> str:
    """A colour that lets through what is behind it, as CSS and plotly spell it.

    >>> faint("#0072b2", 0.2)
    'rgba(0,114,178,0.2)'
    """
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def stops(centred: bool) -> tuple[str, ...]:
    """The scale for values around a centre, or for others."""
    return DIVERGING if centred else SEQUENTIAL
