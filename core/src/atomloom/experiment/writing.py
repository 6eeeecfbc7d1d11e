"""Experiments as TOML that people like to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

import msgspec
import tomli_w

from atomloom.errors import ConfigError
from atomloom.experiment.keys import Key, quoted, spell
from atomloom.experiment.structs import Experiment

WIDTH = 100
"""Characters of a line up to which an array stays in one line."""


def dumps(experiment: Experiment) -> str:
    """Write an experiment; ``loads(dumps(experiment)) == experiment``.

    What has no value or is switched off, an empty text or an empty table is left out.
    """
    tables = plain_tables(experiment)
    text = "\n".join(_sections(tables, ()))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"the text {error.object[error.start - 20 : error.end]!r} is not UTF-8"
        raise ConfigError("write the experiment", found, "Rename what has this name") from None
    return text


def plain_tables(value: Any, key: Key = ()) -> Any:
    """An experiment as dicts, lists and scalars, without what is not given."""
    if isinstance(value, msgspec.Struct):
        given = ((field.encode_name, getattr(value, field.name)) for field in msgspec.structs.fields(value))
        return {name: plain_tables(inner, (*key, name)) for name, inner in given if not _left_out(inner)}
    if isinstance(value, Mapping):
        return {name: plain_tables(inner, (*key, name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_tables(inner, (*key, index)) for index, inner in enumerate(value)]
    if isinstance(value, bool | int | float | str | datetime | date | time):
        return value
    found = f"TOML cannot hold `{spell(key)}`, a value of type {type(value).__name__}"
    raise ConfigError("write the experiment", found, "Use text, numbers, true and false, arrays and tables")


def _left_out(value: Any) -> bool:
    return value is None or value is False or value in ("", {})


def _sections(table: Mapping[str, Any], key: tuple[str, ...], repeated: bool = False) -> Iterator[str]:
    """The text of `table` with its header, and of the tables below it.

    Only values go through tomli_w: on its own it would write a source on one long line and each array on several.
    """
    below = {name: value for name, value in table.items() if _tables(value)}
    lines = [_entry(name, value) for name, value in table.items() if name not in below]
    if key and (lines or not below or repeated):
        name = ".".join(map(quoted, key))
        lines.insert(0, f"[[{name}]]\n" if repeated else f"[{name}]\n")
    if lines:
        yield "".join(lines)
    for name, value in below.items():
        if isinstance(value, Mapping):
            yield from _sections(value, (*key, name))
        else:
            for item in value:
                yield from _sections(item, (*key, name), repeated=True)


def _tables(value: object) -> bool:
    """Whether a value is written below a header of its own."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Mapping) for item in value)
    return isinstance(value, Mapping)


def _entry(key: str, value: object) -> str:
    if isinstance(value, str):
        # tomli_w would turn the line ends of a multi-line text into \n.
        return tomli_w.dumps({key: value}, multiline_strings="\r\n" not in value)
    return _one_line(tomli_w.dumps({key: value}))


def _one_line(text: str) -> str:
    """Join an array that tomli_w spread over lines, if it is short."""
    joined = ""
    for line in map(str.strip, text.rstrip("\n").split("\n")):
        if line.startswith("]"):
            joined = joined.removesuffix(",") + line
        else:
            joined += line if not joined or joined.endswith("[") else f" {line}"
    return f"{joined}\n" if len(joined) <= WIDTH else text
