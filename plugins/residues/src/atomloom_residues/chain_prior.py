"""A prior of chains in numpy: springs between beads up to a few places apart, fitted to forces in closed form.

``E = sum_s sum_i k_s d^2 / 2 - c_s d`` with d the distance of beads i and i + s; k_s is the stiffness of a separation
and ``c_s / k_s`` its rest length. Forces are linear in k and c, so the best ones follow from one least-squares problem.
A model of protein forces that is no better than this has learnt nothing but the chain.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from atomloom.batching import PaddedBatch, fixed_shape, in_order, load
from atomloom.data import Dataset
from atomloom.model import Array, FitData, Model, Schema, WeightedLoss
from atomloom.runs import Run

State = dict[str, Array]

_ROUNDING = 1e-10

_AT_ONCE = 64


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of the prior."""

    separations: Annotated[int, msgspec.Meta(ge=1, description="Springs reach so many places along the chain.")] = 3


class ChainPrior(Model[State]):
    """Springs along the chain; see the module."""

    def init(self, schema: Schema, config: Config, seed: int) -> State:
        """No springs."""
        return {name: np.zeros(config.separations) for name in ("stiffness", "pull")}

    def predict(self, state: State, batch: PaddedBatch) -> dict[str, Array]:
        """Energy of every frame in eV and force on every bead in eV/angstrom."""
        energies, forces = np.zeros(batch.shape.frames), np.zeros((batch.shape.atoms, 3))
        for place, (stiffness, pull) in enumerate(zip(state["stiffness"], state["pull"], strict=True), start=1):
            first, distances, directions = pairs(batch, place)
            np.add.at(energies, batch["batch_segments"][first], stiffness * distances**2 / 2 - pull * distances)
            tension = (stiffness * distances - pull)[:, None] * directions
            np.add.at(forces, first, tension)
            np.add.at(forces, first + place, -tension)
        return {"E": energies, "F": forces}

    def fit(self, state: State, data: FitData, losses: tuple[WeightedLoss, ...], run: Run) -> State:
        """The least-squares solution for the forces of the training part; every epoch finds the same."""
        training = run.config["training"]
        solved = solve(data, data.train, len(state["stiffness"]))
        for epoch in run.epochs(training["num_epochs"], training["save_every_n_epochs"], training["keep_last"]):
            errors = {part: mean_square(solved, data, getattr(data, part)) for part in ("train", "valid")}
            epoch.log({f"{part}/forces/mse": error for part, error in errors.items() if error is not None})
            epoch.save(solved, {}, errors["train"] if errors["valid"] is None else errors["valid"])
        return solved


def forces_by(state: State, dataset: Dataset) -> Array:
    """What springs predict for all beads of a data set, one frame behind the other, in eV/angstrom."""
    batches = in_order(dataset, fixed_shape(dataset, min(_AT_ONCE, len(dataset))), ["R"])
    return np.concatenate([ChainPrior().predict(state, batch)["F"][batch["atom_mask"]] for batch in batches])


def mean_square(state: State, data: FitData, part: Dataset) -> float | None:
    """The mean squared error of the force components of a part, None where it is empty."""
    total, count = 0.0, 0
    for planned in data.plan(part).batches(epoch=0) if len(part) else ():
        batch = load(part, planned, ["R", "F"])
        difference = (ChainPrior().predict(state, batch)["F"] - batch["F"])[batch["atom_mask"]]
        total, count = total + float(np.square(difference).sum()), count + difference.size
    return total / count if count else None


def pairs(batch: PaddedBatch, apart: int) -> tuple[Array, Array, Array]:
    """Beads so many places apart in one frame: the slot of the first, distances, and unit vectors to the second."""
    real, owner = batch["atom_mask"], batch["batch_segments"]
    places = np.flatnonzero(real[:-apart] & real[apart:] & (owner[:-apart] == owner[apart:]))
    vectors = batch["R"][places + apart].astype(np.float64) - batch["R"][places]
    distances = np.sqrt(np.square(vectors).sum(axis=1))
    return places, distances, vectors / np.maximum(distances, _ROUNDING)[:, None]


def solve(data: FitData, part: Dataset, separations: int) -> State:
    """Stiffnesses and pulls with the least squared error of the forces of a part."""
    size = 2 * separations
    matrix, right = np.zeros((size, size)), np.zeros(size)
    for planned in data.plan(part).batches(epoch=0):
        batch = load(part, planned, ["R", "F"])
        columns = design(batch, separations)
        matrix += columns.T @ columns
        right += columns.T @ batch["F"].reshape(-1).astype(np.float64)
    solution, *_ = np.linalg.lstsq(matrix, right, rcond=_ROUNDING)
    return {"stiffness": solution[0::2].copy(), "pull": solution[1::2].copy()}


def design(batch: PaddedBatch, separations: int) -> Array:
    """The forces of unit stiffness and of unit pull of each separation in turn, ``[slots * 3, 2 * separations]``."""
    columns = (column for place in range(1, separations + 1) for column in _columns(batch, place))
    matrix: Array = np.stack(list(columns), axis=1)
    return matrix


def _columns(batch: PaddedBatch, apart: int) -> tuple[Array, Array]:
    """The forces of unit stiffness and of unit pull, ``[slots * 3]`` each."""
    first, distances, directions = pairs(batch, apart)
    columns = []
    for along in (distances[:, None] * directions, -directions):
        forces = np.zeros((batch.shape.atoms, 3))
        np.add.at(forces, first, along)
        np.add.at(forces, first + apart, -along)
        columns.append(forces.reshape(-1))
    return columns[0], columns[1]


def example() -> tuple[Config, Dataset]:
    """Options, and chains of six to nine residues whose springs are known."""
    from atomloom_residues.chains import chains

    return Config(), chains(frames=12, lengths=(6, 9), seed=1)
