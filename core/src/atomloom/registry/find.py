"""Find: which plugins do the installed distributions name? Nothing of them is imported.

`importlib_metadata` reads the entry points, but only of the distributions whose ``entry_points.txt`` mentions our
group: asking it about all of 150 installed distributions would cost a third of the time of ``atomloom --help``.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from importlib_metadata import Distribution, distributions

from atomloom.hooks import PROJECT
from atomloom.registry.records import CORE, Found, normal

if TYPE_CHECKING:
    from importlib_metadata import IDistribution

_METADATA = (".dist-info", ".egg-info")


class _Entry(NamedTuple):
    name: str
    reference: str
    distribution: str
    version: str


def find(path: Sequence[str] | None = None) -> tuple[Found, ...]:
    """The plugins of the distributions on `path` (``sys.path`` unless given), core's own first, then by name.

    Where a distribution is on the path twice, only the first counts, as it does for imports.
    """
    installed = _installed(sys.path if path is None else path)
    entries = [entry for distribution in installed for entry in _entries(distribution)]
    core = next((entry for entry in entries if normal(entry.distribution) == PROJECT), None)
    others = sorted(entry for entry in entries if entry is not core)
    own = Found(CORE, "atomloom.builtin", PROJECT, core.version if core else "0")
    return (own, *map(Found._make, ((*entry, None) for entry in _told_apart(others))))


def _installed(path: Iterable[str]) -> Iterator[IDistribution]:
    """Distributions whose entry points may be ours, the first of each name on the path."""
    seen: set[str] = set()
    for folder in path:
        try:
            children = sorted(os.listdir(folder or os.curdir))
        except NotADirectoryError:
            yield from _zipped(folder, seen)
            continue
        except OSError:
            continue
        for child in children:
            if (
                child.endswith(_METADATA)
                and not child.startswith("~")
                and not _repeated(child.partition("-")[0].removesuffix(".egg"), seen)
            ):
                metadata = os.path.join(folder, child)
                if _mentions_us(metadata):
                    yield Distribution.at(metadata)


def _zipped(archive: str, seen: set[str]) -> Iterator[IDistribution]:
    for distribution in distributions(path=[archive]):
        if not _repeated(_header(distribution, "Name"), seen):
            yield distribution


def _repeated(name: str, seen: set[str]) -> bool:
    known = normal(name) in seen
    seen.add(normal(name))
    return known


def _mentions_us(metadata: str) -> bool:
    try:
        with open(os.path.join(metadata, "entry_points.txt"), encoding="utf-8", errors="replace") as file:
            return f"[{PROJECT}]" in file.read()
    except OSError:
        return False


def _entries(distribution: IDistribution) -> Iterator[_Entry]:
    name, version = _header(distribution, "Name"), _header(distribution, "Version")
    try:
        entries = [(entry.name, entry.value) for entry in distribution.entry_points if entry.group == PROJECT]
    except (ValueError, TypeError):  # not UTF-8, or a line without a value
        entries = [(name, "(damaged entry_points.txt)")]
    for entry, reference in entries:
        yield _Entry(entry, reference, name, version)


def _header(distribution: IDistribution, field: str) -> str:
    """A field of the metadata's header; parsing all of it as an email costs more than all the rest of finding."""
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except UnicodeDecodeError:
        text = ""
    header = text.partition("\n\n")[0]
    found = (line.partition(":")[2].strip() for line in header.splitlines() if line.startswith(f"{field}:"))
    return next(found, "(unknown)")


def _told_apart(entries: Sequence[_Entry]) -> Iterator[_Entry]:
    """The entries, those whose name is taken renamed to their distribution's."""
    names = Counter([CORE, *(entry.name for entry in entries)])
    distributions_of_shared = Counter(entry.distribution for entry in entries if names[entry.name] > 1)
    for entry in entries:
        if names[entry.name] == 1:
            yield entry
        elif distributions_of_shared[entry.distribution] == 1:
            yield entry._replace(name=entry.distribution)
        else:
            yield entry._replace(name=f"{entry.distribution}.{entry.name}")
