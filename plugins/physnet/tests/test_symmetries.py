"""What must not change a prediction: order, place, direction, padding, and the company of other molecules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom.batching import Shape
from atomloom_jax import DeviceBatch
from atomloom_physnet import PhysNet

LENGTHS = (4, 1, 6, 2)
ROOMY = Shape(frames=8, atoms=23, pairs=55)
Make = Callable[..., Any]


@pytest.fixture
def before(made: Any, frames: Make, padded: Make, predicted: Make) -> Any:
    """What is predicted for some molecules as they are."""
    return predicted(made, padded(frames(LENGTHS)))


def changed(frame: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The frame with other values."""
    return {**frame, **fields}


def test_atoms_may_stand_in_any_order(made: Any, before: Any, frames: Make, padded: Make, predicted: Make) -> None:
    """Energies and dipoles stay, forces and charges go with their atoms."""
    turned = [changed(frame, Z=frame["Z"][::-1], R=frame["R"][::-1]) for frame in frames(LENGTHS)]
    after = predicted(made, padded(turned))
    np.testing.assert_allclose(after["E"], before["E"], atol=1e-9)
    np.testing.assert_allclose(after["D"], before["D"], atol=1e-9)
    start = 0
    for length in LENGTHS:
        own = slice(start, start + length)
        np.testing.assert_allclose(after["F"][own], before["F"][own][::-1], atol=1e-9)
        np.testing.assert_allclose(after["mono"][own], before["mono"][own][::-1], atol=1e-9)
        start += length


@pytest.mark.parametrize("mirrored", [1, -1])
def test_molecules_may_be_turned_and_mirrored(
    made: Any, mirrored: int, before: Any, frames: Make, padded: Make, predicted: Make
) -> None:
    """Energies and charges stay, forces and dipoles turn with the molecule."""
    rotation = mirrored * np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turned = [changed(frame, R=frame["R"] @ rotation.T) for frame in frames(LENGTHS)]
    after = predicted(made, padded(turned))
    np.testing.assert_allclose(after["E"], before["E"], atol=1e-9)
    np.testing.assert_allclose(after["mono"], before["mono"], atol=1e-9)
    np.testing.assert_allclose(after["F"], before["F"] @ rotation.T, atol=1e-8)
    np.testing.assert_allclose(after["D"], before["D"] @ rotation.T, atol=1e-9)


def test_molecules_may_be_anywhere(made: Any, before: Any, frames: Make, padded: Make, predicted: Make) -> None:
    """A shift changes the dipole by charge times shift, and nothing else."""
    shift = np.array([3.0, -20.0, 7.0])
    after = predicted(made, padded([changed(frame, R=frame["R"] + shift) for frame in frames(LENGTHS)]))
    charges = np.array([frame["total_charge"] for frame in frames(LENGTHS)])
    np.testing.assert_allclose(after["E"], before["E"], atol=1e-8)
    np.testing.assert_allclose(after["F"], before["F"], atol=1e-7)
    np.testing.assert_allclose(after["D"], before["D"] + charges[:, None] * shift, atol=1e-8)


def test_padding_changes_nothing(made: Any, before: Any, frames: Make, padded: Make, predicted: Make) -> None:
    """Spare slots for frames, atoms and pairs leave every number as it is and get zeros, wherever molecules are."""
    after = predicted(made, padded(frames(LENGTHS), ROOMY), padding=True)
    atoms = sum(LENGTHS)
    for name, rows in {"E": len(LENGTHS), "D": len(LENGTHS), "F": atoms, "mono": atoms}.items():
        np.testing.assert_allclose(after[name][:rows], before[name], atol=1e-10)
        np.testing.assert_array_equal(after[name][rows:], np.zeros_like(after[name][rows:]))


def test_molecules_of_a_batch_do_not_meet(made: Any, before: Any, frames: Make, padded: Make, predicted: Make) -> None:
    """A molecule has the pairs of its own atoms, and the same numbers alone as in company."""
    alone = predicted(made, padded(frames(LENGTHS)[2:3]))
    own = slice(LENGTHS[0] + LENGTHS[1], sum(LENGTHS[:3]))
    np.testing.assert_allclose(alone["E"][0], before["E"][2], atol=1e-10)
    np.testing.assert_allclose(alone["F"], before["F"][own], atol=1e-9)
    np.testing.assert_allclose(alone["mono"], before["mono"][own], atol=1e-10)


def test_gradients_of_padded_batches_are_finite(state: Make, frames: Make, padded: Make) -> None:
    """What training differentiates has no NaN from padding, single atoms or atoms at the origin."""
    made, batch = state(), DeviceBatch.of(padded(frames(LENGTHS), ROOMY), "float64")

    def loss(parameters: Any) -> Any:
        found = PhysNet().predict({**made, "parameters": parameters}, batch)
        return sum(jnp.sum(values**2) for values in found.values())

    gradient = jax.jit(jax.grad(loss))(made["parameters"])
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))
    assert any(bool((leaf != 0).any()) for leaf in jax.tree.leaves(gradient))
