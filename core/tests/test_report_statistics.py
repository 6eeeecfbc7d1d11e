"""Error measures: numpy's own formulas, closed forms, and values at the ends of float64."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atomloom.errors import DataError
from atomloom.report import statistics

RNG = np.random.default_rng(3)
R = RNG.normal(2, 3, 1001)
P = R + RNG.normal(0.1, 0.5, 1001)

TRUTH = {
    "bias": np.mean(P - R),
    "mae": np.mean(np.abs(P - R)),
    "rmse": np.sqrt(np.mean((P - R) ** 2)),
    "rrmse": np.sqrt(np.sum((P - R) ** 2) / np.sum(R**2)),
    "std": np.std(P - R),
    "max_error": np.max(np.abs(P - R)),
    "r2": 1 - np.sum((P - R) ** 2) / np.sum((R - R.mean()) ** 2),
    "pearson": np.corrcoef(P, R)[0, 1],
}


@pytest.mark.parametrize("name", TRUTH)
def test_measures_equal_their_formulas(name: str) -> None:
    """Each measure is what its formula gives in numpy on random data."""
    assert getattr(statistics, name)(P, R) == pytest.approx(TRUTH[name], rel=1e-12)


@pytest.mark.parametrize("name", TRUTH)
def test_measures_of_nothing_and_of_nan_are_nan(name: str) -> None:
    """No values, or a NaN among them, give NaN and no warning."""
    measure = getattr(statistics, name)
    assert math.isnan(measure([], []))
    assert math.isnan(measure([1.0, math.nan], [1.0, 2.0]))


@pytest.mark.parametrize("scale", [1e-300, 1e300])
@pytest.mark.parametrize("name", ["mae", "rmse", "std", "r2", "pearson", "rrmse"])
def test_measures_survive_huge_and_tiny_values(name: str, scale: float) -> None:
    """Squares of values near the ends of float64 do not overflow or vanish."""
    unitless = name in ("r2", "pearson", "rrmse")
    expected = TRUTH[name] * (1 if unitless else scale)
    assert getattr(statistics, name)(P * scale, R * scale) == pytest.approx(expected, rel=1e-9)


def test_a_large_offset_does_not_spoil_the_correlation() -> None:
    """Total energies of -1e7 that differ by 1 keep twelve digits of r2."""
    reference, predicted = R - 1e7, P - 1e7
    exact = 1 - np.sum((predicted - reference) ** 2) / np.sum((R - R.mean()) ** 2)
    assert statistics.r2(predicted, reference) == pytest.approx(exact, abs=1e-9)


def test_constant_references_have_no_r2() -> None:
    """r2 and pearson divide by zero when the reference does not vary: NaN, not infinity."""
    assert math.isnan(statistics.r2([1.0, 2.0], [3.0, 3.0]))
    assert math.isnan(statistics.pearson([1.0, 2.0], [3.0, 3.0]))


def test_compare_leaves_out_and_counts_what_is_not_finite() -> None:
    """A pair with a NaN or an infinity on either side does not count in any measure."""
    predicted, reference = P.copy(), R.copy()
    predicted[0], reference[1], predicted[2] = np.nan, np.inf, -np.inf
    errors = statistics.compare(predicted, reference)
    assert (errors.n, errors.left_out) == (998, 3)
    assert errors.rmse == pytest.approx(np.sqrt(np.mean((P[3:] - R[3:]) ** 2)), rel=1e-12)
    assert errors.p95 == pytest.approx(np.percentile(np.abs(P[3:] - R[3:]), 95), rel=1e-12)


def test_describe_equals_numpy() -> None:
    """The summary is numpy's mean, std, median and range of the finite values."""
    summary = statistics.describe(np.append(R, np.nan))
    expected = (R.size, 1, R.mean(), R.std(), R.min(), np.median(R), R.max())
    assert summary == pytest.approx(expected, rel=1e-12)


def test_single_precision_is_summed_in_double() -> None:
    """A million float32 values have a mean as exact as float64 allows."""
    values = np.full(10**6, 0.1, dtype=np.float32)
    assert statistics.describe(values).mean == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_shapes_must_agree() -> None:
    """Forces of another shape are refused, not broadcast."""
    with pytest.raises(DataError, match=r"shape \(2, 3\), the reference values \(3,\)\. Give one prediction"):
        statistics.mae(np.zeros((2, 3)), np.zeros(3))
