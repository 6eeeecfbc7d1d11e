"""Radial functions and cutoffs, against their formulas in numpy."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.integrate import quad

from atomloom.errors import ConfigError
from atomloom_jax.blocks import BASES, CUTOFFS, Pairs, Radial, bessel, exponential_bernstein, polynomial
from atomloom_jax.blocks.radial import Basis

CUTOFF = 4.0
DISTANCES = np.linspace(0.3, 3.9, 13)
NAMES = sorted(BASES)


def by_formula(x: np.ndarray, count: int) -> np.ndarray:
    """Bernstein polynomials as they are defined."""
    n = count - 1
    return np.stack([math.comb(n, v) * x**v * (1 - x) ** (n - v) for v in range(count)], axis=-1)


def gaussians(r: np.ndarray, count: int) -> np.ndarray:
    """One after the other."""
    step = CUTOFF / (count - 1)
    return np.stack([np.exp(-((r - k * step) ** 2) / (2 * step**2)) for k in range(count)], axis=-1)


def of_physnet(r: np.ndarray, count: int) -> np.ndarray:
    """Equation 7 of the paper, with its centres and widths."""
    low = math.exp(-CUTOFF)
    beta = (2 / count * (1 - low)) ** -2
    centres = [low + k * (1 - low) / (count - 1) for k in range(count)]
    return np.stack([np.exp(-beta * (np.exp(-r) - centre) ** 2) for centre in centres], axis=-1)


FORMULAS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "bernstein": lambda r, count: by_formula(r / CUTOFF, count),
    "bessel": lambda r, count: np.stack(
        [math.sqrt(2 / CUTOFF) * np.sin(n * np.pi * r / CUTOFF) / r for n in range(1, count + 1)], axis=-1
    ),
    "exp-normal": of_physnet,
    "exponential-bernstein": lambda r, count: by_formula(np.exp(-r / (2 * 0.529177210903)), count),
    "gaussian": gaussians,
    "reciprocal-bernstein": lambda r, count: by_formula(1 / (1 + r), count),
}


@pytest.mark.parametrize("count", [2, 7, 32])
@pytest.mark.parametrize("name", NAMES)
def test_a_basis_is_its_formula(name: str, count: int) -> None:
    """Every function at every distance."""
    found = BASES[name](jnp.asarray(DISTANCES), count, CUTOFF)
    np.testing.assert_allclose(found, FORMULAS[name](DISTANCES, count), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_a_basis_has_the_derivatives_of_finite_differences(name: str) -> None:
    """First and second ones: forces are trained."""
    check_grads(jax.jit(lambda r: BASES[name](r, 6, CUTOFF)), (jnp.asarray(DISTANCES),), order=2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("distance", [0.0, 1e-8, CUTOFF, 1e4])
def test_a_basis_is_finite_everywhere(name: str, distance: float) -> None:
    """At coincident atoms, at the cutoff and far beyond, in value and two derivatives, in single precision too."""

    def first(r: jax.Array) -> jax.Array:
        return BASES[name](r, 64, CUTOFF).sum()

    for width in (jnp.float32, jnp.float64):
        at = jnp.asarray(distance, width)
        assert np.isfinite([first(at), jax.grad(first)(at), jax.grad(jax.grad(first))(at)]).all()


@pytest.mark.parametrize("name", [name for name in NAMES if "bernstein" in name])
@pytest.mark.parametrize("count", [1, 2, 100])
def test_bernstein_polynomials_sum_to_one(name: str, count: int) -> None:
    """So a constant is within reach of every filter."""
    total = BASES[name](jnp.asarray(DISTANCES), count, CUTOFF).sum(axis=-1)
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


def test_bessel_functions_are_orthonormal() -> None:
    """Under the integral of r^2, by quadrature."""

    def overlap(a: int, b: int) -> float:
        def integrand(r: float) -> float:
            values = bessel(jnp.asarray(r), 3, CUTOFF)
            return float(values[a] * values[b] * r**2)

        return float(quad(integrand, 0.0, CUTOFF)[0])

    found = [[overlap(a, b) for b in range(3)] for a in range(3)]
    np.testing.assert_allclose(found, np.eye(3), atol=1e-8)


def test_the_decay_is_that_of_the_atom() -> None:
    """The default of the exponential basis is 1 / (2 bohr)."""
    x = exponential_bernstein(jnp.asarray(2 * 0.529177210903), 2)[1]
    assert float(x) == pytest.approx(math.exp(-1), abs=1e-12)


CLOSED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bump": lambda x: np.exp(-(x**2) / (1 - x**2)),
    "cosine": lambda x: np.cos(np.pi * x / 2) ** 2,
    "polynomial": lambda x: 1 - 10 * x**3 + 15 * x**4 - 6 * x**5,
}


@pytest.mark.parametrize("name", sorted(CUTOFFS))
def test_a_cutoff_is_its_formula(name: str) -> None:
    """Within the cutoff; `polynomial` is PhysNet's by default."""
    found = CUTOFFS[name](jnp.asarray(DISTANCES), CUTOFF)
    np.testing.assert_allclose(found, CLOSED[name](DISTANCES / CUTOFF), rtol=1e-12, atol=1e-14)
    check_grads(jax.jit(lambda r: CUTOFFS[name](r, CUTOFF)), (jnp.asarray(DISTANCES),), order=2)


