"""Lengths and directions: values of numpy, and gradients at zero."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jax.test_util import check_grads

from atomloom_jax.blocks import bounded, safe_norm, smooth_norm, unit

VECTORS = np.random.default_rng(0).normal(size=(7, 3))
FUNCTIONS: list[Callable[[jax.Array], jax.Array]] = [safe_norm, unit, smooth_norm, lambda v: bounded(v, 0.35)]


def test_values_are_those_of_numpy() -> None:
    """For vectors that are not zero, along any axis."""
    lengths = np.linalg.norm(VECTORS, axis=1)
    np.testing.assert_allclose(safe_norm(VECTORS), lengths, rtol=1e-14)
    np.testing.assert_allclose(safe_norm(VECTORS.T, axis=0), lengths, rtol=1e-14)
    np.testing.assert_allclose(unit(VECTORS), VECTORS / lengths[:, None], rtol=1e-14)
    np.testing.assert_allclose(smooth_norm(VECTORS, 0.3), np.sqrt(lengths**2 + 0.09) - 0.3, rtol=1e-14)
    expected = 0.35 * np.tanh(lengths)[:, None] * VECTORS / lengths[:, None]
    np.testing.assert_allclose(bounded(jnp.asarray(VECTORS), 0.35), expected, rtol=1e-14)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_derivatives_are_those_of_finite_differences(function: Callable[[jax.Array], jax.Array]) -> None:
    """First and second."""
    check_grads(jax.jit(function), (jnp.asarray(VECTORS),), order=2)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-200])
def test_nothing_is_nan_at_zero(function: Callable[[jax.Array], jax.Array], size: float) -> None:
    """In value, first and second derivative, and where squares are lost in rounding."""
    at = jnp.full(3, size)
    for derived in (function, jax.jacobian(function), jax.hessian(function)):
        assert np.isfinite(derived(at)).all()


def test_small_vectors_pass_the_bound_unchanged() -> None:
    """The slope at zero is `limit`, in every direction."""
    np.testing.assert_allclose(jax.jacobian(lambda v: bounded(v, 0.35))(jnp.zeros(3)), 0.35 * np.eye(3), rtol=1e-12)


@settings(deadline=None)  # the first example is compiled
@given(arrays(np.float32, (3,), elements=st.floats(-(2.0**40), 2.0**40, width=32)))
def test_no_vector_is_longer_than_its_bound(vector: np.ndarray) -> None:
    """Not by one rounding, in single precision; a bound on each component would let it be sqrt(3) times as long."""
    found = np.asarray(bounded(jnp.asarray(vector), 0.3))
    assert found.dtype == np.float32
    assert np.linalg.norm(found.astype(np.float64)) <= 0.3
