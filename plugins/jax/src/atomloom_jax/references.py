"""`ReferencedModel`: a model that learns what is left of an energy once that of every atom's element is taken off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from atomloom.batching import PaddedBatch
from atomloom.data import Dataset, ElementEnergies, PerFrame
from atomloom.data.levels import INDEX
from atomloom.elements import symbol
from atomloom.errors import DataError
from atomloom.model import FitData
from atomloom_jax.model import JaxModel

ELEMENTS: Final = 119
"""Rows of a table by atomic number: one more than the largest, since 0 is padding."""

REFERENCES: Final = "references"
"""The leaf of the state that holds the energies, in eV."""


def no_references(levels: int = 1) -> NDArray[np.float64]:
    """What `init` puts under ``"references"``: energies of the elements before they are fitted ``[levels, elements]``.

    Args:
        levels: of theory, each of which has energies of its own; `Schema.levels` names them.
    """
    return np.zeros((max(levels, 1), ELEMENTS))


def reference_energies(state: Mapping[str, Any], numbers: NDArray[Any], level: int = 0) -> NDArray[np.float64]:
    """The energy of each atom's element in eV ``[atoms]``, at one level of theory."""
    energies: NDArray[np.float64] = np.asarray(state[REFERENCES])[level, np.asarray(numbers)]
    _check_there(energies, np.asarray(numbers))
    return energies


class ReferencedModel(JaxModel[dict[str, Any]]):
    """A model whose state is a dict with ``"references": no_references(len(schema.levels))`` among its leaves.

    Before the training they are fitted to the frames that are trained on, at each level of theory to its own; where a
    training starts from the parameters of another, they are fitted to what these leave of the energies. They stay in
    double precision, are not trained, and are added to E on the host. `predict` gives what they leave, and knows
    nothing of them.
    """

    def prepare(self, state: dict[str, Any], data: FitData) -> dict[str, Any]:
        """The state with the energies fitted, where the data have energies."""
        return _fitted(state, data.train) if "E" in data.train else state

    def adapt(self, state: dict[str, Any], data: FitData, predicted: Callable[[], Dataset]) -> dict[str, Any]:
        """The state with the energies fitted to what the network that was loaded leaves of those in the data."""
        if "E" not in data.train:
            return state
        left = PerFrame(data.train["E"].astype(np.float64) - predicted()["E"])
        return _fitted(state, data.train.with_columns({"E": left}, {"E": data.train.fields["E"]}))

    def offsets(self, state: dict[str, Any], batch: PaddedBatch) -> dict[str, NDArray[Any]]:
        """The energies of the elements, added up for each frame."""
        segments = batch["batch_segments"]
        level = batch[INDEX][segments] if INDEX in batch else 0
        own = np.where(batch["atom_mask"], np.asarray(state[REFERENCES])[level, batch["Z"]], 0.0)
        _check_there(own, batch["Z"])
        return {"E": np.bincount(segments, own, batch.shape.frames)}

    def constants(self, state: dict[str, Any]) -> frozenset[str]:
        """What is not trained; a model that has more of it adds to these."""
        return frozenset({REFERENCES})

    def prepared(self, state: dict[str, Any]) -> frozenset[str]:
        """What follows from the data alone; a model that has more of it adds to these."""
        return frozenset({REFERENCES})


def _check_there(energies: NDArray[np.float64], numbers: NDArray[Any]) -> None:
    """Stops at elements that one of several levels of theory has no energy of."""
    missing = np.unique(numbers[np.isnan(energies)])
    if missing.size:
        named = ", ".join(symbol(number) for number in missing.tolist())
        found = f"there are atoms of {named}, and none in the frames of this level that the model was fitted to"
        raise DataError("predict energies at this level of theory", found, "Name another level, or fit to such frames")


def _fitted(state: dict[str, Any], train: Dataset) -> dict[str, Any]:
    """The state with energies of the elements fitted to those of the frames, level by level."""
    fitted = np.full_like(state[REFERENCES], np.nan if len(state[REFERENCES]) > 1 else 0.0)
    levels = train[INDEX] if INDEX in train else np.zeros(len(train), np.int64)
    for level in np.unique(levels).tolist():
        for number, energy in ElementEnergies.fit(train, np.flatnonzero(levels == level)).values.items():
            fitted[level, number] = energy
    return {**state, REFERENCES: fitted}
