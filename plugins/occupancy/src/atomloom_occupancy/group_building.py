"""A network in the making from one file of groups, whatever its language; every error names the file and the line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

import gemmi
import numpy as np

from atomloom.errors import ConfigError
from atomloom_occupancy.grouping import UNIFORM
from atomloom_occupancy.standard_form import Ratio, Together
from atomloom_occupancy.states import Expected, Network, State
from atomloom_occupancy.structure import atom_name, atoms_of, multiplicities_of, occupancies_of

SELECTIONS = "Select atoms as //CHAIN/RESIDUES/ATOMS:ALTLOC, such as //A/145-150/*:B"


class Builder:
    """Collects states and what ties them.

    Args:
        path: the file, for messages.
        structure: the model.
    """

    def __init__(self, path: Path, structure: gemmi.Structure) -> None:
        self._path, self._structure = path, structure
        self.atoms = atoms_of(structure)
        self._occupancy, self._many = occupancies_of(structure), multiplicities_of(structure)
        self._numbers = {_key(cra.chain, cra.residue, cra.atom): number for number, cra in enumerate(self.atoms)}
        self._owner: dict[int, str] = {}
        self._states: dict[str, State] = {}
        self._sets: list[Together] = []
        self._ratios: list[Ratio] = []
        self._expected: list[Expected] = []

    def error(self, line: int, found: str, todo: str) -> ConfigError:
        """What is wrong with a line."""
        return ConfigError(f"read line {line} of '{self._path}'", found, todo)

    def selected(self, line: int, text: str) -> list[int]:
        """The numbers of the atoms that a selection in gemmi's syntax names."""
        try:
            selection = gemmi.Selection(text)
            found = [
                self._numbers[_key(chain, residue, atom)]
                for chain in selection.chains(self._structure[0])
                for residue in selection.residues(chain)
                for atom in selection.atoms(residue)
            ]
        except (RuntimeError, ValueError) as error:
            raise self.error(line, f"the selection {text!r} is not understood ({error})", SELECTIONS) from error
        if not found:
            raise self.error(line, f"the selection {text!r} names no atom of the model", SELECTIONS)
        return found

    def state(self, line: int, name: str, atoms: Iterable[int], cap: float = 1.0) -> None:
        """Add a state; on special positions its cap is one over the images that coincide there."""
        members = tuple(dict.fromkeys(atoms))
        for atom in members:
            if atom in self._owner:
                found = f"{atom_name(self.atoms[atom])} is in {self._owner[atom]!r} and {name!r}"
                raise self.error(line, found, "Put every atom into one state at most")
            self._owner[atom] = name
        start = float(np.mean(self._occupancy[list(members)]).round(9))
        if cap == 1:
            cap = max(1.0 / float(self._many[list(members)].max()), min(1.0, start))
        self._states[name] = State(name, members, start, cap)

    def together(self, line: int, members: Sequence[str], complete: bool, name: str = "") -> None:
        """Let states share a site."""
        if len(set(members)) != len(members) or not members:
            raise self.error(line, "a set does not name states, each once", "Name every one of them once")
        numbers = tuple(self._number(line, each) for each in members)
        self._sets.append(Together(numbers, complete, name or " + ".join(members)))

    def ratio(self, line: int, members: Sequence[str], parts: Sequence[float]) -> None:
        """Let the occupancies of states be in a fixed ratio."""
        if len(members) < 2 or len(members) != len(parts) or not all(part > 0 for part in parts):
            raise self.error(line, "a ratio needs two states or more and a part above zero for each", "Correct it")
        first = self._number(line, members[0])
        for name, part in zip(members[1:], parts[1:], strict=True):
            self._ratios.append(Ratio(self._number(line, name), first, part / parts[0]))

    def expect(self, line: int, name: str, value: float, weight: float) -> None:
        """Restrain a state towards a value."""
        if not 0 <= value <= 1 or not 0 <= weight < np.inf:
            found = f"{value:g} with the weight {weight:g} cannot be expected"
            raise self.error(line, found, "Give a value of 0 to 1 and a weight of 0 or more")
        self._expected.append(Expected(self._number(line, name), value, weight))

    def network(self) -> Network:
        """What was collected."""
        uneven = [each.name for each in self._states.values() if np.ptp(self._occupancy[list(each.atoms)]) > UNIFORM]
        notes = [f"Atoms of {name} differ in occupancy in the file; the state starts at their mean." for name in uneven]
        return Network(
            tuple(self._states.values()),
            tuple(self._sets),
            tuple(notes),
            tuple(self._ratios),
            tuple(self._expected),
        )

    def _number(self, line: int, name: str) -> int:
        names = list(self._states)
        if name not in names:
            raise self.error(line, f"there is no state {name!r}", nearest(name, names))
        return names.index(name)


def nearest(word: str, known: Sequence[str]) -> str:
    """What to do about a word that is not known."""
    near = get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(known)}"


def _key(chain: gemmi.Chain, residue: gemmi.Residue, atom: gemmi.Atom) -> tuple[str, ...]:
    return chain.name, str(residue.seqid), residue.name, atom.name, atom.altloc
