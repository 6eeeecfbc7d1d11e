"""Where an axis has its numbers, and how its values become places between 0 and 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from atomloom.report.arrays import Array
from atomloom.report.axes import TINY, Axis
from atomloom.report.quantity import number

STEPS = (1.0, 2.0, 5.0, 10.0)
"""The steps between two ticks, times a power of ten."""

FAR = 1e6
"""Places outside of a drawing are told apart up to here, so that lines to them keep their slope."""


@dataclass(frozen=True)
class Span:
    """The stretch of an axis that is drawn, from `low` to `high` (their logarithms if it is logarithmic)."""

    low: float
    high: float
    log: bool

    @classmethod
    def of(cls, axis: Axis, values: Array) -> Span:
        """The stretch that holds all `values` that the axis can show, never empty."""
        shown = values[axis.shows(values)]
        straight = np.log10(shown) if axis.log else shown
        low, high = (float(straight.min()), float(straight.max())) if straight.size else (0.0, 1.0)
        if high - low <= max(1e-12 * max(abs(low), abs(high)), TINY):
            room = 0.5 if axis.log else max(abs(low) / 2, 0.5)
            low, high = low - room, high + room
        return cls(low, high, axis.log)

    def places(self, values: Array) -> Array:
        """Where `values` lie between the ends: 0 at `low`, 1 at `high`, NaN where the axis has no place for them."""
        axis = Axis(scale="log" if self.log else "linear")
        shown = np.where(axis.shows(values), values, np.nan)
        return self._straight_places(np.log10(shown) if self.log else shown)

    def ticks(self, many: int) -> list[tuple[float, str]]:
        """At most about `many` round values within the span: their places and texts.

        >>> Span(0.0, 1.0, log=False).ticks(3)
        [(0.0, '0.0'), (0.5, '0.5'), (1.0, '1.0')]
        >>> Span(0.0, 4.0, log=True).ticks(3)
        [(0.0, '1'), (0.5, '100'), (1.0, '1e4')]
        """
        values, texts = self._powers(many) if self.log else _rounded(self.low, self.high, many)
        return list(zip(self._straight_places(values).tolist(), texts, strict=True))

    def _straight_places(self, values: Array) -> Array:
        with np.errstate(over="ignore"):  # very far outside is outside
            return np.asarray(np.clip((values - self.low) / (self.high - self.low), -FAR, FAR))

    def _powers(self, many: int) -> tuple[Array, list[str]]:
        # Powers of ten; where fewer than two of them fit, round values between them.
        step = max(1, math.ceil((self.high - self.low) / many))
        powers = np.arange(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1) * step
        if powers.size > 1:
            return powers, [f"1e{power}" if abs(power) > 3 else f"{10.0**power:g}" for power in powers.tolist()]
        values, texts = _rounded(10**self.low, 10**self.high, many)
        above = values > 0
        return np.log10(values[above]), [text for text, kept in zip(texts, above, strict=True) if kept]


def _rounded(low: float, high: float, many: int) -> tuple[Array, list[str]]:
    rough = (high - low) / many
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in STEPS if factor * power >= rough * (1 - 1e-9))
    values = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step
    return values, _texts(values, step)


def _texts(values: Array, step: float) -> list[str]:
    largest, power = float(np.abs(values).max(initial=step)), _power(step)
    if largest < 1e6 and step >= 1e-4:
        return [f"{value:z.{max(0, -power)}f}" for value in values]
    return [number(float(value), 1 + _power(largest) - power) for value in values]


def _power(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)
