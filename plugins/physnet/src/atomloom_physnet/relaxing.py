"""Energies of states that are relaxed each for itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.optimize import BFGS

from atomloom.errors import RunFailed
from atomloom.pipeline import Fitted
from atomloom_physnet.calculator import PhysNetCalculator
from atomloom_physnet.gaps import Floats, State, Structure

FORCE = 0.01
"""At which an atom rests, in eV/angstrom."""

STEPS = 500
_LONGEST = 0.1  # angstrom


def adiabatic(fitted: Fitted, structure: Structure, states: Sequence[State], level: str | None = None) -> Floats:
    """The energies of states at their own minima near a geometry, in eV ``[states]``.

    Raises:
        RunFailed: when one has no minimum within `STEPS` steps.
    """
    return np.array([_relaxed(fitted, structure, state, level) for state in states])


def _relaxed(fitted: Fitted, structure: Structure, state: State, level: str | None) -> float:
    atoms = Atoms(structure.numbers, structure.positions)
    atoms.calc = PhysNetCalculator(fitted, *state, level=level)
    if not BFGS(atoms, logfile=None, maxstep=_LONGEST).run(fmax=FORCE, steps=STEPS):
        asked = f"relax the state of charge {state[0]} and multiplicity {state[1]}"
        found = f"forces are still above {FORCE:g} eV/angstrom after {STEPS} steps"
        raise RunFailed(asked, found, "Start from a geometry nearer to its minimum, or leave --relax out")
    return float(atoms.get_potential_energy())
