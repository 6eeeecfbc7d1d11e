"""Keys of nested tables, and how people write them: ``data.source[1].reader``."""

from __future__ import annotations

import json
import re
import tomllib

Key = tuple[str | int, ...]
"""Names of tables and keys, and positions in arrays, from the outermost inwards."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
NAME = r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'"""
"""Regular expression of one part of a TOML key: bare, in double or in single quotes."""
_NEXT = re.compile(rf"(?P<dot>\.)?(?P<name>{NAME})|\[(?P<index>[0-9]+)\]")


def spell(key: Key) -> str:
    """Write a key as TOML would, with positions in arrays counted from zero.

    >>> spell(("data", "source", 1, "reader"))
    'data.source[1].reader'
    >>> spell(("losses", "E per atom"))
    'losses."E per atom"'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{quoted(part)}" for part in key).removeprefix(".")


def parse(text: str) -> Key:
    """Read what `spell` writes; raise ValueError where `text` is no key.

    >>> parse("data.source[1].reader")
    ('data', 'source', 1, 'reader')
    """
    key: Key = ()
    position = 0
    while position < len(text) or not key:
        part = _NEXT.match(text, position)
        if part is None or bool(part["dot"]) != bool(key and part["name"]):
            raise ValueError(f"{text!r} is no key; a key looks like data.source[0].reader")
        key += (unquoted(part["name"])[0] if part["name"] else int(part["index"]),)
        position = part.end()
    return key


def quoted(name: str) -> str:
    """One part of a key, in quotes where TOML needs them."""
    # TOML wants one control character escaped that JSON does not.
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")


def unquoted(dotted: str) -> tuple[str, ...]:
    """The names in a dotted TOML key without positions, as the TOML parser understands them."""
    if '"' not in dotted and "'" not in dotted:
        return tuple(name.strip() for name in dotted.split("."))
    names: tuple[str, ...] = ()
    table: object = tomllib.loads(f"{dotted} = 0")
    while isinstance(table, dict):
        ((name, table),) = table.items()
        names += (name,)
    return names
