"""Conditioning on charge and multiplicity: formulas, what padding and other frames see, and states out of range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from atomloom.errors import ConfigError, DataError
from atomloom_jax.blocks import Frames, StateAttention, StateRange, States, StateTable
from atomloom_jax.blocks.state_attention import channels

KNOWN = StateRange((-2, 2), (1, 5))
FRAMES = Frames(
    jnp.array([0, 0, 0, 1, 1, 2, 3, 3]), jnp.arange(8) < 6, jnp.array([True, True, True, False])
)  # of 3, 2 and 1 atoms, and one to spare
STATES = States(jnp.array([1.0, -2.0, 0.0, 0.0]), jnp.array([2, 1, 3, 0]))
X = np.random.default_rng(0).normal(size=(8, 4))
MODULES: list[Any] = [StateTable(4, KNOWN, 3, 2), StateAttention(4)]


def linear(x: np.ndarray, layer: Any) -> np.ndarray:
    """x W + b, with b where there is one."""
    return np.asarray(x @ np.asarray(layer["kernel"]) + np.asarray(layer.get("bias", 0.0)))


def silu(x: np.ndarray) -> np.ndarray:
    """x times the logistic function."""
    return x / (1 + np.exp(-x))


def test_the_table_is_its_formula(drawn: Callable[..., Any]) -> None:
    """Atom by atom; the first row is that of the least charge and of the least multiplicity."""
    module = MODULES[0]
    parameters = drawn(module, X, STATES, FRAMES)
    p = parameters["params"]
    found = module.apply(parameters, X, STATES, FRAMES)
    for atom, (charge, spin) in enumerate([(3, 1), (3, 1), (3, 1), (0, 0), (0, 0), (2, 2)]):
        rows = np.concatenate([p["charge"][charge], p["spin"][spin]])
        scale, shift = np.split(linear(rows, p["both"]), 2)
        np.testing.assert_allclose(found[atom], X[atom] * (1 + scale) + shift, rtol=1e-12)


def test_the_attention_is_its_formula(drawn: Callable[..., Any]) -> None:
    """Frame by frame: what the atoms get adds up to the electrons of their frame."""
    module = MODULES[1]
    parameters = drawn(module, X, STATES, FRAMES)
    p = parameters["params"]
    found = module.apply(parameters, X, STATES, FRAMES)
    for atoms, electrons in (([0, 1, 2], [1, 0, 1]), ([3, 4], [0, 2, 0]), ([5], [0, 0, 2])):
        weights = np.log1p(np.exp(linear(X[atoms] / 2, p["keys"])))
        shares = weights / weights.sum(axis=0) * electrons
        values = linear(shares, p["values"])
        inner = silu(linear(silu(values), p["residual"]["inner"]))
        expected = X[atoms] + values + linear(inner, p["residual"]["outer"])
        np.testing.assert_allclose(found[np.array(atoms)], expected, rtol=1e-11)


@pytest.mark.parametrize("module", MODULES)
def test_every_state_is_told_from_every_other(module: Any, drawn: Callable[..., Any]) -> None:
    """Charge is never ignored, nor is its sign, nor the multiplicity."""
    frame = Frames(jnp.zeros(3, int), jnp.ones(3, bool), jnp.ones(1, bool))
    parameters = drawn(module, X[:3], States(jnp.zeros(1), jnp.ones(1)), frame)
    found = np.stack(
        [
            module.apply(parameters, X[:3], States(jnp.array([float(charge)]), jnp.array([spin])), frame).ravel()
            for charge in range(-2, 3)
            for spin in range(1, 6)
        ]
    )
    apart = np.linalg.norm(found[:, None] - found[None, :], axis=-1) + np.eye(25)
    assert apart.min() > 1e-3


@pytest.mark.parametrize("module", MODULES)
def test_frames_are_independent_and_padding_is_finite(module: Any, drawn: Callable[..., Any]) -> None:
    """Of other frames an atom sees nothing, and spare frames, of multiplicity zero, give no NaN to a gradient."""
    parameters = drawn(module, X, STATES, FRAMES)

    def total(p: Any, x: Any) -> Any:
        return jnp.sum(jnp.where(FRAMES.atom_mask[:, None], module.apply(p, x, STATES, FRAMES), 0.0) ** 2)

    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.grad(total, argnums=(0, 1))(parameters, X)))
    alone = Frames(jnp.zeros(2, int), jnp.ones(2, bool), jnp.ones(1, bool))
    single = module.apply(parameters, X[3:5], States(*(values[1:2] for values in STATES)), alone)
    np.testing.assert_allclose(module.apply(parameters, X, STATES, FRAMES)[3:5], single, atol=1e-13)


@pytest.mark.parametrize("module", MODULES)
def test_conditioning_has_the_gradient_of_finite_differences(module: Any, drawn: Callable[..., Any]) -> None:
    """By features, twice, and by parameters."""
    parameters = drawn(module, X, STATES, FRAMES)
    check_grads(
        jax.jit(lambda x: module.apply(parameters, x, STATES, FRAMES)), (jnp.asarray(X),), order=2, modes=["rev"]
    )
    check_grads(jax.jit(lambda p: module.apply(p, X, STATES, FRAMES)), (parameters,), order=1, modes=["rev"])


def test_attention_takes_any_charge(drawn: Callable[..., Any]) -> None:
    """What it says of half of an electron is between what it says of none and of one."""
    module, frame = MODULES[1], Frames(jnp.zeros(1, int), jnp.ones(1, bool), jnp.ones(1, bool))
    parameters = drawn(module, X[:1], States(jnp.zeros(1), jnp.ones(1)), frame)
    for charge in (0.5, -7.0, 40.0):
        found = module.apply(parameters, X[:1], States(jnp.array([charge]), jnp.ones(1)), frame)
        assert np.isfinite(found).all()
        assert not np.allclose(found, X[:1])
    np.testing.assert_array_equal(module.apply(parameters, X[:1], States(jnp.zeros(1), jnp.ones(1)), frame), X[:1])


@pytest.mark.parametrize(
    ("charge", "spin"), [(3.0, 1), (-3.0, 1), (0.5, 1), (0.0, 6), (0.0, 0), (np.nan, 1), (1e30, 1), (-1e30, 1)]
)
def test_a_table_never_gives_another_states_row(charge: float, spin: int, drawn: Callable[..., Any]) -> None:
    """Out of range is NaN on the device, where nothing can be raised, and only in that frame."""
    states = States(STATES.charges.at[1].set(charge), STATES.multiplicities.at[1].set(spin))
    parameters = drawn(MODULES[0], X, STATES, FRAMES)
    found = MODULES[0].apply(parameters, X, states, FRAMES)
    assert np.isnan(found[3:5]).all()
    assert np.isfinite(np.delete(found, [3, 4], axis=0)).all()


@pytest.mark.parametrize(
    ("charges", "spins", "message"),
    [
        (
            [0, 3, -3],
            [1, 1, 1],
            r"frame 1 has a total charge of 3, and the model was trained for -2 to 2 \(2 frames are",
        ),
        ([0.5], [1], "frame 0 has a total charge of 0.5, which is no whole number. Train with a wider range"),
        ([float("nan")], [1], "frame 0 has a total charge of nan"),
        ([0, 0], [1, 0], "frame 1 has a multiplicity 2S.1 of 0, and the model was trained for 1 to 5"),
        ([0, 0], [6, 5], "frame 0 has a multiplicity 2S.1 of 6"),
    ],
)
def test_states_out_of_range_are_told(charges: list[float], spins: list[int], message: str) -> None:
    """On the host, with the frame; nothing is clipped."""
    KNOWN.check([-2, 2, 0], [1, 5, 3])
    KNOWN.check([0, 9], [1, 0], mask=[True, False])
    with pytest.raises(DataError, match=message):
        KNOWN.check(charges, spins)


@pytest.mark.parametrize(
    ("charges", "spins", "message"),
    [
        ((1, -1), (1, 1), "the range of charges goes from 1 to -1. Give the least one first"),
        ((0, 0), (3, 1), "the range of multiplicities goes from 3 to 1"),
        ((0, 0), (0, 2), "the least multiplicity is 0. Count 2S.1, which is 1 for no unpaired electron"),
    ],
)
def test_a_range_that_is_none_is_told(charges: tuple[int, int], spins: tuple[int, int], message: str) -> None:
    """Also a range that counts unpaired electrons."""
    with pytest.raises(ConfigError, match=message):
        StateRange(charges, spins)


def test_channels_are_those_of_the_states() -> None:
    """Positive charge, negative charge and unpaired electrons, and nothing for spare frames."""
    assert channels(STATES, FRAMES).tolist() == [[1, 0, 1], [0, 2, 0], [0, 0, 2], [0, 0, 0]]
