"""Experiments from files and texts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from atomloom.errors import ConfigError
from atomloom.experiment.check import Homes, check, is_struct, members
from atomloom.experiment.problems import InFile, Place, refuse
from atomloom.experiment.structs import Experiment
from atomloom.experiment.text import ASKED, WRITTEN, parsed, read


def load(path: str | Path) -> Experiment:
    """Read an experiment; its paths stay as they are written (`resolved` completes them).

    Raises:
        ConfigError: with path and line of everything that is wrong in it.
    """
    return loads(read(path), path)


def loads(text: str, path: str | Path = "<text>") -> Experiment:
    """Read an experiment from its TOML text; `path` stands in messages.

    >>> experiment = loads('''
    ... [[data.source]]
    ... path = "dimers.npz"
    ... reader = "npz"
    ... [model]
    ... name = "ridge"
    ... ''')
    >>> experiment.model_name, experiment.data.split.shares
    ('ridge', {'train': 0.8, 'valid': 0.1, 'test': 0.1})
    """
    try:
        return checked(parsed(text, path), InFile(path, text=text))
    except RecursionError:
        raise ConfigError(ASKED, f"'{path}' has brackets within brackets without end", WRITTEN) from None


def checked(tables: dict[str, Any], place: Place) -> Experiment:
    """An experiment from plain tables that came from `place`."""
    refuse(ASKED, check(Experiment, tables, homes=homes()), place)
    return msgspec.convert(tables, Experiment)


@cache
def homes() -> Homes:
    """The table that each key of an experiment belongs to, for keys in the wrong one."""
    found: dict[str, str] = {}
    for name, header in _keys(Experiment, "the top of the file", ""):
        found.setdefault(name, header)  # the data first: `seed` is a key of a search as well
    return found


def _keys(struct: Any, header: str, above: str) -> Iterator[tuple[str, str]]:
    for field in msgspec.structs.fields(struct):
        yield field.encode_name, header
        name = f"{above}.{field.encode_name}".removeprefix(".")
        for member in members(field.type):
            if is_struct(member):
                yield from _keys(member, f"[{name}]", name)
            elif get_origin(member) is list and is_struct(get_args(member)[0]):
                yield from _keys(get_args(member)[0], f"[[{name}]]", name)
