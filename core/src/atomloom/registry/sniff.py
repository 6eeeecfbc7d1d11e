"""Sniff: which readers might read this path? From the data in their `Matches`; no code of a plugin runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from atomloom.registry.records import Contribution
from atomloom.specs import Matches


class Suggestion(NamedTuple):
    """A reader or writer that may fit a file or folder, why, and how likely: the less `weight`, the likelier."""

    contribution: Contribution
    because: str
    weight: int


class _Look(NamedTuple):
    """What is seen of a path: how the file begins, or what the folder holds; None where it is no such thing."""

    path: str
    start: bytes | None
    entries: tuple[str, ...] | None


def sniff(path: str | os.PathLike[str], contributions: Iterable[Contribution]) -> tuple[Suggestion, ...]:
    """What may fit `path`, the likeliest first.

    First bytes that fit, or entries of a folder, weigh more than a name that fits; where a format has known first
    bytes or entries and the path has others, its name weighs least. A path that does not exist or cannot be read goes
    by its name.
    """
    known = tuple(contributions)
    look = _seen(os.path.abspath(path), [each.spec.matches for each in known])
    return tuple(sorted(_suggestions(look, known), key=_order))


def _order(each: Suggestion) -> tuple[int, str, str]:
    return each.weight, each.contribution.spec.name, each.contribution.plugin


def _seen(path: str, known: Sequence[Matches]) -> _Look:
    entries = _entries(path) if any(matches.holds for matches in known) else None
    start = _start(path, [magic for matches in known for magic in matches.magic])
    return _Look(path, start, entries)


def _suggestions(look: _Look, known: Iterable[Contribution]) -> Iterator[Suggestion]:
    for each in known:
        weight, because = _fit(look, each.spec.matches)
        if because:
            yield Suggestion(each, because, weight)


def _fit(look: _Look, matches: Matches) -> tuple[int, str]:
    glob = next((glob for glob in matches.globs if _like(os.path.basename(look.path), glob)), "")
    fits, inside = _inside(look, matches)
    if fits:
        return (0, f"its name fits {glob} and {inside}") if glob else (1, inside)
    if glob and inside:
        return 3, f"its name fits {glob}, but {inside}"
    return (2, f"its name fits {glob}") if glob else (0, "")


def _inside(look: _Look, matches: Matches) -> tuple[bool, str]:
    """Whether what is in a file or folder fits, and how that is said; nothing is said where nothing can be."""
    if matches.holds:
        return (False, "") if look.entries is None else _held(look.path, look.entries, matches)
    if not matches.magic or look.start is None:
        return False, ""
    fits = any(map(look.start.startswith, matches.magic))
    return fits, "its first bytes fit" if fits else "its first bytes do not"


def _held(folder: str, entries: Sequence[str], matches: Matches) -> tuple[bool, str]:
    """The same of a folder: it must hold all that is asked for, and the first of it must begin as asked for."""
    held = [next((entry for entry in entries if _like(entry, pattern)), "") for pattern in matches.holds]
    if "" in held:
        return False, f"it holds no {matches.holds[held.index('')]}"
    if matches.magic:
        start = _start(os.path.join(folder, held[0]), matches.magic)
        if start is None:
            return False, ""
        if not any(map(start.startswith, matches.magic)):
            return False, f"its {held[0]} begins otherwise"
    return True, f"it holds {', '.join(held)}"


def _like(name: str, pattern: str) -> bool:
    return fnmatchcase(name.casefold(), pattern.casefold())


def _start(path: str, magics: Iterable[bytes]) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(max(map(len, magics), default=0))
    except OSError:
        return None


def _entries(folder: str) -> tuple[str, ...] | None:
    try:
        return tuple(sorted(os.listdir(folder)))
    except OSError:
        return None
