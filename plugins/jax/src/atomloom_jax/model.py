"""`JaxModel`: what the engine trains, of which `init` and `predict` have to be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import numpy as np

from atomloom.batching import PaddedBatch
from atomloom.data import Dataset
from atomloom.model import Array, FitData, Model
from atomloom_jax.device_batch import DeviceBatch
from atomloom_jax.named import named, with_named

State = TypeVar("State")
Inputs = PaddedBatch | DeviceBatch


class JaxModel(Model[State]):
    """A model whose state is any tree of arrays, and whose `predict` JAX can trace.

    `predict` gets a `DeviceBatch`: flat arrays with masks, in the precision of the training, and the slots of the batch
    as `batch.shape`. It must give finite values and gradients for padding too. Forces are a gradient within `predict`.
    """

    def prepare(self, state: State, data: FitData) -> State:
        """The state with what can be had from the data beforehand (references, scales); called once, before a run."""
        return state

    def adapt(self, state: State, data: FitData, predicted: Callable[[], Dataset]) -> State:
        """The state with what has to be had anew from the data, where a training starts from another's parameters.

        Args:
            state: with these parameters, after `prepare`.
            predicted: gives what `predict` says with them of the frames to train on, without `offsets`; takes a while.
        """
        return state

    def prepared(self, state: State) -> frozenset[str]:
        """Names of constant leaves that `prepare` makes of the data; they are not taken over from another training."""
        return frozenset()

    def constants(self, state: State) -> frozenset[str]:
        """Names of floating leaves that are not trained; whole numbers never are."""
        return frozenset()

    def predict_with_noise(self, state: State, batch: Inputs, key: jax.Array) -> Mapping[str, Any]:
        """`predict` while training, for models with dropout or noise; `key` differs for each update and batch."""
        return self.predict(state, batch)  # type: ignore[arg-type]  # implementations take both kinds of batches

    def offsets(self, state: State, batch: PaddedBatch) -> Mapping[str, Array]:
        """What is added to predictions in float64 on the host, such as the energies of free atoms.

        The model is trained to what is left: an energy of -4e5 eV is kept to 0.03 eV only in float32.
        """
        return {}

    def leaves(self, state: State) -> dict[str, Array]:
        """The arrays of the state by their path in the tree, joined by slashes."""
        return {name: np.asarray(leaf) for name, leaf in named(state).items()}

    def with_leaves(self, state: State, leaves: Mapping[str, Array]) -> State:
        """The state with its arrays exchanged; stops at names or shapes that are not its own."""
        return with_named(state, leaves, f"load the parameters of {type(self).__name__}")
