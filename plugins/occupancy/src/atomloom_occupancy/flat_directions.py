"""Says in words why the data leave a direction open."""

from __future__ import annotations

from itertools import combinations

import gemmi

from atomloom_occupancy.checking import IDENTICAL
from atomloom_occupancy.states import Network, State
from atomloom_occupancy.structure import atoms_of


def in_words(structure: gemmi.Structure, network: Network, direction: tuple[int, ...]) -> str:
    """A sentence on the states that a flat direction moves."""
    states = [network.states[number] for number in direction]
    names = " and ".join(state.name for state in states)
    if len(states) == 1:
        return f"{names} hardly scatters at the resolution of these data: they do not tell its occupancy."
    if all(_identical(structure, *pair) for pair in combinations(states, 2)):
        return f"{names} have identical coordinates: the data cannot tell them apart."
    return f"{names} change F in the same way: the data tell their sum alone."


def _identical(structure: gemmi.Structure, one: State, other: State) -> bool:
    """Whether every atom of one state is where an atom of the same element of the other one is."""
    atoms = atoms_of(structure)
    ours, theirs = ([atoms[number].atom for number in state.atoms] for state in (one, other))
    return all(
        any(a.element == b.element and a.pos.dist(b.pos) < IDENTICAL for b in second)
        for first, second in ((ours, theirs), (theirs, ours))
        for a in first
    )
