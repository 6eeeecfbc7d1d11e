"""One update of the parameters after the other on one batch, by the engine of atomloom-jax and nothing around it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from atomloom import Dataset, PaddedBatch
from atomloom.batching import fixed_shape, in_order
from atomloom.losses import energy, forces
from atomloom.model import WeightedLoss
from atomloom.pipeline.job import schema_of
from atomloom_jax import DeviceBatch, JaxModel, Training
from atomloom_jax.devices import mesh
from atomloom_jax.objective import Objective
from atomloom_jax.schedules import schedule
from atomloom_jax.step import update_function
from atomloom_jax.train_state import Leaves, TrainState

WEIGHTS = {"energy": 0.5, "forces": 10.0}
LOSSES = (
    WeightedLoss("energy", WEIGHTS["energy"], ("E",), energy),
    WeightedLoss("forces", WEIGHTS["forces"], ("F",), forces),
)


def molecules(frames: int, atoms: int) -> Dataset:
    """Random molecules of the elements of ethanol, in a ball as dense as they are; energies and forces mean nothing."""
    rng = np.random.default_rng(0)
    arrays = {
        "Z": rng.choice([1, 6, 8], size=(frames, atoms)),
        "R": np.stack([_apart(rng, atoms) for _ in range(frames)]),
        "E": rng.normal(size=frames),
        "F": rng.normal(size=(frames, atoms, 3)),
    }
    return Dataset.from_arrays({**arrays, "total_charge": np.zeros(frames), "total_spin": np.ones(frames, int)})


def _apart(rng: np.random.Generator, atoms: int) -> np.ndarray:
    """Places in angstrom ``[atoms, 3]``, none nearer to another than a bond is long."""
    places = np.zeros((1, 3))
    while len(places) < atoms:
        new = rng.uniform(-1.2, 1.2, size=3) * atoms ** (1 / 3)
        if np.linalg.norm(places - new, axis=1).min() > 0.9:
            places = np.vstack([places, new])
    return places


def in_one_batch(dataset: Dataset) -> PaddedBatch:
    """All frames with all of their pairs."""
    return next(in_order(dataset, fixed_shape(dataset, len(dataset), pairs=True)))


class Updates:
    """One update after the other on one batch, by the engine of atomloom-jax."""

    def __init__(self, model: JaxModel[Any], config: Any, dataset: Dataset) -> None:
        state, training, where = model.init(schema_of(dataset), config, 0), Training(), mesh(None, 1)
        batch = DeviceBatch.of(in_one_batch(dataset), "float32")
        leaves = Leaves.of(model, state).trained_in("float32")
        objective = Objective.of(model, state, LOSSES, dataset)
        update = update_function(objective, training, schedule(training, 1), where)
        self._known = TrainState.fresh(leaves.parameters, training)
        self._constants = {name: jnp.asarray(leaf) for name, leaf in leaves.constants.items()}
        self._batches = jax.tree.map(lambda values: jnp.asarray(values)[None, None], batch)
        traced = jax.jit(update, donate_argnums=0).lower(self._known, self._constants, self._batches)
        self._compiled = traced.compile()

    def __call__(self) -> None:
        """One update, to its end."""
        self._known, told = self._compiled(self._known, self._constants, self._batches)
        told.block_until_ready()

    @property
    def work(self) -> tuple[float, float]:
        """Floating-point operations and bytes of an update, by XLA's analysis of the compiled program."""
        analysis = self._compiled.cost_analysis()
        return analysis["flops"], analysis["bytes accessed"]
