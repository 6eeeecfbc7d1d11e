"""The energy of molecules whose charges are fixed in the axes of their atoms, and the forces on the atoms.

Charges of one molecule do not act on each other. Forces on charges reach the atoms through the places of the charges,
so they are what the energy changes by when an atom moves and its axes turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from atomloom_dcmnet.linear import Array
from atomloom_dcmnet.local_frames import LocalModel
from atomloom_jax.blocks import COULOMB
from atomloom_jax.precision import precise


class Interaction(NamedTuple):
    """Energy in eV, and the forces on the atoms of each molecule in eV/angstrom ``[atoms, 3]``."""

    energy: float
    forces: tuple[Array, ...]


def interaction(models: Sequence[LocalModel], positions: Sequence[Array]) -> Interaction:
    """k times the sum of q q' / r over the charges of different molecules, with its gradient, in double precision.

    Args:
        models: of each molecule.
        positions: of their atoms, in angstrom ``[atoms, 3]`` each.
    """

    def energy(places: tuple[jax.Array, ...]) -> jax.Array:
        sites = [model.places(own, jnp) for model, own in zip(models, places, strict=True)]
        total = jnp.zeros(())
        for one, other in combinations(range(len(models)), 2):
            apart = jnp.linalg.norm(sites[one][:, None] - sites[other], axis=2)
            total += COULOMB * jnp.sum(models[one].charges[:, None] * models[other].charges / apart)
        return total

    with precise("float64"):
        given = tuple(jnp.asarray(own, jnp.float64) for own in positions)
        value, slopes = jax.jit(jax.value_and_grad(energy))(given)
    return Interaction(float(value), tuple(-np.asarray(slope) for slope in slopes))
