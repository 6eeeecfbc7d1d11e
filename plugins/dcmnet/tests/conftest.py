"""What the tests of distributed charges share: small networks with random parameters, and molecules with potentials."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom import Dataset, PaddedBatch
from atomloom.batching import Shape, pad
from atomloom.data import concatenate
from atomloom.model import Schema
from atomloom.writers import write
from atomloom_dcmnet import DCMNet, ModelConfig
from atomloom_dcmnet.completing import completed
from atomloom_dcmnet.example import surfaces
from atomloom_dcmnet.training import Trained, run_training
from atomloom_jax import DeviceBatch
from atomloom_jax.precision import precise

D_MAX = 0.3

CONFIG = ModelConfig(n_dcm=3, features=8, layers=1, basis_functions=4, d_max=D_MAX, assume_charge=0)
"""Of a network that compiles fast."""

SHAPE = Shape(frames=3, atoms=12, pairs=44, grid=60)
"""The slots of all batches, so that one program is compiled."""

_FAR = 5.0  # times as large as others

Frame = dict[str, Any]


@cache
def _state() -> dict[str, Any]:
    """Random parameters, of which those of the displacements drive most of them to their bound."""
    state = DCMNet().init(Schema({}, (1, 6, 8), 5), CONFIG, seed=0)
    random = np.random.default_rng(0)

    def draw(leaf: Any, scale: float = 1.0) -> Any:
        return jnp.asarray(scale * random.normal(size=leaf.shape) / np.sqrt(leaf.shape[0]), jnp.float32)

    drawn = jax.tree.map(draw, state["parameters"])
    far = jax.tree.map(lambda leaf: draw(leaf, _FAR), state["parameters"]["displacements"])
    return {**state, "parameters": {**drawn, "displacements": far}}


def _molecule(atoms: int, charge: float = 0.0, seed: int = 0, points: int = 20) -> Frame:
    """Atoms some 1.5 angstrom apart, with points further out whose potential is drawn at random."""
    random = np.random.default_rng(seed)
    steps = random.normal(size=(atoms, 3))
    positions = np.cumsum(1.5 * steps / np.linalg.norm(steps, axis=1, keepdims=True), axis=0)
    outward = random.normal(size=(points, 3))
    around = positions.mean(axis=0) + (8.0 * outward / np.linalg.norm(outward, axis=1, keepdims=True))
    esp = random.normal(scale=0.02, size=points)
    numbers = random.choice([1, 6, 8], size=atoms)
    own = {"Z": numbers, "R": positions, "total_charge": charge, "total_spin": 1}
    return {**own, "vdw_surface": around, "esp": esp}


def _padded(frames: list[Frame], shape: Shape = SHAPE) -> PaddedBatch:
    dataset = completed(Dataset.from_frames(frames), CONFIG)
    return pad(dataset.take(np.arange(len(dataset))), shape)


@pytest.fixture(scope="session")
def molecule() -> Callable[..., Frame]:
    """Makes a molecule from its number of atoms."""
    return _molecule


@pytest.fixture(scope="session")
def padded() -> Callable[..., PaddedBatch]:
    """Makes a padded batch from frames."""
    return _padded


@pytest.fixture(scope="session")
def state() -> dict[str, Any]:
    """A state with random parameters."""
    with precise("float32"):
        return _state()


@pytest.fixture(scope="session")
def predicted(state: dict[str, Any]) -> Callable[[PaddedBatch], Mapping[str, np.ndarray]]:
    """Predicts for a batch, in single precision as trainings do; all tests share what is compiled."""
    compiled = jax.jit(DCMNet().predict)

    def predict(batch: PaddedBatch) -> dict[str, np.ndarray]:
        with precise("float32"):
            found = compiled(state, DeviceBatch.of(batch, "float32"))
        return {name: np.asarray(values) for name, values in found.items()}

    return predict


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A short training of a small network as one call, with two batches in each update."""
    folder = tmp_path_factory.mktemp("dcmnet")
    write(concatenate([surfaces(), surfaces()]).without("dcm_charges"), folder / "molecules.npz")
    options = {"n_dcm": 2, "features": 8, "layers": 1, "basis_functions": 4, "d_max": 0.3}
    training = {"num_epochs": 3, "batch_size": 2, "gradient_accumulation_steps": 2, "lr_schedule_type": "cosine"}
    return run_training(
        str(folder / "molecules.npz"), folder / "runs", name="first", chg_w=0.5, dipole_w=0.1, **options, **training
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data that are not part of the repository."""
    folder = Path(os.environ.get("ATOMLOOM_SHARED_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip("there are no shared data; name their folder in ATOMLOOM_SHARED_DATA")
    return folder
