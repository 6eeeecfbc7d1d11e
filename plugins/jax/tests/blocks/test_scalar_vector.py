"""Scalar and vector messages: their formulas, symmetries, and whole networks in padded batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.test_util import check_grads
from scipy.stats import ortho_group

from atomloom.batching import Shape
from atomloom_jax.blocks import (
    AtomScalars,
    AtomVectors,
    ElementTable,
    Frames,
    Interaction,
    Message,
    Mixing,
    PairAttention,
    Pairs,
    Radial,
    ScalarVectorLayers,
)

KEY = jax.random.key(0)
RADIAL = Radial(count=6, cutoff=3.0)
COMMON = Shape(frames=3, atoms=10, pairs=30)
"""Of most batches, so that few programs are compiled."""

Arrays = dict[str, Any]


def linear(x: np.ndarray, layer: Any) -> np.ndarray:
    """x W + b, with b where there is one."""
    return np.asarray(x @ np.asarray(layer["kernel"]) + np.asarray(layer.get("bias", 0.0)))


def silu(x: np.ndarray) -> np.ndarray:
    """x times the logistic function."""
    return x / (1 + np.exp(-x))


@pytest.mark.parametrize("with_vectors", [True, False])
def test_a_message_is_its_formula(with_vectors: bool, frames: Callable[..., Any], padded: Callable[..., Any]) -> None:
    """By a loop over pairs, with vectors and before there are any."""
    pairs = Pairs.of(padded(frames([4, 2])))
    radial = RADIAL(pairs)
    rng = np.random.default_rng(0)
    s, v = rng.normal(size=(6, 4)), rng.normal(size=(6, 3, 4)) if with_vectors else None
    (found_s, found_v), made = Message(4).init_with_output(KEY, s, v, pairs, radial)
    p = made["params"]
    sent = linear(silu(linear(s, p["hidden"])), p["sent"])
    expected_s, expected_v = s.copy(), np.zeros((6, 3, 4)) if v is None else v.copy()
    for k, (i, j) in enumerate(zip(pairs.destination.tolist(), pairs.source.tolist(), strict=True)):
        parts = np.split(sent[j] * linear(np.asarray(radial[k]), p["filters"]), 2 if v is None else 3)
        direction = np.asarray(pairs.vectors[k]) / np.linalg.norm(pairs.vectors[k])
        expected_s[i] += parts[0]
        expected_v[i] += np.outer(direction, parts[1])
        if v is not None:
            expected_v[i] += parts[2] * v[j]
    np.testing.assert_allclose(found_s, expected_s, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(found_v, expected_v, rtol=1e-11, atol=1e-13)


def test_mixing_is_its_formula() -> None:
    """Atom by atom."""
    rng = np.random.default_rng(0)
    s, v = rng.normal(size=(5, 4)), rng.normal(size=(5, 3, 4))
    (found_s, found_v), made = Mixing(4).init_with_output(KEY, s, v)
    p = made["params"]
    for i in range(5):
        left, right = np.split(linear(v[i], p["turned"]), 2, axis=1)
        lengths = np.sqrt((right**2).sum(axis=0) + 1e-4) - 1e-2
        own, product, turned = np.split(
            linear(silu(linear(np.concatenate([s[i], lengths]), p["hidden"])), p["gates"]), 3
        )
        np.testing.assert_allclose(found_s[i], s[i] + own + product * (left * right).sum(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found_v[i], v[i] + turned * left, rtol=1e-12)


def test_no_layer_gives_no_vectors() -> None:
    """What a network of depth zero knows has no direction."""
    pairs = Pairs.along(jnp.eye(3)[:1], jnp.array([0]), jnp.array([0]), jnp.array([True]))
    (_, v), _ = ScalarVectorLayers(4, layers=0).init_with_output(KEY, jnp.ones((2, 4)), pairs, RADIAL(pairs))
    assert v.shape == (2, 3, 4)
    assert (v == 0).all()


class Network(nn.Module):
    """Energies and charges of atoms, and two vectors of each, from one of the backbones."""

    backbone: str

    @nn.compact
    def __call__(self, numbers: Any, pairs: Pairs) -> tuple[Any, Any]:
        """Scalars ``[atoms, 2]`` and vectors ``[atoms, 2, 3]``."""
        s, radial = ElementTable(8)(numbers), RADIAL(pairs)
        v = jnp.zeros((len(s), 3, 8))
        if self.backbone == "scalar and vector":
            s, v = ScalarVectorLayers(8, layers=2)(s, pairs, radial)
        for _ in range(2):
            if self.backbone == "attention":
                s = PairAttention(8, heads=2)(s, pairs, radial.sum(axis=1))
            if self.backbone == "physnet":
                s = Interaction(8)(s, pairs, radial)
        return AtomScalars(2)(s), AtomVectors(2)(s, v)


BACKBONES = ["scalar and vector", "physnet", "attention"]


@pytest.fixture
def predict(drawn: Callable[..., Any]) -> Callable[[Network, Arrays], Arrays]:
    """Predicts for a batch, with the same parameters each time."""
    return lambda network, batch: predicted(network, drawn(network, jnp.asarray(batch["Z"]), Pairs.of(batch)), batch)


def predicted(network: Network, parameters: Any, batch: Arrays) -> Arrays:
    """Energy of frames, and forces, charges and vectors of atoms."""
    return {name: np.asarray(values) for name, values in _predicted(network, parameters, batch).items()}


@partial(jax.jit, static_argnums=0)  # once for each shape and backbone
def _predicted(network: Network, parameters: Any, batch: Arrays) -> Arrays:
    def total(positions: Any) -> Any:
        scalars, vectors = network.apply(parameters, batch["Z"], Pairs.of(batch, positions))
        energies = Frames.of(batch).sum(scalars[:, 0])
        return energies.sum(), (energies, scalars[:, 1], vectors)

    slopes, (energies, charges, vectors) = jax.grad(total, has_aux=True)(jnp.asarray(batch["R"]))
    return {"E": energies, "F": -slopes, "q": charges, "v": vectors}


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_network_turns_and_mirrors_with_its_molecule(
    predict: Callable[..., Any], backbone: str, mirrored: bool, frames: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """Scalars stay, forces and vectors follow; so they do when the molecule is moved."""
    turn = ortho_group.rvs(3, random_state=4)
    turn *= -1 if (np.linalg.det(turn) < 0) != mirrored else 1
    before = frames([5, 3])
    after = [{**frame, "R": frame["R"] @ turn.T + 20.0} for frame in before]
    here, there = (predict(Network(backbone), padded(of, shape=COMMON)) for of in (before, after))
    assert np.abs(here["F"][:8]).max() > 1e-3
    for name in ("E", "q"):
        np.testing.assert_allclose(there[name], here[name], atol=1e-11)
    for name in ("F", "v"):
        np.testing.assert_allclose(there[name], here[name] @ turn.T, atol=1e-11)
    assert (np.abs(here["v"]).max() > 1e-3) == (backbone == "scalar and vector")


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_network_does_not_see_the_order_of_atoms(
    predict: Callable[..., Any], backbone: str, frames: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """Nor what else is in the batch."""
    frame = frames([5], seed=2)[0]
    order = np.array([3, 0, 4, 2, 1])
    moved = {name: values[order] for name, values in frame.items()}
    alone = predict(Network(backbone), padded([frame], shape=COMMON))
    among = predict(Network(backbone), padded([*frames([3]), moved], shape=COMMON))
    np.testing.assert_allclose(among["E"][1], alone["E"][0], atol=1e-12)
    for name in ("F", "q", "v"):
        np.testing.assert_allclose(among[name][3:8], alone[name][order], atol=1e-12)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("wide", [True, False])
def test_padding_changes_nothing(
    predict: Callable[..., Any], backbone: str, wide: bool, frames: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """Values and forces stay, in both precisions, and padding gets forces of zero; single atoms work."""
    with jax.enable_x64(wide):
        plain, spare = (predict(Network(backbone), padded(frames([4, 1]), shape=shape)) for shape in (None, COMMON))
    tolerance = 1e-13 if wide else 1e-6
    for name in plain:
        np.testing.assert_allclose(spare[name][: len(plain[name])], plain[name], atol=tolerance)
        assert np.isfinite(spare[name]).all()
    assert (spare["F"][5:] == 0).all()
    assert (spare["E"][2:] == 0).all()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_network_has_the_derivatives_of_finite_differences(
    drawn: Callable[..., Any], backbone: str, frames: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """First ones, which are forces, and second ones, by which they are trained."""
    batch = padded(frames([4]), spare=(1, 1, 3))
    network, numbers = Network(backbone), jnp.asarray(batch["Z"])
    parameters = drawn(network, numbers, Pairs.of(batch))
    check_grads(
        jax.jit(lambda at: network.apply(parameters, numbers, Pairs.of(batch, at))),
        (jnp.asarray(batch["R"]),),
        order=2,
        modes=["rev"],
    )


@pytest.mark.parametrize("backbone", BACKBONES)
def test_nothing_jumps_when_an_atom_crosses_the_cutoff(
    predict: Callable[..., Any], backbone: str, padded: Callable[..., Any]
) -> None:
    """Energies and forces on both sides of it, where the pair list itself changes."""

    def at(distance: float) -> Arrays:
        places = np.array([[0.0, 0.0, 0.0], [1.1, 0.2, 0.0], [distance, 0.0, 0.0]])
        return predict(Network(backbone), padded([{"Z": np.array([8, 1, 6]), "R": places}], cutoff=3.0, shape=COMMON))

    inside, outside = at(3.0 - 1e-4), at(3.0 + 1e-4)
    np.testing.assert_allclose(inside["E"], outside["E"], atol=1e-3)
    np.testing.assert_allclose(inside["F"], outside["F"], atol=1e-3)


def test_training_on_forces_is_finite_for_symmetric_molecules(
    drawn: Callable[..., Any], padded: Callable[..., Any]
) -> None:
    """The gradient of a force loss by the parameters, where vector features vanish: the centre of a linear molecule."""
    places = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.2], [0.0, 0.0, -1.2]])
    batch = padded([{"Z": np.array([6, 8, 8]), "R": places}], spare=(1, 3, 2))
    with jax.enable_x64(False):
        network, numbers = Network("scalar and vector"), jnp.asarray(batch["Z"])
        at = jnp.asarray(batch["R"], jnp.float32)
        parameters = drawn(network, numbers, Pairs.of(batch, at))

        def loss(parameters: Any) -> Any:
            energy = lambda r: network.apply(parameters, numbers, Pairs.of(batch, r))[0].sum()  # noqa: E731
            return (jax.grad(energy)(at) ** 2).sum()

        slopes = jax.jit(jax.grad(loss))(parameters)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes))
