"""The literature behind what the installed plugins bring, as a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atomloom.registry import Contribution, registry
from atomloom.runs import bibtex

from .markdown import code, table
from .specs import COLUMNS


def literature(_: str) -> str:
    """Every reference that a contribution asks to be cited, with the contributions that do."""
    cited: dict[str, tuple[bibtex.Entry, list[str]]] = {}
    for each in _all():
        texts = (each.spec.cite,) if isinstance(each.spec.cite, str) else each.spec.cite
        for entry in (entry for text in texts for entry in bibtex.parse(text)):
            cited.setdefault(entry.key, (entry, []))[1].append(f"{code(each.spec.name)} ({each.plugin})")
    rows = [(_linked(entry), ", ".join(dict.fromkeys(users))) for _, (entry, users) in sorted(cited.items())]
    return table(("reference", "for"), rows)


def _all() -> Iterator[Contribution]:
    known = registry()
    for kind in COLUMNS:
        yield from known.all(kind)


def _linked(entry: bibtex.Entry) -> str:
    """The reference as people read it, with its address as a link."""
    return re.sub(r"https?://\S+", r"<\g<0>>", entry.as_text())
