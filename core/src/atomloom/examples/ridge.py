"""A whole model in numpy: ridge regression of the energy on Coulomb-matrix spectra.

The Coulomb matrix of a molecule has Z_i Z_j / abs(R_i - R_j) off its diagonal and Z_i^2.4 / 2 on it; its eigenvalues,
sorted, do not change when the molecule is moved, turned or relabelled (Rupp et al. 2012). The energy is a polynomial of
second degree in them, fitted by conjugate gradients on the normal equations, one iteration an epoch.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from atomloom.batching import PaddedBatch, load
from atomloom.data import Dataset
from atomloom.model import Array, FitData, Model, Schema, WeightedLoss
from atomloom.runs import Run

State = dict[str, Array]

_ROUNDING = 1e-12


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of the ridge model."""

    ridge: Annotated[float, msgspec.Meta(ge=0, description="Strength of the regularisation.")] = 1e-8


class Ridge(Model[State]):
    """E = w0 + w . x + x . W . x of the standardised spectrum x."""

    def init(self, schema: Schema, config: Config, seed: int) -> State:
        """Zero weights; the state of the solver is part of the model, so that a resumed fit goes on exactly."""
        size = schema.atoms * (schema.atoms + 3) // 2 + 1
        zeros = {name: np.zeros(size) for name in ("weights", "residual", "direction")}
        scales = {"mean": np.zeros(schema.atoms), "scale": np.ones(schema.atoms)}
        return {**zeros, **scales, "ridge": np.array(config.ridge), "offset": np.array(0.0)}

    def predict(self, state: State, batch: PaddedBatch) -> dict[str, Array]:
        """The energy of every frame."""
        features = polynomial((spectra(batch, len(state["mean"])) - state["mean"]) / state["scale"])
        return {"E": features @ state["weights"] + state["offset"]}

    def fit(self, state: State, data: FitData, losses: tuple[WeightedLoss, ...], run: Run) -> State:
        """One conjugate-gradient step an epoch; see Golub & Van Loan, Matrix Computations, section 11.3."""
        x, energies = collect(data, data.train, len(state["mean"]))
        x_valid, energies_valid = collect(data, data.valid, len(state["mean"]))
        state |= {"mean": x.mean(axis=0), "scale": spread(x), "offset": np.array(energies.mean())}
        features, valid = (polynomial((rows - state["mean"]) / state["scale"]) for rows in (x, x_valid))
        matrix = features.T @ features / len(x) + state["ridge"] * np.eye(features.shape[1])
        state["residual"] = features.T @ (energies - state["offset"]) / len(x)
        state["direction"] = state["residual"].copy()
        if checkpoint := run.latest():
            state = dict(checkpoint.leaves)
        training = run.config["training"]
        for epoch in run.epochs(training["num_epochs"], training["save_every_n_epochs"], training["keep_last"]):
            state = conjugate_gradient_step(matrix, state)
            errors = {
                "train": features @ state["weights"] + state["offset"] - energies,
                "valid": valid @ state["weights"] + state["offset"] - energies_valid,
            }
            epoch.log({f"{part}/loss": float(np.mean(e**2)) for part, e in errors.items() if len(e)})
            epoch.log({f"{part}/energy/mae": float(np.mean(np.abs(e))) for part, e in errors.items() if len(e)})
            watched = errors["valid"] if len(errors["valid"]) else errors["train"]
            epoch.save(state, {}, float(np.mean(watched**2)))
        return state


def conjugate_gradient_step(matrix: Array, state: State) -> State:
    """One step towards the solution of ``matrix @ weights = b``; at the solution nothing changes any more."""
    residual, direction = state["residual"], state["direction"]
    before = residual @ residual
    curvature = direction @ matrix @ direction
    if before == 0.0 or curvature <= 0.0:
        return state
    length = before / curvature
    left = residual - length * (matrix @ direction)
    return {
        **state,
        "weights": state["weights"] + length * direction,
        "residual": left,
        "direction": left + (left @ left / before) * direction,
    }


def collect(data: FitData, part: Dataset, size: int) -> tuple[Array, Array]:
    """Spectra ``[frames, size]`` and energies ``[frames]`` of a whole part, in batches as the experiment has them."""
    x, energies = [np.zeros((0, size))], [np.zeros(0)]
    for planned in data.plan(part).batches(epoch=0) if len(part) else ():
        batch = load(part, planned, ["Z", "R", "E"])
        x.append(spectra(batch, size)[batch["frame_mask"]])
        energies.append(batch["E"][batch["frame_mask"]])
    return np.concatenate(x), np.concatenate(energies)


def spectra(batch: PaddedBatch, size: int) -> Array:
    """Eigenvalues of the Coulomb matrices, the largest first, filled up with zeros: ``[frames, size]``."""
    numbers, positions = batch.dense("Z", size).astype(np.float64), batch.dense("R", size).astype(np.float64)
    distances = np.linalg.norm(positions[:, :, None] - positions[:, None], axis=-1)
    charges = numbers[:, :, None] * numbers[:, None]
    matrices = np.where(np.eye(size, dtype=bool), 0.5 * np.sqrt(charges) ** 2.4, 0.0)
    np.divide(charges, distances, out=matrices, where=distances > 0)
    ordered: Array = np.sort(np.linalg.eigvalsh(matrices), axis=-1)[:, ::-1]
    return ordered


def spread(x: Array) -> Array:
    """Standard deviations of the columns, 1 where a column does not vary beyond rounding."""
    deviation = x.std(axis=0)
    return np.where(deviation > _ROUNDING * np.abs(x).max(axis=0, initial=1.0), deviation, 1.0)


def polynomial(x: Array) -> Array:
    """1, every x_i and every product x_i x_j: ``[frames, n (n + 3) / 2 + 1]``."""
    first, second = np.triu_indices(x.shape[1])
    return np.concatenate([np.ones((len(x), 1)), x, x[:, first] * x[:, second]], axis=1)
