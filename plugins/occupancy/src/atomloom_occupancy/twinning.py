"""Signs of twinning: the L-test of Padilla & Yeates 2003 (Acta Cryst. D59, 1124), and the second moment of intensities.

L = (I1 - I2) / (I1 + I2) of two acentric reflections that are near in reciprocal space, each index apart by an even
number. Its size is 0.5 on the mean for an untwinned crystal and 0.375 for a perfect twin; the mean of I^2 is 2 and 1.5.
I counts in units of its mean around that resolution. Translations within the asymmetric unit raise both.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError
from atomloom_occupancy.french_wilson import mean_intensity
from atomloom_occupancy.reflections import Reflections

LIMITS = 0.44, 1.8
"""Both numbers below these are taken for twinning where there are pairs enough."""

FEWEST = 200
"""Pairs that the test needs."""

_STRONG = 3.0
_PER_SHELL = 400
_STEPS = np.array([[2, 0, 0], [0, 2, 0], [0, 0, 2]])


@dataclass(frozen=True)
class Twinning:
    """What intensities say.

    Args:
        mean_l: the mean of |L|.
        moment: the mean of I^2, I in units of its mean.
        pairs: of reflections that the first is of.
    """

    mean_l: float
    moment: float
    pairs: int

    @property
    def is_likely(self) -> bool:
        """Whether the data look twinned."""
        return self.pairs >= FEWEST and self.mean_l < LIMITS[0] and self.moment < LIMITS[1]

    def __str__(self) -> str:
        """Both numbers beside what they are without twinning and for a perfect twin."""
        if self.pairs < FEWEST:
            return f"there are too few pairs of strong acentric reflections ({self.pairs}) to look for twinning"
        return (
            f"the mean of |L| is {self.mean_l:.3f} over {self.pairs} pairs (0.5 untwinned, 0.375 perfectly twinned), "
            f"the second moment of intensities {self.moment:.2f} (2 and 1.5)"
        )


def look_for_twinning(data: Reflections) -> Twinning:
    """Both tests on the acentric reflections of the shells that are strong."""
    used = np.flatnonzero(~data.centric & (data.amplitude > 0) & _strong(data, _shells(data)))
    if not len(used):
        return Twinning(float("nan"), float("nan"), 0)
    strong = data.take(used)
    relative = strong.amplitude**2 / mean_intensity(strong.amplitude**2, strong.epsilon, strong.d)
    first, second = _pairs(strong)
    apart = np.abs(relative[first] - relative[second]) / (relative[first] + relative[second])
    mean = float(apart.mean()) if len(apart) else float("nan")
    return Twinning(mean, float(np.mean(relative**2) / np.mean(relative) ** 2), len(apart))


def check_twinning(data: Reflections, asked: str, *, accepted: bool = False) -> Reflections:
    """The data with a note on twinning; a likely twin is refused unless it is accepted."""
    found = look_for_twinning(data)
    if not found.is_likely:
        return data.with_note(f"Twinning: {found}.")
    if not accepted:
        todo = "Give data of an untwinned crystal, or accept occupancies and uncertainties that are off with --twinned"
        raise DataError(asked, f"the data look twinned: {found}", todo)
    return data.with_note(f"The data look twinned, so that occupancies and their uncertainties are off: {found}.")


def _shells(data: Reflections) -> Indices:
    order = np.argsort(np.argsort(-data.d, kind="stable"))
    return np.asarray(order // _PER_SHELL)


def _strong(data: Reflections, shell: Indices) -> Array:
    """Where the mean of F / sigma of the shell is above a few; everywhere without sigmas."""
    known = np.isfinite(data.sigma) & (data.sigma > 0)
    if not known.any():
        return np.ones(len(data), dtype=bool)
    size = int(shell.max()) + 1
    ratio = np.bincount(shell[known], data.amplitude[known] / data.sigma[known], size)
    return np.asarray((ratio / np.maximum(np.bincount(shell[known], minlength=size), 1))[shell] > _STRONG)


def _pairs(data: Reflections) -> tuple[Indices, Indices]:
    """Places of reflections that are two apart in one index, symmetry and Friedel mates included."""
    operations, asu = data.group.operations(), gemmi.ReciprocalAsu(data.group)
    places = {tuple(map(int, hkl)): place for place, hkl in enumerate(data.hkl)}
    found = []
    for hkl, place in places.items():
        for step in _STEPS:
            near = asu.to_asu([int(a + b) for a, b in zip(hkl, step, strict=True)], operations)[0]
            other = places.get(tuple(near))
            if other is not None and other != place:
                found.append((place, other))
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
