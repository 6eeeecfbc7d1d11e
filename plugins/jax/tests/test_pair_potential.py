"""The example model: what it claims of itself, and that its forces are the gradient of its energy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom import Dataset
from atomloom.batching import PaddedBatch, Shape, pad
from atomloom.pipeline.job import schema_of
from atomloom_jax.pair_potential import Config, PairPotential
from atomloom_jax.precision import precise

MODEL = PairPotential()
ROOMY = Shape(6, 40, 200)
TIGHT = Shape(3, 15, 60)


@pytest.fixture(scope="module")
def frames(molecules: Dataset) -> Dataset:
    """Three of the molecules."""
    return molecules[[0, 1, 2]]


@pytest.fixture
def state(frames: Dataset) -> Iterator[dict[str, Any]]:
    """A state that is not zero, in float64 while the test runs."""
    with precise("float64"):
        made = MODEL.init(schema_of(frames), Config(functions=8), 1)
        yield {
            **made,
            "weights": 5 * made["weights"].astype(float),
            "energies": jnp.arange(len(made["energies"]), dtype=float),
        }


def predicted(state: dict[str, Any], dataset: Dataset, shape: Shape = TIGHT) -> tuple[np.ndarray, np.ndarray]:
    """Energies and forces of the real frames and atoms."""
    batch: PaddedBatch = pad(dataset.take(range(len(dataset))), shape)
    found = MODEL.predict(state, batch)
    return np.asarray(found["E"])[batch["frame_mask"]], np.asarray(found["F"])[batch["atom_mask"]]


def moved(dataset: Dataset, positions: np.ndarray) -> Dataset:
    """The same frames with other positions."""
    return Dataset.from_arrays({"Z": dataset["Z"], "R": positions}, lengths={"atom": dataset.sizes["atom"]})


def test_forces_are_the_gradient_of_the_energy(state: dict[str, Any], frames: Dataset) -> None:
    """Central differences of the energy in float64, for every component."""
    _, forces = predicted(state, frames)
    step = 1e-5
    for index in np.ndindex(frames["R"].shape):
        aside = np.zeros_like(frames["R"])
        aside[index] = step
        up, down = (predicted(state, moved(frames, frames["R"] + sign * aside))[0].sum() for sign in (1, -1))
        assert forces[index] == pytest.approx(-(up - down) / (2 * step), abs=1e-7)


def test_nothing_depends_on_where_a_molecule_is_or_how_it_is_turned(state: dict[str, Any], frames: Dataset) -> None:
    """Shifted, turned and mirrored, energies stay and forces turn along."""
    energies, forces = predicted(state, frames)
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    for matrix in (turn, -turn):
        elsewhere = predicted(state, moved(frames, frames["R"] @ matrix.T + 30.0))
        np.testing.assert_allclose(elsewhere[0], energies, rtol=0, atol=1e-9)
        np.testing.assert_allclose(elsewhere[1], forces @ matrix.T, rtol=0, atol=1e-9)


def test_padding_and_company_change_nothing(state: dict[str, Any], frames: Dataset) -> None:
    """More slots, another order and fewer frames beside it leave what is predicted for a frame."""
    energies, forces = predicted(state, frames)
    roomy = predicted(state, frames, ROOMY)
    np.testing.assert_allclose(roomy[0], energies, rtol=0, atol=1e-12)
    np.testing.assert_allclose(roomy[1], forces, rtol=0, atol=1e-12)
    alone = predicted(state, frames[[1]], Shape(1, 9, 40))
    np.testing.assert_allclose(alone[0], energies[[1]], rtol=0, atol=1e-12)


def test_padding_has_no_gradient(state: dict[str, Any], frames: Dataset) -> None:
    """The gradient by the parameters is finite and the same with more padding."""

    def slope(shape: Shape) -> Any:
        batch = pad(frames.take([0, 1, 2]), shape)
        trained = {name: state[name] for name in ("weights", "energies")}
        return jax.grad(lambda own: MODEL.predict({**state, **own}, batch)["E"].sum())(trained)

    tight, roomy = slope(TIGHT), slope(ROOMY)
    for name in tight:
        assert np.isfinite(tight[name]).all()
        np.testing.assert_allclose(tight[name], roomy[name], rtol=0, atol=1e-12)
