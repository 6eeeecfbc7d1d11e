"""Joins states that are in contact: partners that come and go together, and those that exclude one another.

Atoms of one letter whose occupancies agree and which are within `CONTACT` of each other belong to one conformation,
though their residues are far apart along the chain: a ligand with the loop that moves for it, or a water that is there
with one rotamer alone. Partial atoms, one of them of a water or a ligand, that are nearer than `CLASH` can never be
there at once, so that they add up to one or less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import gemmi
import numpy as np

from atomloom_occupancy.grouping import UNIFORM
from atomloom_occupancy.standard_form import Together
from atomloom_occupancy.states import Network, State
from atomloom_occupancy.structure import atoms_of

CONTACT = 3.6
"""Angstrom between heavy atoms that touch."""

CLASH = 2.2
"""Angstrom between heavy atoms that cannot be there at once unless they are bonded."""

_ROUNDING = 1e-6


def join_contacts(structure: gemmi.Structure, network: Network) -> Network:
    """The network with states joined and sets added, as the text of this module says; notes tell what was done."""
    near = _Near(structure, network)
    joined = _together(structure, network, near)
    return _apart(structure, joined, _Near(structure, joined))


class _Near:
    """Pairs of states by the shortest distance between their heavy atoms, images of the crystal included."""

    def __init__(self, structure: gemmi.Structure, network: Network) -> None:
        model, atoms = structure[0], atoms_of(structure)
        owner = {atom: number for number, state in enumerate(network.states) for atom in state.atoms}
        places = {id_: number for number, id_ in enumerate(_places(model))}
        search = gemmi.NeighborSearch(model, structure.cell, CONTACT + 1).populate(include_h=False)
        self._least: dict[tuple[int, int], float] = {}
        for atom, state in owner.items():
            if atoms[atom].atom.is_hydrogen():
                continue
            for mark in search.find_atoms(atoms[atom].atom.pos, "\0", radius=CONTACT):
                other = owner.get(places[mark.chain_idx, mark.residue_idx, mark.atom_idx], state)
                if other != state:
                    pair = min(state, other), max(state, other)
                    self._least[pair] = min(self._least.get(pair, CONTACT), mark.pos.dist(atoms[atom].atom.pos))

    def within(self, distance: float) -> Iterator[tuple[int, int]]:
        """Pairs that are nearer than this."""
        yield from (pair for pair, least in sorted(self._least.items()) if least < distance)


def _places(model: gemmi.Model) -> Iterator[tuple[int, int, int]]:
    for first, chain in enumerate(model):
        for second, residue in enumerate(chain):
            yield from ((first, second, third) for third in range(len(residue)))


def _together(structure: gemmi.Structure, network: Network, near: _Near) -> Network:
    """States of one letter in contact made one, where that leaves every set with its letters apart."""
    letters = _letters(structure, network)
    root = list(range(len(network.states)))
    home = {state: number for number, each in enumerate(network.sets) for state in each.states}

    def group(number: int) -> list[int]:
        return [state for state, other in enumerate(root) if other == root[number]]

    for first, second in near.within(CONTACT):
        a, b = network.states[first], network.states[second]
        same = letters[first] == letters[second] != "" and abs(a.start - b.start) <= UNIFORM + _ROUNDING
        if same and root[first] != root[second] and _fits(network, home, letters, first, second):
            pairs = [(first, second), *_partners(network, home, letters, first, second)]
            for one, other in pairs:
                for state in group(other):
                    root[state] = root[one]
    return _merged(network, root)


def _fits(network: Network, home: dict[int, int], letters: list[str], first: int, second: int) -> bool:
    """Whether the sets of two states are of the same letters and occupancies, or one of the states is in none."""
    if first not in home or second not in home:
        return True
    if home[first] == home[second]:
        return False
    many = len(_partners(network, home, letters, first, second))
    return all(len(network.sets[home[state]].states) == many + 1 for state in (first, second))


def _partners(
    network: Network, home: dict[int, int], letters: list[str], first: int, second: int
) -> list[tuple[int, int]]:
    """The other states of the two sets, by letter, whose occupancies agree."""
    if first not in home or second not in home:
        return []
    ours, theirs = (network.sets[home[state]].states for state in (first, second))
    return [
        (one, other)
        for one in ours
        for other in theirs
        if one != first
        and other != second
        and letters[one] == letters[other]
        and abs(network.states[one].start - network.states[other].start) <= UNIFORM + _ROUNDING
    ]


def _merged(network: Network, root: list[int]) -> Network:
    kinds = sorted(set(root))
    number = {kind: place for place, kind in enumerate(kinds)}
    members: dict[int, list[int]] = defaultdict(list)
    for state, kind in enumerate(root):
        members[kind].append(state)
    states, notes = [], []
    for kind in kinds:
        parts = [network.states[state] for state in members[kind]]
        states.append(_one(parts))
        if len(parts) > 1:
            notes.append(f"In contact, and so one state: {'; '.join(part.name for part in parts)}.")
    sets: dict[tuple[int, ...], Together] = {}
    for each in network.sets:
        place = tuple(sorted({number[root[state]] for state in each.states}))
        sets.setdefault(place, replace(each, states=place))
    return replace(network, states=tuple(states), sets=tuple(sets.values()), notes=(*network.notes, *notes))


def _one(parts: list[State]) -> State:
    atoms = tuple(sorted(atom for part in parts for atom in part.atoms))
    weights = [len(part.atoms) for part in parts]
    start = float(np.average([part.start for part in parts], weights=weights).round(9))
    name = parts[0].name if len(parts) == 1 else f"{parts[0].name} with {len(parts) - 1} in contact"
    return State(name, atoms, start, max(start, min(part.cap for part in parts)))


def _apart(structure: gemmi.Structure, network: Network, near: _Near) -> Network:
    """Sets of two for states that clash, unless they are in one set already or fill more than one place now."""
    letters, atoms = _letters(structure, network), atoms_of(structure)
    known = {frozenset(pair) for each in network.sets for pair in _pairs(each.states)}
    sets, notes = list(network.sets), list(network.notes)
    for first, second in near.within(CLASH):
        a, b = network.states[first], network.states[second]
        loose = any(_is_loose(atoms[state.atoms[0]]) for state in (a, b))
        different = letters[first] != letters[second] or not letters[first]
        if loose and different and frozenset((first, second)) not in known and a.start + b.start <= 1 + UNIFORM:
            sets.append(Together((first, second), complete=False, name=f"{a.name} or {b.name}"))
            notes.append(f"Too near to be there at once, and so one or less together: {a.name}; {b.name}.")
    return replace(network, sets=tuple(sets), notes=tuple(notes))


def _pairs(states: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    yield from ((a, b) for a in states for b in states if a < b)


def _is_loose(cra: gemmi.CRA) -> bool:
    """Whether an atom is of a water or a ligand; metals have short bonds."""
    polymer = gemmi.find_tabulated_residue(cra.residue.name)
    return not (polymer.is_amino_acid() or polymer.is_nucleic_acid() or cra.atom.element.is_metal)


def _letters(structure: gemmi.Structure, network: Network) -> list[str]:
    """The altloc of each state; nothing where it has none or several."""
    atoms = atoms_of(structure)
    found = [{atoms[atom].atom.altloc.strip("\0") for atom in state.atoms} for state in network.states]
    return [min(each) if len(each) == 1 else "" for each in found]
