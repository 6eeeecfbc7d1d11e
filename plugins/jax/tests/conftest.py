"""What the tests of the engine share: small molecules of known energy, and a model that breaks when told to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from atomloom import Dataset, Run
from atomloom.examples.morse import make
from atomloom.experiment import Batching
from atomloom.losses import energy, forces
from atomloom.model import FitData, WeightedLoss
from atomloom.pipeline.job import schema_of
from atomloom.runs import describe
from atomloom_jax import Training, train_model_multibatch
from atomloom_jax.pair_potential import Config, PairPotential

LOSSES = (WeightedLoss("energy", 1.0, ("E",), energy), WeightedLoss("F", 10.0, ("F",), forces))
"""One has the name of a field, whose measurements stay apart from its own."""


def _fit_data(dataset: Dataset, train: int, **batching: Any) -> FitData:
    """The first frames to train on, the others to validate on."""
    frames = np.arange(len(dataset))
    numbers = {"train": frames[:train], "valid": frames[train:]}
    parts = {name: dataset[picked] for name, picked in numbers.items()}
    return FitData(**parts, batching=Batching(**batching), seed=0, needs=("Z", "R"), numbers=numbers)


def _trained(folder: Path, data: FitData, training: Training, model: Any = None) -> dict[str, np.ndarray]:
    """The leaves of a model fitted in a run, which is new unless its folder is there."""
    model = model or PairPotential()
    run = Run.open(folder) if folder.exists() else Run.create(folder, {}, describe())
    state = model.init(schema_of(data.train), Config(functions=6), training.seed)
    found = train_model_multibatch(model, state, data, LOSSES, run, training)
    return {name: np.asarray(leaf) for name, leaf in model.leaves(found).items()}


@pytest.fixture(scope="session")
def molecules() -> Dataset:
    """Shaken molecules of three to five atoms."""
    return make(frames=80, seed=3)


@pytest.fixture(autouse=True)
def _no_leftover_settings() -> Any:
    """No test leaves JAX in another precision."""
    before = jax.config.read("jax_enable_x64")
    yield
    assert jax.config.read("jax_enable_x64") == before


@pytest.fixture
def run_log(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Gives what was said to the log of a run, which passes nothing on."""
    logging.getLogger("atomloom.run").propagate = False  # as a run has it, too late for `caplog` to follow
    with caplog.at_level(logging.INFO, "atomloom.run"):
        yield lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture(scope="session")
def fit_data() -> Callable[..., FitData]:
    """Makes the parts to fit from a data set, a number of frames to train on, and how they are batched."""
    return _fit_data


@pytest.fixture(scope="session")
def trained() -> Callable[..., dict[str, np.ndarray]]:
    """Fits a model in a new run and gives its leaves."""
    return _trained


@pytest.fixture(scope="session")
def losses() -> tuple[WeightedLoss, ...]:
    """Of energies and forces."""
    return LOSSES
