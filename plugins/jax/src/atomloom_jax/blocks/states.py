"""Electronic states: the charge and the multiplicity 2S+1 of each frame, and which of them a model was trained for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from atomloom.errors import ConfigError, DataError

_WHOLE = 1e-3  # how far a whole number may be off
_NAMED = 5


class States(NamedTuple):
    """Of each frame ``[frames]``.

    Args:
        charges: in e.
        multiplicities: 2S+1, one more than the number of unpaired electrons.
    """

    charges: jax.Array
    multiplicities: jax.Array

    @classmethod
    def of(cls, batch: Any) -> States:
        """Those of a `PaddedBatch` with ``total_charge`` and ``total_spin``."""
        return cls(jnp.asarray(batch["total_charge"]), jnp.asarray(batch["total_spin"]))


@dataclass(frozen=True)
class StateRange:
    """The charges and multiplicities that a model knows, both ends included.

    Args:
        charges: least and largest total charge, in e.
        multiplicities: least and largest 2S+1.

    >>> known = StateRange(charges=(-1, 1), multiplicities=(1, 3))
    >>> known.check([0.0, 1.0], [1, 2])
    >>> known.check([0.0, 2.0], [1, 1])
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot predict for these states: frame 1 has a total charge of 2, and the model was \
trained for -1 to 1. Train with a wider range, or leave these frames out.
    """

    charges: tuple[int, int] = (-2, 2)
    multiplicities: tuple[int, int] = (1, 5)

    def __post_init__(self) -> None:
        for name, (low, high) in (("charges", self.charges), ("multiplicities", self.multiplicities)):
            if low > high:
                found = f"the range of {name} goes from {low} to {high}"
                raise ConfigError("set up electronic states", found, "Give the least one first")
        if self.multiplicities[0] < 1:
            found = f"the least multiplicity is {self.multiplicities[0]}"
            raise ConfigError("set up electronic states", found, "Count 2S+1, which is 1 for no unpaired electron")

    def check(self, charges: ArrayLike, multiplicities: ArrayLike, mask: ArrayLike | None = None) -> None:
        """Stops at states that the model does not know, on the host; nothing is ever moved into the range.

        Args:
            charges, multiplicities: of each frame ``[frames]``.
            mask: which frames are real ``[frames]``.
        """
        real = np.ones(np.shape(charges), bool) if mask is None else np.asarray(mask)
        _check("total charge", np.asarray(charges), self.charges, real)
        _check("multiplicity 2S+1", np.asarray(multiplicities), self.multiplicities, real)


def table_index(values: jax.Array, bounds: tuple[int, int], mask: jax.Array) -> jax.Array:
    """The row of each value in a table from the first to the last bound; -1 for what is none, 0 where masked.

    >>> table_index(jnp.array([-1.0, 0.0, 0.5, 3.0, 7.0]), (-1, 2), jnp.array([True, True, True, True, False])).tolist()
    [0, 1, -1, -1, 0]
    """
    low, high = bounds
    whole = jnp.rint(values)
    known = (jnp.abs(values - whole) < _WHOLE) & (whole >= low) & (whole <= high)
    return jnp.where(mask, jnp.where(known, whole - low, -1), 0).astype(jnp.int32)


def _check(what: str, values: np.ndarray, bounds: tuple[int, int], real: np.ndarray) -> None:
    low, high = bounds
    whole = np.rint(values)
    for wrong, found in (
        (~(np.abs(values - whole) < _WHOLE), "which is no whole number"),
        ((whole < low) | (whole > high), f"and the model was trained for {low} to {high}"),
    ):
        frames = np.flatnonzero(wrong & real)
        if frames.size:
            more = f" ({frames.size} frames are like it)" if frames.size > 1 else ""
            first = f"frame {int(frames[0])} has a {what} of {float(values[frames[0]]):g}, {found}{more}"
            raise DataError("predict for these states", first, "Train with a wider range, or leave these frames out")
