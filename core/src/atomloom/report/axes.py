"""Axes, and which points have no place on them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from atomloom.report.arrays import Array
from atomloom.report.markup import code
from atomloom.report.piece import Piece, one_of

SCALES = ("linear", "log")
"""What `Axis.scale` may be; ``"log"`` is to base ten."""


HUGE = 1e300
"""What is beyond this in size counts as infinity, because differences and bins must stay within float64."""

TINY = 1e-300
"""A stretch shorter than this is a single place, and what is below it has no place on a logarithmic axis."""


class Axis(Piece, frozen=True):
    """What an axis (or a colour scale) measures.

    Args:
        label: such as ``"energy error"``; verbatim, without markup.
        unit: such as ``"eV"``; empty for none.
        scale: ``"linear"`` or ``"log"``.

    >>> Axis("energy error", "eV").title
    'energy error (eV)'
    """

    label: str = ""
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        """Refuse an unknown scale."""
        self._settle(scale=one_of(f"the axis {self.label!r}", self.scale, SCALES))

    @property
    def title(self) -> str:
        """Label and unit, as they stand beside an axis."""
        return " ".join(filter(None, (self.label, f"({self.unit})" if self.unit else "")))

    @property
    def log(self) -> bool:
        """Whether the scale is logarithmic."""
        return self.scale == "log"

    def shows(self, values: Array) -> Array:
        """A mask of the values that have a place on this axis: finite, and above zero if it is logarithmic.

        >>> Axis("epoch", scale="log").shows(np.array([0.0, 1.0, np.nan]))
        array([False,  True, False])
        """
        finite = _finite(values)
        return finite & (values > TINY) if self.log else finite


def left_out(name: str, *coordinates: tuple[Axis, Array], things: str = "points") -> tuple[str, ...]:
    """Sentences that say how many points (or other things) of a series no plot can show, and why; none if it shows all.

    >>> left_out("train", (Axis("epoch", scale="log"), np.array([0.0, 1.0, np.nan])))
    ('1 of 3 points of `train` holds NaN or infinity.', '1 of 3 points of `train` is not above zero on the log axis.')
    """
    total = coordinates[0][1].size
    if not total:
        return (f"{code(name)} has no {things}." if name else f"There are no {things}.",)
    finite = np.logical_and.reduce([_finite(values) for _, values in coordinates])
    shown = np.logical_and.reduce([axis.shows(values) for axis, values in coordinates])
    nowhere, below = int(total - finite.sum()), int(finite.sum() - shown.sum())
    share = f" of {total:,} {things}" + (f" of {code(name)}" if name else "")
    return tuple(
        f"{count:,}{share} {verb[count > 1]}."
        for count, verb in (
            (nowhere, ("holds NaN or infinity", "hold NaN or infinity")),
            (below, ("is not above zero on the log axis", "are not above zero on the log axis")),
        )
        if count
    )


def _finite(values: Array) -> Array:
    return np.abs(values) < HUGE  # false for NaN
