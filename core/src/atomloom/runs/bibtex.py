"""Just enough of BibTeX to tell entries apart and to read them out.

>>> entry = parse("@article{e3x, author = {Unke, Oliver and Maennel, Hartmut}, title = {E3x: {E(3)}}, year = 2024}")[0]
>>> entry.key, entry.fields["title"]
('e3x', 'E3x: {E(3)}')
>>> print(entry.as_text())
Unke, Oliver; Maennel, Hartmut (2024). E3x: E(3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_START = re.compile(r"@\s*(\w+)\s*\{\s*([^,\s}]*)\s*,")
_FIELD = re.compile(r"\s*([\w-]+)\s*=\s*")
_IGNORED = frozenset({"comment", "string", "preamble"})


class Entry(NamedTuple):
    """One entry of a bibliography.

    Args:
        kind: ``article``, ``software``, ...
        key: what it is cited by.
        fields: its fields, by lower-case name, without their outer braces or quotes.
        source: the entry as it was written.
    """

    kind: str
    key: str
    fields: Mapping[str, str]
    source: str

    def renamed(self, key: str) -> Entry:
        """The same entry under another key."""
        source = re.sub(r"(\{\s*)" + re.escape(self.key), lambda found: found[1] + key, self.source, count=1)
        return self._replace(key=key, source=source)

    def as_text(self) -> str:
        """The entry as a line of a list of references."""
        field = {name: _plain(value) for name, value in self.fields.items()}
        authors = field.get("author", "").replace(" and ", "; ") or field.get("editor", "") or self.key
        year = f" ({field['year']})" if "year" in field else ""
        where = field.get("journal") or field.get("booktitle") or field.get("howpublished") or field.get("publisher")
        volume = " ".join(filter(None, (where, field.get("volume"), field.get("pages"))))
        version = f"Version {field['version']}" if "version" in field else ""
        link = f"https://doi.org/{field['doi']}" if "doi" in field else field.get("url", "")
        parts = [f"{authors}{year}".strip(), field.get("title", ""), version, volume, link]
        return ". ".join(part.rstrip(".") for part in parts if part) + ("" if link else ".")


def parse(text: str) -> list[Entry]:
    """The entries in `text`; what is no entry is passed over, and one that is cut short reaches to the end."""
    entries = []
    for start in _START.finditer(text):
        if start[1].lower() not in _IGNORED:
            end = _closing(text, text.index("{", start.start()))
            fields = _fields(text[start.end() : end])
            entries.append(Entry(start[1].lower(), start[2], fields, text[start.start() : end + 1]))
    return entries


def merged(entries: list[Entry]) -> list[Entry]:
    """Each entry once; different entries that share a key are told apart by a suffix."""
    unique: dict[str, Entry] = {}
    for entry in entries:
        taken = [one for one in unique.values() if one.key.startswith(entry.key)]
        if any(_same(one, entry) for one in taken):
            continue
        key, number = entry.key, 1
        while key in unique:
            number += 1
            key = f"{entry.key}-{number}"
        unique[key] = entry if key == entry.key else entry.renamed(key)
    return list(unique.values())


def _same(one: Entry, other: Entry) -> bool:
    return one.kind == other.kind and _squeezed(one.fields) == _squeezed(other.fields)


def _squeezed(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: " ".join(value.split()) for name, value in fields.items()}


def _fields(body: str) -> dict[str, str]:
    fields, position = {}, 0
    while found := _FIELD.match(body, position):
        value, position = _value(body, found.end())
        fields[found[1].lower()] = " ".join(value.split())
    return fields


def _value(body: str, start: int) -> tuple[str, int]:
    """The value that starts at `start`, and where the next field may start."""
    if body[start : start + 1] == "{":
        end = _closing(body, start)
        value = body[start + 1 : end]
    elif body[start : start + 1] == '"':
        end = body.find('"', start + 1)
        end = len(body) if end < 0 else end
        value = body[start + 1 : end]
    else:
        end = body.find(",", start)
        end = len(body) if end < 0 else end
        value = body[start:end]
    comma = body.find(",", end)
    return value.strip(), len(body) if comma < 0 else comma + 1


def _closing(text: str, opening: int) -> int:
    """Where the brace that opens at `opening` is closed; the end of the text if it is not."""
    depth = 0
    for position in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return len(text)


def _plain(value: str) -> str:
    return re.sub(r"[{}]", "", value).replace("--", "-").replace("~", " ").strip()
