"""Lists of structures to refine: CSV files with a line for each, under the header ``name,model,data``.

``groups`` (a file of states) and ``labels`` (columns of the data) may follow. Paths start from the folder of
the list.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from atomloom.errors import ConfigError

NEEDED = ("name", "model", "data")
OPTIONAL = ("groups", "labels")
_FORBIDDEN = set("/\\\0")


@dataclass(frozen=True)
class Listed:
    """A structure of a list.

    Args:
        name: of its folder.
        model, data: its files.
        groups: a file of states; empty where they are found.
        labels: columns of the data; empty for the first observations.
    """

    name: str
    model: str
    data: str
    groups: str = ""
    labels: str = ""


def read_list(path: str | Path) -> list[Listed]:
    """The structures of a list; whether their files are there is found out when they are refined."""
    path = Path(path)
    asked = f"read the structures in '{path}'"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            _check_header(list(reader.fieldnames or ()), asked)
            found = [_listed(row, path.parent, reader.line_num, asked) for row in reader]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(asked, str(error), "Give a CSV file with the columns name, model and data") from error
    if not found:
        raise ConfigError(asked, "it lists none", "Add a line name,model,data for each structure")
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(asked, f"the name {twice!r} is there twice", "Name every structure once: it is its folder")
    return found


def _check_header(header: list[str], asked: str) -> None:
    missing = [name for name in NEEDED if name not in header]
    if missing:
        found = f"its first line is {','.join(header) or 'empty'!r} without {', '.join(missing)}"
        raise ConfigError(asked, found, f"Begin with the line {','.join(NEEDED)}, and {','.join(OPTIONAL)} if wanted")
    unknown = next((name for name in header if name not in NEEDED + OPTIONAL), None)
    if unknown is not None:
        near = get_close_matches(unknown, NEEDED + OPTIONAL, n=1)
        todo = f"Did you mean {near[0]}?" if near else f"The columns are {', '.join(NEEDED + OPTIONAL)}"
        raise ConfigError(asked, f"it has the unknown column {unknown!r}", todo)


def _listed(row: Mapping[str | None, str | None], folder: Path, line: int, asked: str) -> Listed:
    values = {name: (row.get(name) or "").strip() for name in NEEDED + OPTIONAL}
    empty = [name for name in NEEDED if not values[name]]
    if empty or None in row:
        found = f"line {line} has no {empty[0]}" if empty else f"line {line} has more values than the header"
        raise ConfigError(asked, found, "Correct that line")
    if _FORBIDDEN & set(values["name"]) or values["name"] in (".", ".."):
        found = f"the name {values['name']!r} in line {line} cannot be that of a folder"
        raise ConfigError(asked, found, "Use letters, digits and hyphens")
    paths = {name: str((folder / values[name]).absolute()) for name in ("model", "data", "groups") if values[name]}
    return Listed(**{**values, **paths})
