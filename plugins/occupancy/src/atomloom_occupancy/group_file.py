"""States and sets as a person writes them down, in TOML with gemmi's selections::

    [states]
    bound = ["//A/301", "//A/145-150/*:B"]      # a ligand and the loop that moves with it
    apo = ["//A/145-150/*:A"]

    [[sets]]
    states = ["bound", "apo"]
    complete = false                            # they add up to one or less; true by default

States may be in several sets. What no state names stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from atomloom.errors import ConfigError
from atomloom_occupancy.grouping import UNIFORM
from atomloom_occupancy.standard_form import Together
from atomloom_occupancy.states import Network, State
from atomloom_occupancy.structure import atoms_of, multiplicities_of, occupancies_of

_TABLES = {"states", "sets"}
_OF_A_SET = {"states", "complete", "name"}


def read_groups(path: str | Path, structure: gemmi.Structure) -> Network:
    """The network that a file describes for a model; errors name the line."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"read the groups in '{path}'", error.strerror or str(error), "Correct the path") from error
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"read the groups in '{path}'", str(error), "Correct that line") from error
    return _Reading(path, text, structure).network(given)


class _Reading:
    """One file on its way to a network."""

    def __init__(self, path: Path, text: str, structure: gemmi.Structure) -> None:
        self._path, self._lines, self._structure = path, text.splitlines(), structure
        self._occupancy, self._many = occupancies_of(structure), multiplicities_of(structure)
        keys = [_key(cra.chain, cra.residue, cra.atom) for cra in atoms_of(structure)]
        self._numbers = {key: number for number, key in enumerate(keys)}

    def network(self, given: Mapping[str, Any]) -> Network:
        """The whole file."""
        self._known(given, _TABLES, "the file")
        states = given.get("states", {})
        if not isinstance(states, dict) or not states:
            raise self._error("states", "it has no states", "Name atoms under [states]")
        found = [self._state(name, selections) for name, selections in states.items()]
        sets = tuple(self._set(each, list(states)) for each in given.get("sets", []))
        uneven = [state.name for state in found if np.ptp(self._occupancy[list(state.atoms)]) > UNIFORM]
        notes = [f"Atoms of {name} differ in occupancy in the file; the state starts at their mean." for name in uneven]
        return Network(tuple(found), sets, tuple(notes))

    def _state(self, name: str, selections: object) -> State:
        listed = [selections] if isinstance(selections, str) else selections
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise self._error(name, f"the state {name!r} is no list of selections", 'Write it as ["//A/145"]')
        atoms = tuple(dict.fromkeys(atom for each in listed for atom in self._selected(name, each)))
        start = float(np.mean(self._occupancy[list(atoms)]).round(9))
        cap = 1.0 / float(self._many[list(atoms)].max())
        return State(name, atoms, start, max(cap, min(1.0, start)))

    def _selected(self, name: str, text: str) -> list[int]:
        try:
            selection = gemmi.Selection(text)
            found = [
                self._numbers[_key(chain, residue, atom)]
                for chain in selection.chains(self._structure[0])
                for residue in selection.residues(chain)
                for atom in selection.atoms(residue)
            ]
        except (RuntimeError, ValueError) as error:
            raise self._error(name, f"the selection {text!r} is not understood ({error})", _SYNTAX) from error
        if not found:
            raise self._error(name, f"the selection {text!r} names no atom of the model", _SYNTAX)
        return found

    def _set(self, given: Mapping[str, Any], states: list[str]) -> Together:
        self._known(given, _OF_A_SET, "a set")
        members = given.get("states", [])
        unknown = next((each for each in members if each not in states), None)
        if unknown is not None:
            raise self._error(str(unknown), f"there is no state {unknown!r}", _nearest(str(unknown), states))
        if len(set(members)) < 2 or len(set(members)) != len(members):
            raise self._error("sets", "a set does not name two states or more, each once", "Name them in `states`")
        return Together(
            tuple(map(states.index, members)),
            bool(given.get("complete", True)),
            str(given.get("name", "")) or " + ".join(members),
        )

    def _known(self, given: Iterable[str], known: set[str], where: str) -> None:
        for key in given:
            if key not in known:
                raise self._error(key, f"{where} has the unknown key {key!r}", _nearest(key, sorted(known)))

    def _error(self, word: str, found: str, todo: str) -> ConfigError:
        return ConfigError(f"read line {self._line(word)} of '{self._path}'", found, todo)

    def _line(self, word: str) -> int:
        """The line with this word as a key, else in quotes, else anywhere."""
        sure = (rf"""^\s*["']?{re.escape(word)}["']?\s*=""", rf"""["']{re.escape(word)}["']""", re.escape(word))
        texts = [text.partition("#")[0] for text in self._lines]
        found = (number for each in sure for number, text in enumerate(texts, 1) if re.search(each, text))
        return next(found, 1)


_SYNTAX = "Select atoms as //CHAIN/RESIDUES/ATOMS:ALTLOC, such as //A/145-150/*:B"


def _key(chain: gemmi.Chain, residue: gemmi.Residue, atom: gemmi.Atom) -> tuple[str, ...]:
    return chain.name, str(residue.seqid), residue.name, atom.name, atom.altloc


def _nearest(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(known)}"
