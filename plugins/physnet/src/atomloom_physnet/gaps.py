"""Differences between electronic states: ionisation energies, electron affinities, singlet-triplet gaps.

::

    IE = E(Q + 1) - E(Q)        EA = E(Q) - E(Q - 1)        gap = E(Q, triplet) - E(Q, singlet)

in eV, where E(Q) is the lowest energy of any multiplicity. At one geometry they are vertical; with each state relaxed
for itself they are adiabatic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.data.levels import at_level
from atomloom.errors import DataError
from atomloom.pipeline import Fitted, predict
from atomloom_physnet.model import NETWORK, SEEN

State = tuple[int, int]
"""Total charge in e and multiplicity 2S+1."""

IONISATION, AFFINITY, TRIPLET = "ionisation energy", "electron affinity", "singlet-triplet gap"

Floats = NDArray[np.float64]
Energies = Callable[[Fitted, "Structure", Sequence[State]], Floats]


class Structure(NamedTuple):
    """A molecule: atomic numbers ``[atoms]`` and positions in angstrom ``[atoms, 3]``."""

    numbers: NDArray[np.int64]
    positions: Floats


class Differences(NamedTuple):
    """What members of an ensemble say of a molecule, in eV.

    Args:
        energies: of each state, from the lowest, by member ``[members]``.
        gaps: by name, likewise; those whose states the models do not know are not there.
    """

    energies: Mapping[State, Floats]
    gaps: Mapping[str, Floats]


def gaps(energies: Mapping[State, float], charge: int) -> dict[str, float]:
    """The differences from a charge, of those whose states are there.

    >>> {name: round(gap, 3) for name, gap in gaps({(0, 1): -10.0, (0, 3): -7.0, (1, 2): 2.5}, 0).items()}
    {'ionisation energy': 12.5, 'singlet-triplet gap': 3.0}
    """
    lowest = {
        other: min(energy for (own, _), energy in energies.items() if own == other)
        for other in sorted({own for own, _ in energies})
    }
    found = {}
    if {charge, charge + 1} <= lowest.keys():
        found[IONISATION] = lowest[charge + 1] - lowest[charge]
    if {charge, charge - 1} <= lowest.keys():
        found[AFFINITY] = lowest[charge] - lowest[charge - 1]
    if {(charge, 1), (charge, 3)} <= energies.keys():
        found[TRIPLET] = energies[charge, 3] - energies[charge, 1]
    return found


def possible(fitted: Fitted, structure: Structure, charge: int) -> list[State]:
    """The states that a model has seen and the molecule can have, of this charge and one electron more or less.

    Raises:
        DataError: when there is none of the charge itself.
    """
    known, seen = fitted.state[NETWORK].known, fitted.state[SEEN]
    charges = known.charges[0] + np.flatnonzero(seen["charges"])
    multiplicities = known.multiplicities[0] + np.flatnonzero(seen["multiplicities"])
    protons, found = int(structure.numbers.sum()), []
    for own in sorted({charge - 1, charge, charge + 1} & set(charges.tolist())):
        electrons = protons - own
        found += [(own, int(m)) for m in multiplicities if (electrons - m) % 2 and m - 1 <= electrons]
    if not any(own == charge for own, _ in found):
        learnt = f"charges {', '.join(map(str, charges))} and multiplicities {', '.join(map(str, multiplicities))}"
        spoken = f"there are {protons - charge} electrons, and the model was trained on {learnt}"
        todo = "Give another --charge, or train with such states"
        raise DataError(f"compare states of charge {charge}", spoken, todo)
    return found


def vertical(fitted: Fitted, structure: Structure, states: Sequence[State], level: str | None = None) -> Floats:
    """The energies of states at one geometry and one level of theory, in eV ``[states]``."""
    repeated = [np.repeat(each[None], len(states), axis=0) for each in structure]
    arrays = {"Z": repeated[0], "R": repeated[1], "total_charge": np.array([float(charge) for charge, _ in states])}
    dataset = Dataset.from_arrays({**arrays, "total_spin": np.array([multiplicity for _, multiplicity in states])})
    if level is not None:
        dataset = at_level(dataset, level)
    return predict(fitted, dataset)["E"].astype(np.float64)


def differences(
    members: Sequence[Fitted], structure: Structure, charge: int, energies: Energies = vertical
) -> Differences:
    """What all members of an ensemble say; states that one of them does not know are left out.

    Args:
        energies: of a member's states; `vertical`, or `atomloom_physnet.relaxing.adiabatic`.
    """
    known = [possible(member, structure, charge) for member in members]
    states = [state for state in known[0] if all(state in other for other in known[1:])]
    table = np.array([energies(member, structure, states) for member in members])
    by_member = [gaps(dict(zip(states, row.tolist(), strict=True)), charge) for row in table]
    above = table - table.min(axis=1, keepdims=True)
    return Differences(
        {state: above[:, column] for column, state in enumerate(states)},
        {name: np.array([each[name] for each in by_member]) for name in by_member[0]},
    )
