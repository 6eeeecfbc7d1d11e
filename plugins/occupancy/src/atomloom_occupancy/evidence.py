"""Whether the data want the parameters that a grouping has.

A set whose states run over several residues is compared with one set for each residue, all else held: twice the
difference of the negative log-likelihoods is the likelihood ratio, and BIC counts the logarithm of the number of
reflections for every parameter more. A water with an occupancy of its own is compared with one that is fully there.
"""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np
from scipy.special import chdtrc

from atomloom.progress import track
from atomloom_occupancy.active_set import minimise
from atomloom_occupancy.basis import build_basis
from atomloom_occupancy.objective import Objective, Restraint
from atomloom_occupancy.profiling import Profile
from atomloom_occupancy.refining import Refined
from atomloom_occupancy.standard_form import Together
from atomloom_occupancy.states import Network, State
from atomloom_occupancy.structure import atoms_of


@dataclass(frozen=True)
class Evidence:
    """Two models of different numbers of parameters.

    Args:
        what: is grouped, in words.
        more: parameters that the larger one has beyond those of the smaller.
        ratio: twice the difference of the negative log-likelihoods.
        reflections: that the likelihood is of.
    """

    what: str
    more: int
    ratio: float
    reflections: int

    @property
    def chance(self) -> float:
        """How often so large a ratio comes about where the smaller model is true."""
        return float(chdtrc(self.more, self.ratio))

    @property
    def bic(self) -> float:
        """BIC of the larger model less that of the smaller; where it is above zero the smaller one is better."""
        return self.more * float(np.log(self.reflections)) - self.ratio


def of_grouping(structure: gemmi.Structure, refined: Refined) -> list[Evidence]:
    """Joint occupancies against separate ones, for every set or lone state that runs over several residues."""
    places = [(cra.chain.name, str(cra.residue.seqid)) for cra in atoms_of(structure)]
    units = [unit for unit in _units(refined.network) if len(_residues(refined.network, unit, places)) > 1]
    tracked = track(units, total=len(units), label="joint or separate")
    return [_compared(structure, refined, unit, places) for unit in tracked]


def of_waters(structure: gemmi.Structure, refined: Refined) -> list[Evidence]:
    """Single waters with occupancies of their own against waters that are fully there, the best supported first."""
    atoms, profile, found = atoms_of(structure), Profile(refined), []
    work = int(refined.crystal.data.work.sum())
    for unit in _units(refined.network):
        state = refined.network.states[unit[0]]
        members = [atoms[atom] for atom in state.atoms]
        alone = len(unit) == 1 and len({(cra.chain.name, str(cra.residue.seqid)) for cra in members}) == 1
        if alone and all(cra.residue.is_water() and not cra.atom.has_altloc() for cra in members):
            found.append(Evidence(state.name, 1, max(2 * profile.rise(unit[0], state.cap), 0.0), work))
    return sorted(found, key=lambda each: each.bic)


def _units(network: Network) -> list[tuple[int, ...]]:
    """Sets and lone states, each by its states, that share none with another set or ratio."""
    tied = [set(each.states) for each in network.sets] + [{each.of, each.to} for each in network.ratios]
    sets = [each.states for each in network.sets]
    alone = [(number,) for number in range(len(network.states)) if not any(number in each for each in tied)]
    return [unit for unit in (*sets, *alone) if sum(bool(set(unit) & each) for each in tied) <= 1]


def _residues(network: Network, unit: tuple[int, ...], places: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The residues of these states in the order of the file."""
    return list(dict.fromkeys(places[atom] for state in unit for atom in network.states[state].atoms))


def _compared(
    structure: gemmi.Structure, refined: Refined, unit: tuple[int, ...], places: list[tuple[str, str]]
) -> Evidence:
    """One set as it is against the same set split by residue."""
    data, scale, joint = refined.crystal.data, refined.after.scale, refined.objective
    split = _split(refined, unit, places)
    parts = build_basis(structure, split, data.hkl).states[:, data.work] * scale.total[data.work]
    model = joint.model(refined.point[: refined.form.states])
    restraint = Restraint.of(split, 0.0)
    separate = Objective(joint.target, model - split.start @ parts, parts, restraint)
    local = minimise(separate, split.form.matrix, split.form.nearest(split.start))[1]
    names = [refined.network.states[number].name for number in unit]
    ratio = 2 * (separate.target.value(np.abs(model)) - local.value)
    more = _parameters(split) - _parameters(Network(tuple(_bare(refined, unit)), _own_set(refined, unit)))
    return Evidence(" + ".join(names), more, max(float(ratio), 0.0), int(data.work.sum()))


def _split(refined: Refined, unit: tuple[int, ...], places: list[tuple[str, str]]) -> Network:
    """The states of a set cut at residues, each starting at the occupancy of the whole."""
    states: list[State] = []
    sets: list[Together] = []
    for place in _residues(refined.network, unit, places):
        first = len(states)
        for state in _bare(refined, unit):
            members = tuple(atom for atom in state.atoms if places[atom] == place)
            if members:
                states.append(State(f"{state.name} {' '.join(place)}", members, state.start, state.cap))
        here = tuple(range(first, len(states)))
        sets += [Together(here, each.complete) for each in _own_set(refined, unit) if len(here) == len(unit) > 1]
    return Network(tuple(states), tuple(sets))


def _bare(refined: Refined, unit: tuple[int, ...]) -> list[State]:
    """The states of a set as they were refined."""
    return [
        State(str(place), refined.network.states[number].atoms, float(refined.point[number]), 1.0)
        for place, number in enumerate(unit)
    ]


def _own_set(refined: Refined, unit: tuple[int, ...]) -> tuple[Together, ...]:
    """The set that these states form among themselves, if any."""
    mine = (each for each in refined.network.sets if each.states == unit)
    return tuple(Together(tuple(range(len(unit))), each.complete) for each in mine)


def _parameters(network: Network) -> int:
    """How many occupancies are free: those of the states less one for each complete set."""
    return len(network.states) - sum(each.complete for each in network.sets)