@pytest.mark.parametrize(("name", "smooth"), [("bump", 3), ("cosine", 1), ("polynomial", 2)])
def test_a_cutoff_meets_zero_smoothly(name: str, smooth: int) -> None:
    """Value and as many derivatives as promised vanish just below the cutoff, and all at it and beyond."""
    function = lambda r: CUTOFFS[name](r, CUTOFF)  # noqa: E731  # differentiated again and again
    for _ in range(smooth + 1):
        assert float(function(jnp.asarray(CUTOFF * (1 - 1e-7)))) == pytest.approx(0.0, abs=1e-4)
        assert [float(function(jnp.asarray(r))) for r in (CUTOFF, CUTOFF + 1e-9, 50.0)] == [0.0, 0.0, 0.0]
        function = jax.grad(function)


@pytest.mark.parametrize("name", sorted(CUTOFFS))
def test_a_cutoff_is_one_and_flat_at_zero(name: str) -> None:
    """With a slope of zero, so that atoms feel nothing of it when they are near."""
    assert float(CUTOFFS[name](jnp.asarray(0.0), CUTOFF)) == 1.0
    assert float(jax.grad(CUTOFFS[name])(jnp.asarray(0.0), CUTOFF)) == 0.0


@pytest.mark.parametrize("power", [2, 3, 6])
def test_the_polynomial_of_any_power_is_flat_at_the_cutoff(power: int) -> None:
    """First and second derivative, as in DimeNet."""
    slope = jax.grad(polynomial)
    at = jnp.asarray(CUTOFF * (1 - 1e-6))
    assert float(slope(at, CUTOFF, power)) == pytest.approx(0.0, abs=1e-9)
    assert float(jax.grad(slope)(at, CUTOFF, power)) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("basis", NAMES)
def test_radial_is_basis_times_cutoff_times_mask(basis: str) -> None:
    """And exactly zero for padding and beyond the cutoff."""
    vectors = jnp.asarray(np.diag([1.0, 2.0, 5.0]))
    pairs = Pairs.along(vectors, jnp.zeros(3, int), jnp.arange(3), jnp.array([True, False, True]))
    found = np.asarray(Radial(basis, count=5, cutoff=CUTOFF, envelope="cosine")(pairs))
    one: Basis = BASES[basis]
    np.testing.assert_allclose(found[0], one(jnp.asarray(1.0), 5, CUTOFF) * CLOSED["cosine"](np.asarray(0.25)))
    assert (found[1:] == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"basis": "besel"}, "no radial basis of that name .near: bessel.. Choose one of bernstein, bessel"),
        ({"envelope": "step"}, "no cutoff function of that name. Choose one of bump, cosine, polynomial"),
        ({"count": 0}, "there are 0 functions and the cutoff is 5 angstrom. Give at least one function"),
        ({"cutoff": 0.0}, "the cutoff is 0 angstrom"),
        ({"cutoff": float("nan")}, "the cutoff is nan angstrom"),
    ],
)
def test_a_radial_that_is_none_is_told(options: dict[str, object], message: str) -> None:
    """Before anything is compiled."""
    with pytest.raises(ConfigError, match=message):
        Radial(**options)  # type: ignore[arg-type]  # wrong on purpose
