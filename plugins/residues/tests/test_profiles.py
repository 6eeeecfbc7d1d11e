"""Weights of checkpoints: closed forms, and the moving averages that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomloom.errors import ConfigError
from atomloom_residues import profiles
from atomloom_residues.profiles import Spread

EIGHT = np.arange(1.0, 9.0)


def loop(values: np.ndarray, decay: float, *, debias: bool) -> float:
    """The recursion of optax.ema: ema = d ema + (1 - d) x from 0, divided by 1 - d^K if debiased."""
    ema = 0.0
    for value in values:
        ema = decay * ema + (1 - decay) * value
    return ema / (1 - decay ** len(values)) if debias else ema


@pytest.mark.parametrize(("sigma", "gamma"), [(0.05, 16.97), (0.1, 6.937), (0.15, 3.558), (0.2, 1.826), (0.25, 0.72)])
def test_gamma_is_that_of_the_paper(sigma: float, gamma: float) -> None:
    """The widths of EDM2 and their exponents, and back by the formula of the width."""
    found = profiles.gamma_of(sigma)
    assert found == pytest.approx(gamma, abs=6e-3)
    assert (found + 1) / ((found + 2) ** 2 * (found + 3)) == pytest.approx(sigma**2, rel=1e-12)


def test_the_power_profile_over_eight_equal_gaps() -> None:
    """Width 0.15 makes 3.19 files of eight; the oldest counts 1e-4, the newest 0.456."""
    spread = Spread.of(profiles.power(EIGHT, profiles.gamma_of(0.15)))
    assert (round(spread.effective, 2), round(spread.newest, 3)) == (3.19, 0.456)
    assert 0.5e-4 < spread.oldest < 1.5e-4


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=12), st.integers(0, 20))
def test_power_weights_are_integrals_over_the_real_gaps(gaps: list[float], gamma: int) -> None:
    """Each weight is the integral of (gamma + 1) t^gamma / T^(gamma + 1) over its gap, here by Gauss-Legendre."""
    ends = np.cumsum(gaps)
    weights = profiles.power(ends, gamma)
    nodes, factors = np.polynomial.legendre.leggauss(60)
    starts = np.concatenate([[0.0], ends[:-1]])
    middle, half = (ends + starts)[:, None] / 2, (ends - starts)[:, None] / 2
    at = (middle + half * nodes) / ends[-1]
    assert weights == pytest.approx((half * factors * (gamma + 1) * at**gamma).sum(axis=1) / ends[-1], abs=1e-12)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)


def test_the_scripts_rule_keeps_the_first_file() -> None:
    """0.999 over eight files leaves the first 0.999^7 of the weight: 1.01 files."""
    weights = profiles.legacy(8, 0.999)
    assert weights[0] == pytest.approx(0.999**7, abs=1e-12)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert round(Spread.of(weights).effective, 2) == 1.01


@pytest.mark.parametrize("decay", [0.1, 0.9, 0.999])
def test_debiased_is_the_moving_average_of_optax(decay: float) -> None:
    """The weighted sum of any values is what the recursion gives after its division by 1 - d^K."""
    values = np.random.default_rng(0).normal(size=9)
    assert profiles.debiased(9, decay) @ values == pytest.approx(loop(values, decay, debias=True), abs=1e-12)


def test_a_decay_per_step_holds_each_file_for_its_gap() -> None:
    """The moving average of every step of a model that is constant between files, uneven gaps included."""
    times, values = np.array([10, 25, 30, 70]), np.array([1.0, -2.0, 0.5, 3.0])
    each_step = np.repeat(values, np.diff(times, prepend=0))
    expected = loop(each_step, 0.97, debias=True)
    assert profiles.exponential(times, 0.97) @ values == pytest.approx(expected, abs=1e-12)


def test_the_limits_of_a_decay_per_step() -> None:
    """A thousand steps between files leave the last alone at 0.99, and 0.999999 is the mean of all."""
    assert profiles.exponential(1000 * EIGHT, 0.99)[-1] == pytest.approx(1.0, abs=1e-4)
    assert profiles.exponential(EIGHT, 1 - 1e-9) == pytest.approx(np.full(8, 1 / 8), abs=1e-8)


@pytest.mark.parametrize("decay", [0.0, 1.0, -1.0, 2.0])
def test_a_decay_outside_its_range_is_refused(decay: float) -> None:
    """With the range in the message."""
    with pytest.raises(ConfigError, match=r"is not between 0 and 1\. Try 0\.999\."):
        profiles.debiased(3, decay)
