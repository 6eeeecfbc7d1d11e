"""States: groups of atoms with one occupancy each, and which of them share a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from atomloom.data.columns import Array
from atomloom.errors import ConfigError
from atomloom_occupancy.standard_form import Ratio, StandardForm, Together, standard_form


@dataclass(frozen=True)
class State:
    """Atoms that are there together.

    Args:
        name: for people.
        atoms: their numbers in the file, from 0.
        start: the occupancy in the file.
        cap: the highest it may have.
    """

    name: str
    atoms: tuple[int, ...]
    start: float
    cap: float = 1.0


class Expected(NamedTuple):
    """What is known about a state beforehand: weight * (q - value)^2 is added to the target."""

    state: int
    value: float
    weight: float


@dataclass(frozen=True)
class Network:
    """All states of a refinement with the sets that they form.

    Args:
        states: no two share an atom.
        sets: which of them share a site.
        notes: what was decided on the way, in sentences.
        ratios: of the occupancies of two states each.
        expected: what states are restrained to.
    """

    states: tuple[State, ...]
    sets: tuple[Together, ...]
    notes: tuple[str, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    expected: tuple[Expected, ...] = ()

    def __post_init__(self) -> None:
        """Refuse states that overlap."""
        owner: dict[int, str] = {}
        for state in self.states:
            for atom in state.atoms:
                if atom in owner:
                    found = f"atom number {atom + 1} of the file is in {owner[atom]!r} and {state.name!r}"
                    raise ConfigError("use these groups", found, "Put every atom into one state at most")
                owner[atom] = state.name

    @property
    def form(self) -> StandardForm:
        """The constraints as A p = b, p >= 0."""
        return standard_form(np.array([state.cap for state in self.states]), self.sets, self.ratios)

    @property
    def start(self) -> Array:
        """(states,) the occupancies in the file."""
        return np.array([state.start for state in self.states])

    def spread(self, occupancy: Array, values: Array) -> Array:
        """(atoms,) the occupancies of a file with those of the states put in."""
        out = np.array(occupancy, dtype=np.float64)
        for state, value in zip(self.states, values, strict=True):
            out[list(state.atoms)] = value
        return out
