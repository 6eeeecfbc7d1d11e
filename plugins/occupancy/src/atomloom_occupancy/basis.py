"""The linear basis of a refinement: F_fixed and F_g of every state, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom.progress import track
from atomloom_occupancy.states import Network
from atomloom_occupancy.structure import occupancies_of
from atomloom_occupancy.structure_factors import Calculator
from atomloom_occupancy.transform import Complex


@dataclass(frozen=True)
class Basis:
    """F_calc(q) = fixed + q states.

    Args:
        fixed: (reflections,) F of the atoms that are in no state, with the occupancies of the file.
        states: (states, reflections) F of each state at occupancy one.
    """

    fixed: Complex
    states: Complex

    def calculated(self, occupancy: Array) -> Complex:
        """(reflections,) F_calc for these occupancies of the states."""
        return np.asarray(self.fixed + occupancy @ self.states)


def build_basis(structure: gemmi.Structure, network: Network, hkl: Array) -> Basis:
    """The basis of the states of a model at these reflections."""
    calculator = Calculator(structure, hkl)
    occupancy = network.spread(occupancies_of(structure), np.zeros(len(network.states)))
    fixed = calculator.of_atoms(range(len(occupancy)), occupancy)
    states = np.zeros((len(network.states), len(hkl)), dtype=np.complex128)
    for row, state in enumerate(track(network.states, total=len(network.states), label="structure factors")):
        states[row] = calculator.of_atoms(state.atoms, np.ones(len(state.atoms)))
    return Basis(fixed, states)
