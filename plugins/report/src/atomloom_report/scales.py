"""What plots of all kinds share: where numbers stand on a colour scale, and the numbers beside it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from atomloom.report import Axis, fixed, number
from atomloom.report.arrays import Array
from atomloom_report import palette, words

MOST_CELLS = 12
"""A heat map of at most so many rows and columns shows its numbers."""


class ColorScale(NamedTuple):
    """A colour scale from `low` to `high`, which are powers of ten if `log`.

    Args:
        stops: the colours at equal steps.
        ticks: places (as powers of ten if `log`) and texts of the numbers beside it.
    """

    low: float
    high: float
    log: bool
    stops: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]

    def straight(self, values: Array) -> Array:
        """`values` on the scale, as powers of ten if it is logarithmic; NaN for those it cannot show."""
        shown = np.where(Axis(scale="log" if self.log else "linear").shows(values), values, np.nan)
        return np.asarray(np.log10(shown) if self.log else shown)

    def shares(self, values: Array) -> Array:
        """Where `values` lie between the ends of the scale, 0 to 1."""
        return np.asarray(np.clip((self.straight(values) - self.low) / (self.high - self.low), 0, 1))


def color_scale(values: Array, axis: Axis, centre: float | None = None, reach: float | None = None) -> ColorScale:
    """The scale on which all `values` have a place, the same distance to both sides of a `centre`.

    Args:
        reach: that distance, on a linear scale; values that are farther away have the colours of its ends.

    >>> color_scale(np.array([-1.0, 3.0]), Axis("error"), centre=0.0)[:3]
    (-3.0, 3.0, False)
    >>> color_scale(np.array([-1.0, 3.0]), Axis("error"), centre=0.0, reach=5.0)[:3]
    (-5.0, 5.0, False)
    """
    shown = values[axis.shows(values)]
    straight = np.log10(shown) if axis.log else shown
    low, high = (float(straight.min()), float(straight.max())) if straight.size else (0.0, 1.0)
    centred = centre is not None and (not axis.log or centre > 0)
    if centred:
        middle = math.log10(centre or 1) if axis.log else float(centre or 0)
        half = max(high - middle, middle - low) if reach is None or axis.log else reach
        low, high = middle - half, middle + half
    low, high = widened(low, high)
    return ColorScale(low, high, axis.log, palette.stops(centred), tuple(_ticks(low, high, axis.log)))


def widened(low: float, high: float) -> tuple[float, float]:
    """The same stretch, or one around its single value."""
    if high - low > 1e-12 * max(abs(low), abs(high), 1e-300):
        return low, high
    room = max(abs(low) / 2, 0.5)
    return low - room, high + room


def power(value: int) -> str:
    """A power of ten.

    >>> power(-3), power(0), power(2), power(6)
    ('10⁻³', '1', '100', '10⁶')
    """
    return str(10**value) if 0 <= value <= 3 else f"10{words.raised(str(value))}"


def cell_texts(values: Array) -> list[list[str]]:
    """The numbers in the cells of a small heat map, nothing in a cell without one.

    All have as many decimals as the largest one needs for three digits, so that they are short.

    >>> cell_texts(np.array([[1.0, -0.01234], [np.nan, 0.5]]))
    [['1.00', '-0.01'], ['', '0.50']]
    """
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0))
    decimals = 2 - math.floor(math.log10(largest)) if largest else 0
    texts = [
        [fixed(v, max(decimals, 0)) if -1 < decimals < 6 else number(v, 2) for v in row] for row in values.tolist()
    ]
    return [["" if text in ("NaN", "inf", "-inf") else text for text in row] for row in texts]


def every(count: int, many: int) -> range:
    """Which of `count` names to write where only `many` fit: every one, every second, ..."""
    return range(0, count, max(math.ceil(count / many), 1))


def _ticks(low: float, high: float, log: bool) -> list[tuple[float, str]]:
    if log:
        whole = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
        if len(whole) > 1:
            return [(float(each), power(each)) for each in whole[:: math.ceil(len(whole) / 6)]]
        return [(place, number(10**place, 2)) for place in np.linspace(low, high, 3).tolist()]
    step = _step((high - low) / 5)
    values = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    plain = decimals <= 4 and max(abs(low), abs(high)) < 1e6
    texts = [f"{v:z.{decimals}f}" if plain else f"{v:z.3g}" for v in values.tolist()]
    return list(zip(values.tolist(), texts, strict=True))


def _step(rough: float) -> float:
    size = 10.0 ** math.floor(math.log10(rough))
    return next(factor * size for factor in (1.0, 2.0, 5.0, 10.0) if factor * size >= rough * (1 - 1e-9))
