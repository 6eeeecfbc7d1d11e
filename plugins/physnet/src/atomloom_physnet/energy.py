"""A fitted potential as a pure function of positions, for integrators and samplers of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from atomloom.data.levels import INDEX
from atomloom.pipeline import Fitted
from atomloom_jax import reference_energies
from atomloom_physnet.model import check_seen, computed, level_number
from atomloom_physnet.states import check_electrons_of

EnergyFunction = Callable[[jax.Array, Mapping[str, Any]], jax.Array]


def energy_fn(
    fitted: Fitted, numbers: NDArray[Any], charge: int, spin: int, level: str | None = None
) -> EnergyFunction:
    """``energy(R, neighbours)`` in eV for a molecule in one state: to be compiled, differentiated and mapped over.

    R is ``[atoms, 3]`` in angstrom, and `neighbours` what `Neighbours.arrays` gives, or any mapping with ``dst_idx``,
    ``src_idx``, ``pair_mask`` and in cells ``pair_shift``. The energies of the elements are left out: no dynamics
    depend on them, and single precision would lose digits to them. `reference` gives their sum.

    Args:
        numbers: atomic numbers ``[atoms]``.
        charge: in e.
        spin: 2S+1.
        level: of theory, where the model was trained on several.

    Raises:
        DataError: for a level that is missing or unknown, for elements and states that the model has not seen, and for
            a state that the molecule cannot have.

    ::

        energy = energy_fn(Fitted.load(run), numbers, charge=0, spin=1)
        force = jax.jit(lambda R, neighbours: -jax.grad(energy)(R, neighbours))
    """
    whole = {
        "Z": np.asarray(numbers),
        "total_charge": np.array([float(charge)]),
        "total_spin": np.array([spin]),
        "batch_segments": np.zeros(len(numbers), np.int32),
        INDEX: np.array([level_number(fitted.state, level)]),
    }
    check_electrons_of(whole["Z"], charge, spin)
    check_seen(fitted.state, {**whole, "frame_mask": np.array([True])})

    def energy(positions: jax.Array, neighbours: Mapping[str, Any]) -> jax.Array:
        own = {**whole, "total_charge": jnp.asarray(whole["total_charge"], positions.dtype)}
        found = computed(fitted.state, {**own, "R": positions, **neighbours}, predict_forces=False)
        return found["energy"][0]

    return energy


def reference(fitted: Fitted, numbers: NDArray[Any], level: str | None = None) -> float:
    """The sum of the energies of the elements, in eV: what `energy_fn` leaves out."""
    return float(reference_energies(fitted.state, numbers, level_number(fitted.state, level)).sum())
