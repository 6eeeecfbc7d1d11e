"""Groups in REFMAC's keywords::

    occupancy group id 1 chain A residue from 145 to 150 alt A
    occupancy group id 2 chain A residue from 145 to 150 alt B
    occupancy group id 2 chain B residue 301 atom C1
    occupancy group alts complete 1 2
    occupancy group alts incomplete 2 3
    occupancy refine

Keywords may be shortened to four letters, a line ends with ``-`` where it goes on, and ``!`` or ``#`` starts a comment.
Lines of one id add up to one group. Keywords other than these are passed over, since such a file holds those of a whole
refinement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import gemmi

from atomloom_occupancy.group_building import Builder, nearest

_WORDS = {"segment": "chain", **{word: word for word in ("chain", "residue", "atom", "alt", "from", "to")}}
_SYNTAX = "Write it as `occupancy group id 1 chain A residue from 5 to 9 alt B`"
_RESIDUE = re.compile(r"(-?\d+)([A-Za-z]?)")


class _Command(NamedTuple):
    line: int
    words: list[str]


def read_refmac(text: str, into: Builder) -> None:
    """Put what a text says into a network."""
    groups: dict[str, list[int]] = {}
    lines: dict[str, int] = {}
    alts: list[_Command] = []
    for command in _commands(text):
        words = command.words
        if len(words) < 2 or not _is(words[1], "group"):
            if len(words) < 2 or not _is(words[1], "refine"):
                raise into.error(command.line, f"{' '.join(words)!r} is not understood", _SYNTAX)
        elif len(words) > 3 and words[2].lower() == "id":
            lines.setdefault(words[3], command.line)
            groups.setdefault(words[3], []).extend(_chosen(command, into))
        elif len(words) > 4 and words[2].lower() == "alts":
            alts.append(command)
        else:
            raise into.error(command.line, f"{' '.join(words)!r} is not understood", _SYNTAX)
    for name, atoms in groups.items():
        into.state(lines[name], name, atoms)
    for line, words in alts:
        kind = next((kind for kind in ("complete", "incomplete") if _is(words[3], kind)), None)
        if kind is None:
            raise into.error(line, f"{words[3]!r} is neither complete nor incomplete", "Write one of these")
        if len(words) > 5 or kind == "complete":
            into.together(line, words[4:], kind == "complete")


def _commands(text: str) -> Iterator[_Command]:
    """The lines on occupancies without comments, those that go on joined."""
    held: list[str] = []
    start = 1
    for number, raw in enumerate(text.splitlines(), 1):
        words = re.split(r"[!#]", raw, maxsplit=1)[0].split()
        start = start if held else number
        held += [word for word in words if word not in ("-", "&")]
        if words and words[-1] in ("-", "&"):
            continue
        if held and _is(held[0], "occupancy"):
            yield _Command(start, held)
        held = []


def _is(word: str, keyword: str) -> bool:
    """Whether a word is a keyword, shortened to four letters or more."""
    return keyword.startswith(word.lower()) and len(word) >= min(4, len(keyword))


def _chosen(command: _Command, into: Builder) -> list[int]:
    """The atoms of an ``id`` line."""
    chains, atoms, alts, residues = _options(command, into)

    def fits(cra: gemmi.CRA) -> bool:
        seqid = cra.residue.seqid
        placed = not residues or any(low <= (seqid.num or 0, seqid.icode.strip()) <= high for low, high in residues)
        named = (chains, cra.chain.name), (atoms, cra.atom.name), (alts, cra.atom.altloc.strip("\0"))
        return placed and all(not wanted or has in wanted for wanted, has in named)

    found = [place for place, cra in enumerate(into.atoms) if fits(cra)]
    if not found:
        named = " ".join(command.words[4:])
        raise into.error(command.line, f"{named!r} names no atom of the model", "Correct chain, residue, atom or alt")
    return found


_Residue = tuple[int, str]


def _options(
    command: _Command, into: Builder
) -> tuple[list[str], list[str], list[str], list[tuple[_Residue, _Residue]]]:
    """Chains, atom names, altlocs and ranges of residues of an ``id`` line."""
    values: dict[str, list[str]] = {"chain": [], "atom": [], "alt": [], "residue": []}
    key = ""
    for word in command.words[4:]:
        keyword = next((meant for each, meant in _WORDS.items() if _is(word, each)), "")
        if keyword in values and (key not in values or values[key]):
            key = keyword
        elif keyword in ("from", "to") and key == "residue":
            values[key].append(keyword)
        elif key:
            values[key].append(word)
        else:
            raise into.error(command.line, f"{word!r} is no keyword of a group", nearest(word, sorted(values)))
    if key and not values[key]:
        raise into.error(command.line, f"nothing follows {key!r}", _SYNTAX)
    return values["chain"], values["atom"], values["alt"], _ranges(command, values["residue"], into)


def _ranges(command: _Command, words: list[str], into: Builder) -> list[tuple[_Residue, _Residue]]:
    """``from 3 to 5`` and single residues, with insertion codes as letters behind their numbers."""
    ends: list[list[_Residue]] = []
    joining = False
    for word in words:
        if word in ("from", "to"):
            joining = word == "to"
            continue
        found = _RESIDUE.fullmatch(word)
        if found is None or (joining and not ends):
            raise into.error(command.line, f"{word!r} is no residue", _SYNTAX)
        place = (int(found[1]), found[2])
        if joining:
            ends[-1].append(place)
        else:
            ends.append([place])
        joining = False
    return [(each[0], each[-1]) for each in ends]
