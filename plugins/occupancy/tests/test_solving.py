"""Exact minima under constraints, and targets with their derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import gamma

from atomloom_occupancy import french_wilson
from atomloom_occupancy.acceleration import Acceleration
from atomloom_occupancy.active_set import Cut, Local, minimise, minimise_quadratic
from atomloom_occupancy.likelihood import Amplitudes, Errors, LeastSquares, MaximumLikelihood, estimate_errors, rescaled
from atomloom_occupancy.objective import Objective, Restraint
from atomloom_occupancy.rounding import two_decimals
from atomloom_occupancy.standard_form import Together, standard_form

SETS = (Together((0, 1)), Together((0, 2, 3)), Together((4, 5), complete=False))


@pytest.mark.parametrize("seed", range(8))
def test_quadratic_minimum(seed: int) -> None:
    """The active set finds the minimum that SLSQP finds, with sets that share a state, slack and a cap."""
    rng = np.random.default_rng(seed)
    form = standard_form(np.array([1, 1, 1, 1, 1, 1, 0.5]), SETS)
    root = rng.normal(size=(7, 7))
    hessian, slope = np.zeros((form.matrix.shape[1],) * 2), np.zeros(form.matrix.shape[1])
    hessian[:7, :7], slope[:7] = root @ root.T, rng.normal(scale=3, size=7)
    start = form.nearest(np.full(7, 0.3))
    found = minimise_quadratic(hessian, slope, form.matrix, start)
    constraint = {"type": "eq", "fun": lambda p: form.matrix @ p - form.right}
    other = minimize(
        lambda p: p @ hessian @ p / 2 + slope @ p,
        start,
        jac=lambda p: hessian @ p + slope,
        bounds=[(0, None)] * len(start),
        constraints=constraint,
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found @ hessian @ found / 2 + slope @ found <= other.fun + 1e-9
    np.testing.assert_allclose(form.matrix @ form.exact(found), form.right, atol=1e-12)


def test_minimum_within_a_round_set() -> None:
    """Of all points of a ball the one nearest to a point outside is found, though only flat cuts of it are known."""
    away = np.array([3.0, 2.0, 1.0])

    def distance(point: np.ndarray, hessian: bool) -> Local:
        return Local(float(np.sum((point - away) ** 2)), 2 * (point - away), 2 * np.eye(3))

    def ball(point: np.ndarray) -> list[Cut]:
        length = np.linalg.norm(point)
        return [Cut(-point / length, -1.0)] if length > 1 + 1e-9 else []

    found = minimise(distance, np.zeros((0, 3)), np.full(3, 0.1), ball)[0]
    np.testing.assert_allclose(found, away / np.linalg.norm(away), atol=1e-6)


def test_slow_cycles_are_led_to_their_end() -> None:
    """A cycle that removes 2 and 40 per cent of two errors, and bends, ends in a few, not in hundreds."""
    rng = np.random.default_rng(0)
    turn, end = np.linalg.qr(rng.normal(size=(4, 4)))[0], rng.random(4) + 0.5
    left = turn @ np.diag([0.98, 0.6, 0.1, 0.0]) @ turn.T

    def cycle(point: np.ndarray) -> np.ndarray:
        return end + left @ (point - end) + 0.01 * (point - end) ** 2

    ahead, point = Acceleration(np.full(4, 1e-6), lambda point: bool(point.min() >= 0)), np.ones(4)
    for _ in range(12):
        assert point.min() >= 0
        point = ahead(point, cycle(point))
    np.testing.assert_allclose(point, end, atol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_two_decimals_add_up(seed: int) -> None:
    """Rounded occupancies of a complete set add up to exactly 1.00, and each is within a hundredth."""
    values = np.random.default_rng(seed).dirichlet(np.ones(6))
    rounded = two_decimals(values, (Together(tuple(range(6))),))
    assert round(100 * rounded.sum()) == 100
    assert np.abs(rounded - values).max() <= 0.01 + 1e-12


@pytest.mark.parametrize("seed", range(12))
def test_two_decimals_add_up_where_sets_share_states(seed: int) -> None:
    """Sets that share states keep every sum."""
    sets = (Together((0, 1)), Together((2, 3)), Together((1, 2, 4), complete=seed % 2 == 0))
    values = standard_form(np.ones(5), sets).nearest(np.random.default_rng(seed).random(5))[:5]
    rounded = two_decimals(values, sets)
    sums = [round(100 * rounded[list(each.states)].sum()) for each in sets]
    assert sums[:2] == [100, 100]
    assert sums[2] == 100 or (sums[2] < 100 and not sets[2].complete)
    assert np.abs(rounded - values).max() <= 0.01 + 1e-12


def test_two_decimals_of_halves() -> None:
    """Halves of a hundredth are rounded so that the set which two others have settled adds up to 1.00 as well."""
    sets = (Together((1, 0)), Together((2, 3)), Together((1, 2, 4)))
    rounded = two_decimals(np.array([0.495, 0.505, 0.495, 0.505, 0.0]), sets)
    assert [round(100 * rounded[list(each.states)].sum()) for each in sets] == [100, 100, 100]


def amplitudes(count: int = 60, seed: int = 0) -> tuple[Amplitudes, Errors]:
    """Made-up data with both kinds of reflections."""
    rng = np.random.default_rng(seed)
    observed = Amplitudes(rng.gamma(2.0, 20.0, count), rng.choice([1.0, 2.0], count), rng.random(count) < 0.3)
    return observed, Errors(np.full(count, 0.9), 150.0 * observed.epsilon)


@pytest.mark.parametrize("target", ["ml", "ls"])
def test_derivatives(target: str) -> None:
    """Gradient and Hessian by occupancies are those of central differences."""
    observed, errors = amplitudes()
    rng = np.random.default_rng(1)
    base, slopes = (rng.normal(size=(n, 60, 2)) @ np.array([20, 20j]) for n in (1, 4))
    aim = MaximumLikelihood(observed, errors) if target == "ml" else LeastSquares(observed, np.full(60, 30.0))
    function = Objective(aim, base[0], slopes, Restraint(2.0, np.full(4, 0.4)))
    point, h = np.array([0.2, 0.5, 0.7, 0.1, 0.9]), 1e-5
    here = function(point, True)
    steps = h * np.eye(5)
    slope = [(function(point + s, False).value - function(point - s, False).value) / (2 * h) for s in steps]
    second = [(function(point + s, True).gradient - function(point - s, True).gradient) / (2 * h) for s in steps]
    np.testing.assert_allclose(here.gradient, slope, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(here.hessian, second, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("centric", [False, True])
def test_likelihood_is_a_density(centric: bool) -> None:
    """The likelihood of an amplitude integrates to one over all amplitudes."""

    def density(f: float) -> float:
        observed = Amplitudes(np.array([f]), np.ones(1), np.array([centric]))
        return float(np.exp(-MaximumLikelihood(observed, Errors(np.ones(1), np.full(1, 9.0))).value(np.array([5.0]))))

    assert quad(density, 1e-9, 60)[0] == pytest.approx(1, abs=1e-6)


def test_errors_are_found_again() -> None:
    """Alpha and beta of simulated errors are estimated within their uncertainty."""
    rng = np.random.default_rng(2)
    count = 20000
    model = rng.normal(scale=30, size=count) + 1j * rng.normal(scale=30, size=count)
    seen = np.abs(0.8 * model + 12 * np.sqrt(0.5) * (rng.normal(size=count) + 1j * rng.normal(size=count)))
    observed = Amplitudes(seen, np.ones(count), np.zeros(count, dtype=bool))
    found = estimate_errors(observed, np.abs(model), np.zeros(count, dtype=np.int64), np.ones(count, dtype=bool))
    assert found.alpha[0] == pytest.approx(0.8, rel=0.01)
    assert found.beta[0] == pytest.approx(144, rel=0.03)


def test_alpha_of_the_work_set_is_its_most_likely() -> None:
    """Alpha in each shell is where the likelihood of the work set is highest, and beta stays."""
    observed, errors = amplitudes(200)
    rng = np.random.default_rng(5)
    model, shell, work = observed.amplitude * rng.uniform(0.5, 1.5, 200), np.arange(200) % 3, rng.random(200) < 0.8
    found = rescaled(observed, model, errors, shell, work)
    np.testing.assert_array_equal(found.beta, errors.beta)

    def value(factor: float) -> float:
        tried = Errors(found.alpha[work] * np.where(shell[work] == 1, factor, 1), found.beta[work])
        return MaximumLikelihood(observed.take(work), tried).value(model[work])

    assert (value(1 + 1e-4) - value(1 - 1e-4)) / 2e-4 == pytest.approx(0, abs=1e-4)
    assert value(1) < min(value(0.97), value(1.03))


def test_french_wilson() -> None:
    """An intensity of zero with a flat prior has the amplitude of a half normal density, in closed form."""
    found, _ = french_wilson.amplitudes(np.zeros(1), np.array([3.0]), np.array([1e9]), np.array([False]))
    assert found[0] == pytest.approx((2 * 9.0) ** 0.25 * gamma(0.75) / gamma(0.5), rel=1e-4)
