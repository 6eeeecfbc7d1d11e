"""Sniff: which readers might read this file? From the data in their `Matches`; no code of a plugin runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from atomloom.registry.records import Contribution
from atomloom.specs import Matches


class Suggestion(NamedTuple):
    """A reader or writer that may fit a file, and why."""

    contribution: Contribution
    because: str


def sniff(path: str | os.PathLike[str], contributions: Iterable[Contribution]) -> tuple[Suggestion, ...]:
    """What may fit `path`, the likeliest first.

    First bytes that fit weigh more than a name that fits; where a format has known first bytes and the file begins
    otherwise, its name weighs least. A path that does not exist or cannot be read goes by its name.
    """
    known = tuple(contributions)
    start = _start(path, max((len(magic) for each in known for magic in each.spec.matches.magic), default=0))
    weighed = sorted(_weighed(os.path.basename(os.fspath(path)), start, known), key=lambda each: each[0])
    return tuple(suggestion for _, suggestion in weighed)


def _weighed(
    name: str, start: bytes | None, known: Iterable[Contribution]
) -> Iterator[tuple[tuple[int, str, str], Suggestion]]:
    for each in known:
        weight, because = _fit(name, start, each.spec.matches)
        if because:
            yield (weight, each.spec.name, each.plugin), Suggestion(each, because)


def _fit(name: str, start: bytes | None, matches: Matches) -> tuple[int, str]:
    glob = next((glob for glob in matches.globs if fnmatchcase(name.casefold(), glob.casefold())), "")
    magic = start is not None and any(map(start.startswith, matches.magic))
    if glob and magic:
        return 0, f"its name fits {glob} and its first bytes fit"
    if magic:
        return 1, "its first bytes fit"
    if glob and matches.magic and start is not None:
        return 3, f"its name fits {glob}, but its first bytes do not"
    return (2, f"its name fits {glob}") if glob else (0, "")


def _start(path: str | os.PathLike[str], length: int) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(length)
    except OSError:
        return None
