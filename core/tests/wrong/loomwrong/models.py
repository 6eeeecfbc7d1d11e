"""A model that keeps all promises, and for each promise one that breaks it alone."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

import atomloom
from atomloom.testing.examples import charged_molecules

Values = dict[str, Any]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No options."""


def example() -> tuple[Config, atomloom.Dataset]:
    """Neutral molecules."""
    return Config(), charged_molecules()


class Right(atomloom.Model[Values]):
    """E = 1/2 sum over pairs of w exp(-r), its forces, and charges that add up."""

    def init(self, schema: Any, config: Any, seed: int) -> Values:
        """One weight."""
        return {"weight": np.array(1.0 + seed), "bias": np.array(0.5)}

    def predict(self, state: Values, batch: atomloom.PaddedBatch) -> Values:
        """What it says, and what a subclass makes of it."""
        return self.spoilt(self.rightly(state, batch), batch)

    def rightly(self, state: Values, batch: atomloom.PaddedBatch) -> Values:
        """E, F and mono."""
        first, second, real = batch["dst_idx"], batch["src_idx"], self.real(batch)
        apart = batch["R"][second] - batch["R"][first]
        length = np.sqrt((apart**2).sum(axis=1))
        value = np.where(real, state["weight"] * np.exp(-length), 0.0)
        energies = self.per_frame(0.5 * value, batch, first) + state["bias"] * self.per_frame(batch["atom_mask"], batch)
        pull = -value[:, None] * apart / np.maximum(length, 1e-9)[:, None]
        forces = np.stack([np.bincount(first, pull[:, axis], len(batch["R"])) for axis in range(3)], axis=1)
        return {"E": energies, "F": forces, "mono": self.charges(batch)}

    def real(self, batch: atomloom.PaddedBatch) -> np.ndarray:
        """Which pairs are none of padding."""
        return batch["pair_mask"]

    def charges(self, batch: atomloom.PaddedBatch) -> np.ndarray:
        """The total charge, in equal parts."""
        atoms = np.maximum(self.per_frame(batch["atom_mask"], batch), 1.0)
        return (batch["total_charge"] / atoms)[batch["batch_segments"]] * batch["atom_mask"]

    def per_frame(self, values: Any, batch: atomloom.PaddedBatch, rows: Any = slice(None)) -> np.ndarray:
        """Sums over frames of values of atoms, or of pairs whose first atoms are `rows`."""
        return np.bincount(batch["batch_segments"][rows], values, len(batch["frame_mask"]))

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """Nothing."""
        return values

    def fit(self, state: Values, data: Any, losses: Any, run: atomloom.Run) -> Values:
        """Epochs in which nothing is learnt."""
        for epoch in run.epochs(run.config["training"]["num_epochs"]):
            epoch.log({"train/loss": 0.0})
            epoch.save(self.leaves(state), {}, 0.0)
        return state


def per_atom(values: Values, batch: atomloom.PaddedBatch, term: np.ndarray) -> Values:
    """The values with a term of each atom added to the energies."""
    term = np.where(batch["atom_mask"], term, 0.0)
    return {**values, "E": values["E"] + np.bincount(batch["batch_segments"], term, len(values["E"]))}


class Permutation(Right):
    """Atoms count by their place in the frame."""

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """Adds that."""
        owners = batch["batch_segments"]
        rank = np.arange(len(owners)) - np.searchsorted(owners, owners)
        return per_atom(values, batch, rank * batch["Z"])


class Translation(Right):
    """Bound to the origin, the same in all directions."""

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """Adds that."""
        return per_atom(values, batch, (batch["R"] ** 2).sum(axis=1))


class Rotation(Right):
    """Pairs that lie along x count for more."""

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """Adds that."""
        apart = (batch["R"][batch["src_idx"], 0] - batch["R"][batch["dst_idx"], 0]) ** 2
        extra = self.per_frame(np.where(batch["pair_mask"], apart, 0.0), batch, batch["dst_idx"])
        return {**values, "E": values["E"] + extra}


class Reflection(Right):
    """Knows left from right: the triple product of three sums over each frame."""

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """Adds that."""
        extra = np.zeros_like(values["E"])
        for frame in range(len(extra)):
            mine = batch["atom_mask"] & (batch["batch_segments"] == frame)
            centred = batch["R"][mine] - batch["R"][mine].mean(axis=0) if mine.any() else np.zeros((1, 3))
            size = np.linalg.norm(centred, axis=1)[:, None]
            extra[frame] = np.linalg.det(np.stack([(size**power * centred).sum(axis=0) for power in (1, 2, 3)]))
        return {**values, "E": values["E"] + extra}


class Padding(Right):
    """Counts the pairs of padding, which all are of an atom with itself."""

    def real(self, batch: atomloom.PaddedBatch) -> np.ndarray:
        """All of them."""
        return np.ones_like(batch["pair_mask"])


class Batch(Right):
    """Takes the mean over the batch away, as a normalisation would."""

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """Takes it."""
        return {**values, "E": values["E"] - values["E"][batch["frame_mask"]].mean()}


class Conservative(Right):
    """The gradient in place of the forces."""

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """The wrong sign."""
        return {**values, "F": -values["F"]}


class Charge(Right):
    """Charges that forget the total charge."""

    def charges(self, batch: atomloom.PaddedBatch) -> np.ndarray:
        """One thing or another."""
        return 0.1 * batch["Z"].astype(float)


class SizeConsistent(Right):
    """The square of an energy."""

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """That."""
        return {**values, "E": values["E"] ** 2}


class Predicts(Right):
    """Gives what it did not say."""

    def spoilt(self, values: Values, batch: atomloom.PaddedBatch) -> Values:
        """More."""
        return {**values, "D": np.zeros((len(values["E"]), 3))}


class Repeatable(Right):
    """Never twice the same."""

    random = np.random.default_rng()

    def init(self, schema: Any, config: Any, seed: int) -> Values:
        """A state of its own choice."""
        return {"weight": self.random.normal(size=()), "bias": np.array(0.5)}


class Saved(Right):
    """Leaves out half of its state."""

    def init(self, schema: Any, config: Any, seed: int) -> Values:
        """Two weights."""
        return {"weight": np.array(1.0 + seed), "bias": np.array(0.5 + seed)}

    def leaves(self, state: Values) -> Values:
        """One of them."""
        return {"weight": state["weight"]}

    def with_leaves(self, state: Values, leaves: Any) -> Values:
        """The other stays."""
        return {**state, **leaves}


class Fits(Right):
    """Diverges."""

    def fit(self, state: Values, data: Any, losses: Any, run: atomloom.Run) -> Values:
        """Until nothing is finite."""
        return super().fit({**state, "weight": np.array(np.nan)}, data, losses, run)
