"""Calibration: by which factor the spread of members is to be stretched so that errors are what it says.

Members that were fitted to the same data share their mistakes, so they differ by less than they err. With s the spread
of a row, the error is taken to be a s t, where t follows Student's distribution with as many degrees of freedom as s
has, or with fewer. They and the factor a of each field are those of the greatest likelihood on frames that no member
was fitted to::

    minimise    sum_i  log(a s_i) - log p_t(e_i / (a s_i))

With a normal distribution in place of Student's the factor would come out too large, by 1.7 for four members: a spread
of few members is sometimes small by chance, and an error divided by it large.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from atomloom.ensemble.students import ONE_SIGMA, Floats, half_width, neg_log_density, within
from atomloom.errors import DataError
from atomloom.runs import atomic_file

_TOLERANCE = 1e-9
_SPAN = 50.0  # of the logarithm of a factor


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The calibration of one field.

    Args:
        factor: by which the spread is multiplied.
        dof: degrees of freedom of the distribution of errors, at most those of the spread; fewer are longer tails.
        values: how many errors the factor was fitted to.
        left_out: how many could not be used because the members agree exactly.
    """

    factor: float
    dof: int
    values: int
    left_out: int = 0

    @property
    def width(self) -> float:
        """The standard uncertainty of a row whose members have a spread of 1: two thirds of the errors are smaller.

        >>> round(Scale(2.0, 3, 100).width, 3)  # half of the interval of 68.3 %
        2.394
        """
        return self.factor * half_width(ONE_SIGMA, self.dof)


@dataclass(frozen=True)
class Calibration:
    """The scales of an ensemble by field; those of a field without one are as the members spread."""

    scales: Mapping[str, Scale] = field(default_factory=dict)

    def width(self, name: str) -> float:
        """What the spread of a field is multiplied with to give its standard uncertainty."""
        return self.scales[name].width if name in self.scales else 1.0

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        with atomic_file(path, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self.scales), indent=2))

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """The inverse of `save`.

        Raises:
            DataError: when the file is not what `save` writes.
        """
        try:
            return cls(msgspec.json.decode(path.read_bytes(), type=dict[str, Scale]))
        except msgspec.MsgspecError as error:
            todo = "Delete it, and `atomloom resume` makes it again"
            raise DataError(f"read the calibration in '{path}'", str(error), todo) from error


@dataclass(frozen=True)
class Deviations:
    """Errors of the mean of an ensemble beside the spread of its members.

    Args:
        errors: predicted less reference ``[rows, components]``.
        spread: of the members ``[rows]``, not calibrated.
        dof: its degrees of freedom.
        left_out: how many rows are not there because the members agree exactly or a value is not finite.
    """

    errors: Floats
    spread: Floats
    dof: int
    left_out: int = 0

    @classmethod
    def of(cls, predicted: Any, reference: Any, spread: Any, dof: int) -> Deviations:
        """Of arrays ``[rows, ...]`` and ``[rows]``."""
        errors = (np.asarray(predicted, dtype=np.float64) - reference).reshape(len(spread), -1)
        kept = np.isfinite(errors).all(axis=1) & np.isfinite(spread) & (np.asarray(spread) > 0)
        return cls(errors[kept], np.asarray(spread, dtype=np.float64)[kept], dof, int((~kept).sum()))

    def ratios(self, factor: float = 1.0) -> Floats:
        """Errors in units of the stretched spread: values of t ``[rows x components]``."""
        found: Floats = (self.errors / (factor * self.spread[:, None])).ravel()
        return found


def fitted_scale(deviations: Deviations) -> Scale | None:
    """The factor and the tails of the greatest likelihood; None where there is nothing to fit them to.

    Tails are those of the spread's own degrees of freedom or longer: real errors are no sample of one distribution.
    """
    ratios = np.abs(deviations.ratios())
    if not ratios.any():
        return None
    best, least = Scale(0.0, deviations.dof, ratios.size, deviations.left_out), math.inf
    for dof in range(deviations.dof, 0, -1):
        factor = _factor(ratios, dof)
        loss = math.log(factor) + float(np.mean(neg_log_density(ratios / factor, dof)))
        if loss >= least:
            break
        best, least = msgspec.structs.replace(best, factor=factor, dof=dof), loss
    return best


def _factor(ratios: Floats, dof: int) -> float:
    """The factor of the greatest likelihood.

    With w = (e / s)^2 / (a^2 dof) it is where the mean of (dof + 1) w / (1 + w) is 1, which falls as a grows.
    """

    def excess(log_factor: float) -> float:
        scaled = (ratios / math.exp(log_factor)) ** 2 / dof
        return float(np.mean((dof + 1) * scaled / (1 + scaled))) - 1

    low = high = math.log(math.sqrt(float(np.mean(ratios**2))))
    while excess(low) < 0 and low > high - _SPAN:
        low -= 1.0
    while excess(high) > 0:
        high += 1.0
    while high - low > _TOLERANCE:
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return math.exp((low + high) / 2)


def nll(deviations: Deviations, scale: Scale) -> float:
    """The negative logarithm of the likelihood of a value, the unit of the errors being 1."""
    widths = np.repeat(scale.factor * deviations.spread, deviations.errors.shape[1])
    return float(np.mean(np.log(widths) + neg_log_density(deviations.ratios(scale.factor), scale.dof)))


def levels(deviations: Deviations, scale: Scale) -> Floats:
    """For each error the probability of smaller ones, ascending: evenly spread from 0 to 1 if the scale is right."""
    return np.sort(within(np.abs(deviations.ratios(scale.factor)), scale.dof))


def coverage(found: Floats, expected: Floats) -> Floats:
    """Which share of the errors is within the intervals that should hold the share `expected` of them.

    Args:
        found: what `levels` gives.
    """
    return np.searchsorted(found, expected, side="right") / len(found)


def miscalibration_area(found: Floats) -> float:
    """The area between observed and expected coverage, exactly: 0 is perfect, 1/2 the worst.

    >>> miscalibration_area(np.array([0.5])), miscalibration_area(np.ones(3))
    (0.25, 0.5)
    """
    edges = np.concatenate([[0.0], found, [1.0]])
    heights = np.arange(len(found) + 1) / len(found)

    def integral(x: Floats) -> Floats:
        return (x - heights) * np.abs(x - heights) / 2

    return float(np.sum(integral(edges[1:]) - integral(edges[:-1])))


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's: 1 where the larger always goes with the larger, 0 where one tells nothing of the other.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.2, 0.3]))
    1.0
    """
    ranks = [_ranks(values) - (len(values) - 1) / 2 for values in (one, other)]
    size = math.sqrt(float((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))
    return float(ranks[0] @ ranks[1]) / size if size else math.nan


def _ranks(values: Floats) -> Floats:
    """From 0, equal values sharing the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts + 1) / 2)[group]
    return ranks
