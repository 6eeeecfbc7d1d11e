"""States and sets as a person writes them down, in TOML with gemmi's selections::

    [states]
    bound = ["//A/301", "//A/145-150/*:B"]      # a ligand and the loop that moves with it
    apo = ["//A/145-150/*:A"]
    ion = ["//A/402"]

    [[sets]]
    states = ["bound", "apo"]
    complete = false                            # they add up to one or less; true by default

    [[ratios]]
    states = ["bound", "ion"]                   # two ions for three ligands
    parts = [3, 2]

    [caps]
    ion = 0.5                                   # the highest it may be; special positions have theirs anyway

    [expected]
    bound = { value = 0.7, weight = 500 }       # adds 500 (q - 0.7)^2 to the target

States may be in several sets. What no state names stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from atomloom_occupancy.group_building import SELECTIONS, Builder, nearest

_TABLES = {"states", "sets", "ratios", "caps", "expected"}
_OF_A_SET = {"states", "complete", "name"}
_OF_A_RATIO = {"states", "parts"}
_OF_AN_EXPECTATION = {"value", "weight"}


def read_toml(text: str, into: Builder) -> None:
    """Put what a text says into a network."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise into.error(int(line[1]) if line else 1, str(error), "Correct that line") from error
    _Reading(text, into).whole(given)


class _Reading:
    """One text on its way into a network."""

    def __init__(self, text: str, into: Builder) -> None:
        self._lines, self._into = text.splitlines(), into

    def whole(self, given: Mapping[str, Any]) -> None:
        """All tables."""
        self._known(given, _TABLES, "the file")
        states, caps = given.get("states", {}), given.get("caps", {})
        if not isinstance(states, dict) or not states:
            raise self._into.error(self._line("states"), "it has no states", "Name atoms under [states]")
        self._known(caps, states.keys(), "[caps]")
        for name, selections in states.items():
            self._state(name, selections, caps.get(name, 1.0))
        for each in given.get("sets", []):
            self._set(each)
        for each in given.get("ratios", []):
            self._known(each, _OF_A_RATIO, "a ratio")
            members, parts = each.get("states", []), each.get("parts", [])
            self._into.ratio(self._line_of(members, "ratios"), members, parts)
        for name, wish in given.get("expected", {}).items():
            self._known(wish, _OF_AN_EXPECTATION, f"what is expected of {name!r}")
            line = self._line_in("expected", name)
            self._into.expect(line, name, float(wish.get("value", -1)), float(wish.get("weight", -1)))

    def _state(self, name: str, selections: object, cap: object) -> None:
        line = self._line(name)
        listed = [selections] if isinstance(selections, str) else selections
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise self._into.error(line, f"the state {name!r} is no list of selections", 'Write it as ["//A/145"]')
        if not isinstance(cap, int | float) or not 0 < cap <= 1:
            found = f"{cap!r} is no cap"
            raise self._into.error(self._line_in("caps", name), found, "Give a number above 0, up to 1")
        atoms = [atom for each in listed for atom in self._into.selected(self._line(each), each)]
        if not atoms:
            raise self._into.error(line, f"the state {name!r} names no atom", SELECTIONS)
        self._into.state(line, name, atoms, float(cap))

    def _set(self, given: Mapping[str, Any]) -> None:
        self._known(given, _OF_A_SET, "a set")
        members = given.get("states", [])
        line = self._line_of(members, "sets")
        if len(members) < 2:
            raise self._into.error(line, "a set does not name two states or more", "Name them in `states`")
        self._into.together(line, members, bool(given.get("complete", True)), str(given.get("name", "")))

    def _known(self, given: Iterable[str], known: Iterable[str], where: str) -> None:
        for key in given:
            if key not in known:
                found = f"{where} has the unknown key {key!r}"
                raise self._into.error(self._line(key), found, nearest(key, sorted(known)))

    def _line(self, word: str) -> int:
        """The line with this word as a key, else in quotes, else anywhere."""
        sure = (rf"""^\s*["']?{re.escape(word)}["']?\s*=""", rf"""["']{re.escape(word)}["']""", re.escape(word))
        texts = [text.partition("#")[0] for text in self._lines]
        found = (number for each in sure for number, text in enumerate(texts, 1) if re.search(each, text))
        return next(found, 1)

    def _line_of(self, members: Iterable[str], table: str) -> int:
        """The line of ``states = [...]`` that lists these, else that of the table."""
        wanted = [*members]
        for number, text in enumerate(self._lines, 1):
            if re.match(r"\s*states\s*=", text) and wanted and all(f'"{each}"' in text for each in wanted):
                return number
        return self._line(f"[[{table}]]")

    def _line_in(self, table: str, key: str) -> int:
        """The line of a key of one table."""
        inside = False
        for number, text in enumerate(self._lines, 1):
            inside = text.strip() == f"[{table}]" if text.lstrip().startswith("[") else inside
            if inside and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", text):
                return number
        return self._line(key)
