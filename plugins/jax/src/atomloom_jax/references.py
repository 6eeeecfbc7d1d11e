"""`ReferencedModel`: a model that learns what is left of an energy once that of every atom's element is taken off."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from atomloom.batching import PaddedBatch
from atomloom.data import ElementEnergies
from atomloom.model import FitData
from atomloom_jax.model import JaxModel

ELEMENTS: Final = 119
"""Rows of a table by atomic number: one more than the largest, since 0 is padding."""

REFERENCES: Final = "references"
"""The leaf of the state that holds the energies, in eV."""


def no_references() -> NDArray[np.float64]:
    """What `init` puts under ``"references"``: energies of the elements before they are fitted."""
    return np.zeros(ELEMENTS)


class ReferencedModel(JaxModel[dict[str, Any]]):
    """A model whose state is a dict with ``"references": no_references()`` among its leaves.

    Before the training they are fitted to the frames that are trained on; they stay in double precision, are not
    trained, and are added to E on the host. `predict` gives what they leave, and knows nothing of them.
    """

    def prepare(self, state: dict[str, Any], data: FitData) -> dict[str, Any]:
        """The state with the energies fitted, where the data have energies."""
        if "E" not in data.train:
            return state
        fitted = no_references()
        for number, energy in ElementEnergies.fit(data.train).values.items():
            fitted[number] = energy
        return {**state, REFERENCES: fitted}

    def offsets(self, state: dict[str, Any], batch: PaddedBatch) -> dict[str, NDArray[Any]]:
        """The energies of the elements, added up for each frame."""
        own = np.where(batch["atom_mask"], np.asarray(state[REFERENCES])[batch["Z"]], 0.0)
        return {"E": np.bincount(batch["batch_segments"], own, batch.shape.frames)}

    def constants(self, state: dict[str, Any]) -> frozenset[str]:
        """What is not trained; a model that has more of it adds to these."""
        return frozenset({REFERENCES})
