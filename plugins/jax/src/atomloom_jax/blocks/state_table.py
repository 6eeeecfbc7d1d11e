"""Conditioning on charge and multiplicity by learnable tables."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom_jax.blocks.dense import dense
from atomloom_jax.blocks.elements import row
from atomloom_jax.blocks.segments import Frames
from atomloom_jax.blocks.states import StateRange, States, table_index


class StateTable(nn.Module):
    """x_i (1 + a) + b for every atom i, where a and b are linear in the rows [c_Q, c_M] of two tables.

    All is worked out once for each frame, so it costs next to nothing. The same is done to every atom, however many
    there are and however far apart: two fragments that are far apart do not have the energies that they have alone,
    unless both are of this charge and multiplicity. A state without a row gives NaN; `StateRange.check` tells
    beforehand.

    Attributes:
        features: of each atom.
        known: the states that have a row.
        charge_features, spin_features: of each row.

    >>> frames = Frames(jnp.array([0, 1]), jnp.array([True, True]), jnp.array([True, True]))
    >>> table = StateTable(features=4, known=StateRange((-1, 1), (1, 2)))
    >>> states = States(jnp.array([0.0, 2.0]), jnp.array([1, 1]))
    >>> x, _ = table.init_with_output(jax.random.key(0), jnp.ones((2, 4)), states, frames)
    >>> jnp.isnan(x).any(axis=1).tolist()
    [False, True]
    """

    features: int
    known: StateRange = StateRange()
    charge_features: int = 16
    spin_features: int = 16

    @nn.compact
    def __call__(self, x: jax.Array, states: States, frames: Frames) -> jax.Array:
        """Features ``[atoms, features]`` that know the state of their frame."""
        charge = self._row("charge", states.charges, self.known.charges, self.charge_features, frames)
        spin = self._row("spin", states.multiplicities, self.known.multiplicities, self.spin_features, frames)
        both = dense(2 * self.features, name="both")(jnp.concatenate([charge, spin], axis=-1))
        scale, shift = jnp.split(frames.spread(both), 2, axis=-1)
        return x * (1 + scale) + shift

    def _row(self, name: str, values: jax.Array, bounds: tuple[int, int], features: int, frames: Frames) -> jax.Array:
        shape = (bounds[1] - bounds[0] + 1, features)
        table = self.param(name, nn.initializers.normal(1.0), shape, jnp.result_type(float))
        return row(table, table_index(values, bounds, frames.frame_mask))
