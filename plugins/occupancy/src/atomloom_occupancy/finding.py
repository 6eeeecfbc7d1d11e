"""Finds states and sets in a model.

Alternative locations of a residue are states of one set; neighbours along a chain with the same letters and
occupancies, waters apart, belong to one conformation, so that their states are joined. Atoms within one altloc that
differ in occupancy make states of their own. A set whose occupancies in the file fill its site adds up to one, any
other to one or less. Partial atoms without altlocs are a state for each residue. Fully occupied atoms stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.grouping import UNIFORM, split_uniform
from atomloom_occupancy.standard_form import Together
from atomloom_occupancy.states import Network, State
from atomloom_occupancy.structure import atoms_of, multiplicities_of, occupancies_of

_ROUNDING = 1e-6


@dataclass
class _Site:
    """A residue (or a part of it) with its altlocs: members and occupancy of each letter."""

    chain: str
    place: int
    label: str
    water: bool
    members: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, float] = field(default_factory=dict)

    def fits(self, other: _Site) -> bool:
        """Whether the other one is a neighbour along the chain in the same conformations."""
        near = self.chain == other.chain and other.place - self.place == 1 and not (self.water or other.water)
        same = self.values.keys() == other.values.keys()
        return near and same and all(abs(self.values[a] - other.values[a]) <= UNIFORM + _ROUNDING for a in self.values)


def find_network(structure: gemmi.Structure) -> Network:
    """The states and sets of a model, as the text of this module says."""
    occupancy, caps = occupancies_of(structure), 1.0 / multiplicities_of(structure)
    altloc, plain = _sites(structure, occupancy)
    states: list[State] = []
    sets: list[Together] = []
    for run in _runs(altloc):
        _add_set(run, occupancy, caps, states, sets)
    for label, members in plain:
        for part in split_uniform([each for each in members if _partial(occupancy[each], caps[each])], occupancy):
            start, cap = _mean(occupancy[part]), float(caps[part].min())
            states.append(State(label, tuple(part), start, max(cap, min(1.0, start))))
    return Network(tuple(states), tuple(sets))


def _partial(value: float, cap: float) -> bool:
    """Whether an atom is there neither fully nor not at all; on a special position fully is its cap."""
    return bool(_ROUNDING < value < 1 - _ROUNDING and abs(value - cap) > UNIFORM)


def _sites(structure: gemmi.Structure, occupancy: Array) -> tuple[list[_Site], list[tuple[str, list[int]]]]:
    """Sites with altlocs, and the atoms without by residue."""
    residues: dict[tuple[str, str], list[int]] = defaultdict(list)
    atoms = atoms_of(structure)
    for number, cra in enumerate(atoms):
        residues[(cra.chain.name, str(cra.residue.seqid))].append(number)
    sites, plain = [], []
    for place, ((chain, seqid), members) in enumerate(residues.items()):
        label = f"{chain} {seqid} {atoms[members[0]].residue.name}"
        lettered = [each for each in members if atoms[each].atom.has_altloc()]
        plain.append((label, [each for each in members if not atoms[each].atom.has_altloc()]))
        bare = _Site(chain, place, label, atoms[members[0]].residue.is_water())
        sites += _split_site(bare, [(each, atoms[each].atom) for each in lettered], occupancy)
    return sites, plain


def _split_site(bare: _Site, lettered: list[tuple[int, gemmi.Atom]], occupancy: Array) -> list[_Site]:
    """One site, or several where atoms of one letter differ in occupancy."""
    columns: dict[str, dict[str, int]] = defaultdict(dict)
    for number, atom in lettered:
        columns[atom.name][atom.altloc] = number
    found: list[_Site] = []
    for column in columns.values():
        values = {letter: float(occupancy[number]) for letter, number in column.items()}
        mine = next((site for site in found if _agree(site.values, values)), None)
        if mine is None:
            mine = _Site(bare.chain, bare.place, bare.label, bare.water)
            found.append(mine)
        mine.values = {**values, **mine.values}
        for letter, number in column.items():
            mine.members[letter].append(number)
    return found


def _agree(ours: dict[str, float], theirs: dict[str, float]) -> bool:
    """Whether letters that both have do not differ, and there is one; hydrogens may be in one conformer alone."""
    common = ours.keys() & theirs.keys()
    return bool(common) and all(abs(ours[each] - theirs[each]) <= UNIFORM + _ROUNDING for each in common)


def _runs(sites: list[_Site]) -> list[list[_Site]]:
    """Neighbours in the same conformations."""
    runs: list[list[_Site]] = []
    for site in sites:
        mine = next((run for run in runs[-2:] if run[-1].fits(site)), None)
        if mine is None:
            runs.append([site])
        else:
            mine.append(site)
    return runs


def _add_set(run: list[_Site], occupancy: Array, caps: Array, states: list[State], sets: list[Together]) -> None:
    label = run[0].label if len(run) == 1 else f"{run[0].label} to {run[-1].label}"
    letters = list(dict.fromkeys(letter for site in run for letter in site.values))
    first, total = len(states), 0.0
    for letter in letters:
        members = tuple(each for site in run for each in site.members.get(letter, ()))
        start = _mean(occupancy[list(members)])
        total += start
        states.append(State(f"{label} altloc {letter}", members, start, max(float(caps[list(members)].min()), start)))
    complete = len(letters) > 1 and total >= 1 - UNIFORM - _ROUNDING
    if len(letters) > 1:
        sets.append(Together(tuple(range(first, len(states))), complete, label))


def _mean(values: Array) -> float:
    """The mean, without the noise in the last bits that the mean of equal values has."""
    return float(np.mean(values).round(9))
