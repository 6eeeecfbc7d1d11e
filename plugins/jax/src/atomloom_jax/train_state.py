"""All that an update changes: parameters, their average, the optimiser, and how far the training is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from atomloom.model import Model, State
from atomloom_jax.averaging import start
from atomloom_jax.model import JaxModel
from atomloom_jax.optimisers import optimiser
from atomloom_jax.options import Training


class TrainState(NamedTuple):
    """What is carried from update to update, on the devices.

    Args:
        parameters: by name.
        optimiser: the state of the optimiser.
        average: of the parameters, or None.
        updates: how many there were.
        scale: of the learning rate, which a plateau lowers.
        good: False from the first update on whose loss or gradient was not finite; nothing changes any more then.
    """

    parameters: dict[str, Any]
    optimiser: Any
    average: optax.EmaState | None
    updates: Any
    scale: Any
    good: Any

    @classmethod
    def fresh(cls, parameters: Mapping[str, Any], training: Training) -> TrainState:
        """Before the first update."""
        own = {name: jnp.array(leaf) for name, leaf in parameters.items()}
        return cls(
            own,
            optimiser(training, training.learning_rate).init(own),
            start(own) if training.use_ema else None,
            updates=jnp.zeros((), jnp.int32),
            scale=jnp.ones(()),
            good=jnp.ones((), bool),
        )

    @property
    def result(self) -> dict[str, Any]:
        """The parameters to validate and to predict with: their average where there is one."""
        return dict(self.parameters if self.average is None else self.average.ema)


class Leaves(NamedTuple):
    """The arrays of a model, divided into what is trained and what is not."""

    parameters: dict[str, np.ndarray]
    constants: dict[str, np.ndarray]

    @classmethod
    def of(cls, model: Model[State], state: State) -> Leaves:
        """Floating arrays are trained, unless the model says that they are constant."""
        fixed = model.constants(state) if isinstance(model, JaxModel) else frozenset()
        leaves = {name: np.asarray(leaf) for name, leaf in model.leaves(state).items()}
        trained = {name for name, leaf in leaves.items() if jnp.issubdtype(leaf.dtype, jnp.floating)} - fixed
        return cls(
            {name: leaf for name, leaf in leaves.items() if name in trained},
            {name: leaf for name, leaf in leaves.items() if name not in trained},
        )

    def trained_in(self, precision: str) -> Leaves:
        """The same with what is trained in ``"float32"`` or ``"float64"``, whatever it was made in."""
        return Leaves({name: leaf.astype(precision) for name, leaf in self.parameters.items()}, self.constants)


def count(parameters: Mapping[str, Any]) -> int:
    """How many numbers are trained."""
    return sum(int(np.size(leaf)) for leaf in jax.tree.leaves(dict(parameters)))
