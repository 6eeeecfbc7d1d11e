"""Groups as phenix.refine's parameter files have them::

    refinement.refine.occupancies {
      constrained_group {
        selection = chain A and resseq 145:150 and altloc A
        selection = (chain A and resseq 145:150 and altloc B) or \\
                    (chain B and resseq 301)
      }
      individual = chain W and resseq 7
    }

Selections of one group add up to one; one selection alone may be anything from 0 to 1. `individual` frees atoms one by
one. A line ends with a backslash where it goes on, ``#`` starts a comment, ``!`` switches off what it stands before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from atomloom_occupancy.group_building import Builder
from atomloom_occupancy.phenix_selection import select
from atomloom_occupancy.structure import atom_name


class _Entry(NamedTuple):
    """``key = value`` with the scopes around it, each with the line that it opened at."""

    line: int
    scopes: tuple[tuple[str, int], ...]
    key: str
    value: str


def read_phenix(text: str, into: Builder) -> None:
    """Put what a text says into a network."""
    groups: dict[int, list[_Entry]] = {}
    single: list[_Entry] = []
    for entry in _entries(text, into):
        inside = [line for name, line in entry.scopes if _last(name) == "constrained_group"]
        if inside and entry.key == "selection":
            groups.setdefault(inside[-1], []).append(entry)
        elif _last(entry.key) == "individual" and any("occupancies" in name for name, _ in entry.scopes):
            single.append(entry)
    for number, (line, entries) in enumerate(groups.items(), 1):
        names = []
        for place, entry in enumerate(entries, 1):
            names.append(f"group {number}" if len(entries) == 1 else f"group {number} selection {place}")
            into.state(entry.line, names[-1], _chosen(entry, into))
        if len(names) > 1:
            into.together(line, names, complete=True, name=f"group {number}")
    for entry in single:
        for atom in _chosen(entry, into):
            into.state(entry.line, atom_name(into.atoms[atom]), [atom])


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _chosen(entry: _Entry, into: Builder) -> list[int]:
    try:
        found = select(entry.value, into.atoms)
    except ValueError as error:
        text = f"the selection {entry.value!r} is not understood: {error}"
        raise into.error(entry.line, text, "Write it as `chain A and resseq 5:9 and altloc B`") from error
    if not found:
        raise into.error(entry.line, f"the selection {entry.value!r} names no atom of the model", "Correct it")
    return found


def _entries(text: str, into: Builder) -> Iterator[_Entry]:
    """All entries that are not switched off."""
    scopes: list[tuple[str, int, bool]] = []
    for line, statement in _statements(text):
        if statement == "}":
            if not scopes:
                raise into.error(line, "a brace closes that was not opened", "Remove it")
            scopes.pop()
        elif statement.endswith("{"):
            name = statement[:-1].strip()
            scopes.append((name.lstrip("!"), line, name.startswith("!")))
        else:
            key, _, value = (part.strip() for part in statement.partition("="))
            if not (key.startswith("!") or any(off for *_, off in scopes) or value in ("", "None")):
                yield _Entry(line, tuple((name, start) for name, start, _ in scopes), key, _unquoted(value))
    if scopes:
        raise into.error(scopes[-1][1], "a brace opens that does not close", "Close it with }")


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """``name {``, ``}`` and ``key = value``, each with its line, several of which may stand in one."""
    held, start = "", 1
    for number, raw in enumerate(text.splitlines(), 1):
        bare = raw.split("#")[0].rstrip()
        start = start if held else number
        if bare.endswith("\\"):
            held += bare[:-1] + " "
            continue
        whole, held = held + bare, ""
        for part in re.findall(r"[^{}]*\{|\}|[^{}]+", whole):
            if part.strip():
                yield start, re.sub(r"\s+", " ", part.strip())


def _unquoted(value: str) -> str:
    whole = re.fullmatch(r"\"([^\"]*)\"|'([^']*)'", value)
    return (whole[1] or whole[2] or "") if whole else value
