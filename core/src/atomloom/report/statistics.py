"""Error measures of predictions and summaries of values: one definition each, for every report.

With p the predictions, r the reference values and e = p - r, all in float64:

========= ==============================================================
bias      mean(e)
mae       mean(abs(e))
rmse      sqrt(mean(e^2))
rrmse     sqrt(sum(e^2) / sum(r^2))
std       sqrt(mean((e - mean(e))^2)), of the errors
max_error max(abs(e))
r2        1 - sum(e^2) / sum((r - mean(r))^2)
pearson   sum((p - mean(p)) (r - mean(r))) / sqrt(the product of both sums of squares)
========= ==============================================================

The functions propagate NaN and give NaN where the formula divides by zero or there is nothing to average;
`compare` and `describe` leave out what is not finite and count it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from atomloom.errors import DataError
from atomloom.report.arrays import Array

_quiet = np.errstate(divide="ignore", over="ignore", invalid="ignore")
# What leaves float64 is infinite or NaN in the answer, as the formulas say; a warning would add nothing.


def bias(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Mean signed error, mean(p - r), in the unit of the values.

    >>> bias([1.0, 2.0], [0.0, 2.0])
    0.5
    """
    return _mean(_errors(predicted, reference))


def mae(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Mean absolute error, mean(abs(p - r)).

    >>> mae([1.0, 2.0], [0.0, 4.0])
    1.5
    """
    return _mean(np.abs(_errors(predicted, reference)))


def rmse(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Root-mean-square error, sqrt(mean((p - r)^2)).

    >>> rmse([3.0, 4.0], [0.0, 0.0]) == (25 / 2) ** 0.5
    True
    """
    return _rms(_errors(predicted, reference))


def rrmse(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Relative root-mean-square error, sqrt(sum((p - r)^2) / sum(r^2)), without a unit.

    >>> round(rrmse([1.1, 2.2], [1.0, 2.0]), 12)
    0.1
    """
    errors = _errors(predicted, reference)
    return _ratio(_rms(errors), _rms(_flat(reference)))


def std(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Standard deviation of the errors about their mean, dividing by their number.

    >>> std([1.0, 3.0], [0.0, 0.0])
    1.0
    """
    return _rms(_centred(_errors(predicted, reference)))


def max_error(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Largest absolute error, max(abs(p - r)).

    >>> max_error([1.0, -3.0], [0.0, 0.0])
    3.0
    """
    errors = np.abs(_errors(predicted, reference))
    return float(errors.max()) if errors.size else math.nan


def r2(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Coefficient of determination, 1 - sum((p - r)^2) / sum((r - mean(r))^2); NaN for a constant reference.

    One for exact predictions, zero for those no better than the mean, and below zero for worse ones: it is not the
    square of `pearson`.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    (1.0, 0.0)
    """
    errors = _errors(predicted, reference)
    return 1 - _ratio(_rms(errors), _rms(_centred(_flat(reference)))) ** 2


@_quiet
def pearson(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Correlation coefficient of Pearson, between -1 and 1; NaN when either side is constant.

    >>> round(pearson([1.0, 2.0, 3.0], [-2.0, -4.0, -6.0]), 12)
    -1.0
    """
    _errors(predicted, reference)
    mine, theirs = _centred(_flat(predicted)), _centred(_flat(reference))
    mine, theirs = mine / np.float64(_rms(mine)), theirs / np.float64(_rms(theirs))
    return float(np.clip(_mean(mine * theirs), -1, 1))


@_quiet
def percentiles(values: npt.ArrayLike, at: tuple[float, ...] = (50.0, 95.0, 99.0)) -> tuple[float, ...]:
    """Percentiles by linear interpolation between the sorted values; NaN for no values.

    >>> percentiles([0.0, 1.0, 2.0], (50, 75))
    (1.0, 1.5)
    """
    flat = _flat(values)
    if not flat.size:
        return (math.nan,) * len(at)
    scale = max(_scale(flat), 1.0)
    return tuple((np.percentile(flat / scale, at) * scale).tolist())


class Errors(NamedTuple):
    """All measures of one comparison; `left_out` counts the pairs that were not finite.

    `p95` is the 95th percentile of abs(p - r).
    """

    n: int
    left_out: int
    mae: float
    rmse: float
    rrmse: float
    bias: float
    std: float
    p95: float
    max: float
    r2: float
    pearson: float


def compare(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> Errors:
    """All error measures over the pairs in which both values are finite.

    >>> errors = compare([1.0, 2.0, 3.0], [1.5, 2.0, float("nan")])
    >>> errors.n, errors.left_out, errors.mae
    (2, 1, 0.25)
    """
    _errors(predicted, reference)
    mine, theirs = _flat(predicted), _flat(reference)
    good = np.isfinite(mine) & np.isfinite(theirs)
    pair = mine[good], theirs[good]
    return Errors(
        n=int(good.sum()),
        left_out=int(good.size - good.sum()),
        mae=mae(*pair),
        rmse=rmse(*pair),
        rrmse=rrmse(*pair),
        bias=bias(*pair),
        std=std(*pair),
        p95=percentiles(np.abs(_errors(*pair)), (95,))[0],
        max=max_error(*pair),
        r2=r2(*pair),
        pearson=pearson(*pair),
    )


class Summary(NamedTuple):
    """The finite ones of some values; `std` divides by their number, `left_out` counts the others."""

    n: int
    left_out: int
    mean: float
    std: float
    min: float
    median: float
    max: float


def describe(values: npt.ArrayLike) -> Summary:
    """Number, mean, standard deviation, median and range of the finite values.

    >>> describe([1.0, 3.0, float("inf")])
    Summary(n=2, left_out=1, mean=2.0, std=1.0, min=1.0, median=2.0, max=3.0)
    """
    flat = _flat(values)
    good = flat[np.isfinite(flat)]
    low, middle, high = percentiles(good, (0, 50, 100))
    return Summary(good.size, flat.size - good.size, _mean(good), _rms(_centred(good)), low, middle, high)


def _flat(values: npt.ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64).ravel()


@_quiet
def _errors(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> Array:
    mine, theirs = np.shape(predicted), np.shape(reference)
    if mine != theirs:
        found = f"the predictions have shape {mine}, the reference values {theirs}"
        raise DataError("compare predictions with reference values", found, "Give one prediction for each value")
    return np.subtract(_flat(predicted), _flat(reference))


@_quiet
def _mean(values: Array) -> float:
    if not values.size:
        return math.nan
    scale = _scale(values)
    return float(np.mean(values / scale) * scale)


@_quiet
def _rms(values: Array) -> float:
    if not values.size:
        return math.nan
    scale = _scale(values)
    return float(np.sqrt(np.mean(np.square(values / scale))) * scale)


@_quiet
def _centred(values: Array) -> Array:
    # Of equal values exactly zero, which the rounded mean would not give.
    constant = not values.size or values.min() == values.max()
    return np.zeros_like(values) if constant else values - _mean(values)


def _scale(values: Array) -> float:
    # A power of two, so that dividing by it is exact: sums and squares of huge or tiny values stay in range.
    largest = float(np.abs(values).max())
    return 2.0 ** min(max(math.frexp(largest)[1], -1000), 1000) if 0 < largest < math.inf else 1.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
