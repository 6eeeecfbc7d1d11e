"""Linear, residual, attention and PhysNet layers and tables of elements, against loops in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from atomloom.errors import ConfigError, DataError
from atomloom_jax.blocks import (
    ACTIVATIONS,
    AtomScalars,
    AtomVectors,
    ElementTable,
    Interaction,
    Output,
    PairAttention,
    Pairs,
    Radial,
    Residual,
    ResidualStack,
    check_elements,
    dense,
    shifted_softplus,
)

KEY = jax.random.key(0)
RADIAL = Radial(count=6, cutoff=3.0)
Parameters = dict[str, Any]


def linear(x: np.ndarray, layer: Parameters) -> np.ndarray:
    """x W + b, with b where there is one."""
    return np.asarray(x @ np.asarray(layer["kernel"]) + np.asarray(layer.get("bias", 0.0)))


def silu(x: np.ndarray) -> np.ndarray:
    """x times the logistic function."""
    return x / (1 + np.exp(-x))


def softplus(x: np.ndarray) -> np.ndarray:
    """Shifted to be zero at zero, the activation of PhysNet."""
    return np.log((1 + np.exp(x)) / 2)


def residual(x: np.ndarray, parameters: Parameters, f: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """By its formula."""
    return x + linear(f(linear(f(x), parameters["inner"])), parameters["outer"])


def test_the_shifted_softplus_is_its_formula() -> None:
    """And does not overflow."""
    x = np.linspace(-20, 20, 9)
    np.testing.assert_allclose(shifted_softplus(jnp.asarray(x)), softplus(x), atol=1e-14)
    assert float(shifted_softplus(jnp.asarray(1e5))) == pytest.approx(1e5 - np.log(2))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_an_activation_is_smooth_and_zero_at_zero(name: str) -> None:
    """What blocks without bias rely on."""
    assert float(ACTIVATIONS[name](jnp.asarray(0.0))) == 0.0
    check_grads(ACTIVATIONS[name], (jnp.linspace(-3.0, 3.0, 7),), order=2)


@pytest.mark.parametrize("wide", [False, True])
def test_parameters_are_as_wide_as_the_computation(wide: bool) -> None:
    """A training in float64 has no float32 within."""
    with jax.enable_x64(wide):
        made = ResidualStack(2).init(KEY, jnp.ones(3)), ElementTable(2).init(KEY, jnp.array([1]))
    assert {leaf.dtype for leaf in jax.tree.leaves(made)} == {np.dtype("float64" if wide else "float32")}


def test_a_linear_layer_begins_with_the_variance_of_its_inputs() -> None:
    """Outputs are as large as inputs; or zero if so wished."""
    x = jax.random.normal(jax.random.key(1), (400, 300))
    out, _ = dense(200).init_with_output(KEY, x)
    assert float(out.std()) == pytest.approx(1.0, abs=0.03)
    assert (dense(5, zero=True).init_with_output(KEY, x)[0] == 0).all()


def test_a_residual_block_is_its_formula(drawn: Callable[..., Any]) -> None:
    """And the identity at first, for stacks of any height."""
    x = np.random.default_rng(0).normal(size=(5, 4))
    parameters = drawn(Residual(), x)
    np.testing.assert_allclose(
        Residual().apply(parameters, x), residual(x, parameters["params"], silu), rtol=1e-12, atol=1e-13
    )
    np.testing.assert_array_equal(ResidualStack(3).init_with_output(KEY, x)[0], x)


def graph(padded: Callable[..., Any], of: list[Any], spare: tuple[int, int, int] = (0, 0, 0)) -> tuple[Pairs, Any]:
    """Pairs of these frames and their radial functions."""
    pairs = Pairs.of(padded(of, spare=spare))
    return pairs, RADIAL(pairs)


def test_physnets_interaction_is_its_formula(
    drawn: Callable[..., Any], frames: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """By a loop over pairs, in float64."""
    pairs, radial = graph(padded, frames([4, 3]))
    x = np.random.default_rng(0).normal(size=(7, 5))
    module = Interaction(5, residuals=2)
    parameters = drawn(module, x, pairs, radial)
    p = parameters["params"]
    message = softplus(linear(softplus(x), p["own"]))
    others = softplus(linear(softplus(x), p["others"]))
    for i, j, functions in zip(pairs.destination, pairs.source, np.asarray(radial), strict=True):
        message[i] += linear(functions, p["filters"]) * others[j]
    for block in ("Residual_0", "Residual_1"):
        message = residual(message, p["residuals"][block], softplus)
    expected = np.asarray(p["gate"]) * x + linear(softplus(message), p["out"])
    np.testing.assert_allclose(module.apply(parameters, x, pairs, radial), expected, rtol=1e-11)


def test_physnets_output_is_its_formula(drawn: Callable[..., Any]) -> None:
    """Zero at first."""
    x = np.random.default_rng(0).normal(size=(4, 5))
    parameters = drawn(Output(2), x)
    p = parameters["params"]
    expected = linear(softplus(residual(x, p["residuals"]["Residual_0"], softplus)), p["out"])
    np.testing.assert_allclose(Output(2).apply(parameters, x), expected, rtol=1e-12)
    assert (Output(2).init_with_output(KEY, x)[0] == 0).all()


def test_attention_is_its_formula(
    drawn: Callable[..., Any], frames: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """By loops over atoms and heads; a single atom hears itself alone."""
    pairs, radial = graph(padded, frames([4, 1]))
    weights = np.asarray(radial.sum(axis=1))
    x = np.random.default_rng(0).normal(size=(5, 6))
    module = PairAttention(6, heads=2)
    parameters = drawn(module, x, pairs, jnp.asarray(weights))
    p = parameters["params"]
    query, key, value = (linear(x, p[name]).reshape(5, 2, 3) for name in "qkv")
    heard = np.zeros((5, 2, 3))
    for i in range(5):
        near = [(i, 1.0), *((int(pairs.source[k]), weights[k]) for k in np.flatnonzero(pairs.destination == i))]
        for head in range(2):
            powers = [c * np.exp(query[i, head] @ key[j, head] / np.sqrt(3)) for j, c in near]
            for (j, _), power in zip(near, powers, strict=True):
                heard[i, head] += power / sum(powers) * value[j, head]
    expected = x + linear(heard.reshape(5, 6), p["out"])
    np.testing.assert_allclose(module.apply(parameters, x, pairs, jnp.asarray(weights)), expected, rtol=1e-11)


def test_attention_forgets_a_neighbour_smoothly(drawn: Callable[..., Any]) -> None:
    """The last neighbour at a weight of zero is as if it were not there: nothing jumps at the cutoff."""
    vectors, ends = jnp.eye(3)[:2], (jnp.array([0, 1]), jnp.array([1, 0]))
    pairs, none = (Pairs.along(vectors, *ends, jnp.full(2, mask)) for mask in (True, False))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 4)))
    module = PairAttention(4, heads=2)
    parameters = drawn(module, x, pairs, jnp.ones(2))
    alone = module.apply(parameters, x, none, jnp.ones(2))
    for weight, difference in ((0.0, 1e-15), (1e-9, 1e-8)):
        np.testing.assert_allclose(module.apply(parameters, x, pairs, jnp.full(2, weight)), alone, atol=difference)


def test_heads_that_do_not_fit_are_told() -> None:
    """With both numbers."""
    pairs = Pairs.along(jnp.eye(3)[:1], jnp.array([0]), jnp.array([0]), jnp.array([True]))
    with pytest.raises(ConfigError, match="6 features do not divide into 4 heads"):
        PairAttention(6).init(KEY, jnp.ones((1, 6)), pairs, jnp.ones(1))


@pytest.mark.parametrize("name", ["interaction", "attention"])
def test_layers_have_the_gradients_of_finite_differences(
    drawn: Callable[..., Any], name: str, frames: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """By positions, through distances and cutoffs, twice; with padded pairs, which add nothing."""
    batch = padded(frames([3]), spare=(1, 2, 4))
    module: Any = Interaction(4) if name == "interaction" else PairAttention(4, heads=2)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(5, 4)))

    def arguments(positions: Any) -> tuple[Any, ...]:
        pairs = Pairs.of(batch, positions)
        radial = RADIAL(pairs)
        return x, pairs, radial if name == "interaction" else radial.sum(axis=1)

    at = jnp.asarray(batch["R"])
    parameters = drawn(module, *arguments(at))
    check_grads(jax.jit(lambda r: module.apply(parameters, *arguments(r))), (at,), order=2, modes=["rev"])


def test_readouts_are_their_formulas(drawn: Callable[..., Any]) -> None:
    """Scalars, and vectors as gated sums of vectors."""
    rng = np.random.default_rng(0)
    s, v = rng.normal(size=(3, 4)), rng.normal(size=(3, 3, 4))
    parameters = drawn(AtomScalars(2), s)
    p = parameters["params"]
    np.testing.assert_allclose(
        AtomScalars(2).apply(parameters, s), linear(silu(linear(s, p["hidden"])), p["out"]), rtol=1e-12
    )
    assert (AtomScalars(2, zero=True).init_with_output(KEY, s)[0] == 0).all()
    parameters = drawn(AtomVectors(2), s, v)
    p = parameters["params"]
    lengths = np.sqrt((linear(v, p["seen"]) ** 2).sum(axis=1) + 1e-4) - 1e-2
    gates = linear(silu(linear(np.concatenate([s, lengths], axis=1), p["hidden"])), p["gates"])
    expected = gates[:, :, None] * linear(v, p["out"]).swapaxes(1, 2)
    np.testing.assert_allclose(AtomVectors(2).apply(parameters, s, v), expected, rtol=1e-12)


def test_an_element_has_its_row_and_padding_none(drawn: Callable[..., Any]) -> None:
    """Zero for atomic number zero, also in the gradient, and NaN for what the table does not have."""
    table = ElementTable(3, largest=8)
    numbers = jnp.array([8, 1, 0, 9, -1])
    parameters = drawn(table, numbers)
    found = np.asarray(table.apply(parameters, numbers))
    rows = np.asarray(parameters["params"]["rows"])
    np.testing.assert_array_equal(found[:3], [rows[7], rows[0], np.zeros(3)])
    assert np.isnan(found[3:]).all()
    slopes = jax.grad(lambda p: table.apply(p, jnp.array([0, 0, 1])).sum())(parameters)["params"]["rows"]
    assert slopes.sum(axis=1).tolist() == [3.0] + [0.0] * 7
    assert (ElementTable(3, zero=True).init_with_output(KEY, numbers[:2])[0] == 0).all()


@pytest.mark.parametrize(
    ("numbers", "options", "message"),
    [
        ([1, 37, 40], {}, r"it knows elements up to Kr, and there are Rb \(37\), Zr \(40\)\. Train a model that"),
        ([-1], {}, r"there are X \(-1\)"),
        ([1, 7], {"known": frozenset({1, 6})}, r"it was trained on H, C, and there are N \(7\)"),
        (list(range(40, 50)), {}, r"Zr \(40\), .*, Ru \(44\) and 5 more\."),
    ],
)
def test_unknown_elements_are_told(numbers: list[int], options: Any, message: str) -> None:
    """On the host, before a table is asked."""
    check_elements([0, 1, 6, 0], 36, **options)
    with pytest.raises(DataError, match=message):
        check_elements(numbers, 36, **options)
