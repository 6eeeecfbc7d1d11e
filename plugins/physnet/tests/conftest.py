"""What the tests of the potential share: small networks with random parameters, and padded batches of molecules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom import Dataset, PaddedBatch
from atomloom.batching import Shape, pad
from atomloom.model import Schema
from atomloom.pipeline import Fitted
from atomloom_jax import DeviceBatch
from atomloom_jax.backend import BACKEND
from atomloom_jax.precision import precise
from atomloom_physnet import Config, PhysNet
from atomloom_physnet.model import empty
from atomloom_physnet.plugin import atomloom_models

SMALL = {"features": 8, "layers": 2, "basis_functions": 6, "cutoff": 4.0}
"""Options of a network that compiles fast."""

KINDS = [
    {"conditioning": "attention"},
    {"conditioning": "embedding", "charge_embed_dim": 4, "spin_embed_dim": 4},
    {"conditioning": "none", "backbone": "physnet"},
]
"""Every conditioning and every backbone."""

ELEMENTS = (1, 6, 7, 8, 9)

COMMON = Shape(frames=6, atoms=18, pairs=46)
"""The slots of most batches, so that few programs are compiled."""

Frame = dict[str, Any]
State = dict[str, Any]


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    """Formulas are compared in double precision."""
    with precise("float64"):
        yield


@cache
def _state(config: Config) -> State:
    """A state with random parameters in float64, also where training begins with zeros."""
    schema = Schema({}, ELEMENTS, 0)
    shapes = jax.eval_shape(lambda: PhysNet().init(schema, config, 0)["parameters"])
    rng = np.random.default_rng(1)
    drawn = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape) / np.sqrt(leaf.shape[0])), shapes)
    return {**empty(config, ELEMENTS), "parameters": drawn}


def _frames(lengths: Sequence[int], seed: int = 0) -> list[Frame]:
    """Molecules of so many atoms, none nearer than 0.9 angstrom to another, in various states."""
    rng = np.random.default_rng(seed)
    made = []
    for number, length in enumerate(lengths):
        frame = {"Z": rng.choice([1, 6, 8], size=length), "R": _apart(rng, length), "total_charge": number % 3 - 1.0}
        unpaired = int(frame["Z"].sum() - frame["total_charge"]) % 2
        made.append({**frame, "total_spin": 1 + unpaired})
    return made


def _apart(rng: np.random.Generator, length: int) -> np.ndarray:
    size = 1.2 * length ** (1 / 3)
    places = np.zeros((1, 3))
    while len(places) < length:
        new = rng.uniform(-size, size, size=3)
        if np.linalg.norm(places - new, axis=1).min() > 0.9:
            places = np.vstack([places, new])
    return places


def _padded(frames: Sequence[Frame], shape: Shape = COMMON) -> PaddedBatch:
    """These frames with all their pairs."""
    dataset = Dataset.from_frames(frames)
    return pad(dataset.take(np.arange(len(dataset))), shape)


@pytest.fixture(scope="session")
def state() -> Callable[..., State]:
    """Makes a state from options beside `SMALL`."""
    return lambda **options: _state(Config(**{**SMALL, **options}))


@pytest.fixture(scope="session")
def fitted(state: Callable[..., State]) -> Callable[..., Fitted]:
    """A model with random parameters, in float64 and with energies of the elements."""

    model = PhysNet()  # one for all, so that they share what is compiled

    def make(**options: Any) -> Fitted:
        made = state(**options)
        references = np.where(np.arange(119) == 8, -2000.0, -13.0)
        loaded = jax.device_get(made["parameters"])  # numpy's, as those of a checkpoint are
        made = {**made, "parameters": loaded, "references": references[None]}
        (spec,) = atomloom_models()
        return Fitted(model, spec, made, Schema({}, (1, 8), 0), 0, BACKEND, made["network"].config)

    return make


@pytest.fixture(scope="session")
def frames() -> Callable[..., list[Frame]]:
    """Makes random molecules from their numbers of atoms."""
    return _frames


@pytest.fixture(scope="session")
def padded() -> Callable[..., PaddedBatch]:
    """Makes a padded batch from frames."""
    return _padded


@pytest.fixture(params=KINDS, ids=lambda options: options["conditioning"])
def made(request: Any, state: Callable[..., State]) -> State:
    """A state of every kind."""
    return state(**request.param)


@pytest.fixture(scope="session")
def predicted() -> Callable[..., Mapping[str, np.ndarray]]:
    """Predicts for the real frames and atoms of a batch; tests with batches of one shape share what is compiled."""
    compiled = jax.jit(PhysNet().predict)

    def predict(state: State, batch: PaddedBatch, *, padding: bool = False) -> dict[str, np.ndarray]:
        masks = {name: batch["frame_mask" if name in "ED" else "atom_mask"] for name in ("E", "D", "F", "mono")}
        found = {name: np.asarray(rows) for name, rows in compiled(state, DeviceBatch.of(batch, "float64")).items()}
        return found if padding else {name: rows[masks[name]] for name, rows in found.items()}

    return predict
