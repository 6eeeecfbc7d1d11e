"""Texts of a command line as values of an annotation: ``--charge-range=-2,2``, ``--set training.ema=none``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import NoneType
from typing import Any, get_origin

import msgspec

from atomloom.experiment.check import members

NONE = "none"
"""What stands for "no value", which TOML and command lines lack; for options that may be without one."""


def typed(text: str, kind: Any) -> Any:
    """The value that `text` means where the annotation `kind` is expected.

    What fits no reading comes back as the most natural one, for a message to show.

    >>> typed("5", int), typed("5", str), typed("-2,2", tuple[int, int]), typed("none", int | None)
    (5, '5', [-2, 2], None)
    """
    readings = list(_readings(text, kind))
    for value in readings:
        with suppress(msgspec.ValidationError):
            msgspec.convert(value, kind)
            return value
    return readings[0]


def nullable(kind: Any) -> bool:
    """Whether an annotation allows None."""
    return NoneType in members(kind)


def _readings(text: str, kind: Any) -> Iterator[Any]:
    if text.lower() == NONE and nullable(kind):
        yield None
    natural = _natural(text)
    yield natural
    yield text
    if any(get_origin(member) in (list, tuple) for member in members(kind)):
        parts = [part.strip() for part in text.split(",")]
        yield [_natural(part) for part in parts]
        yield parts


def _natural(text: str) -> Any:
    """A value as TOML or Python would write it, or else the text itself."""
    numbers: tuple[Callable[[str], Any], ...] = (_toml, int, float)
    for read in numbers:
        with suppress(ValueError, RecursionError):
            return read(text)
    return {"true": True, "false": False}.get(text.lower(), text)


def _toml(text: str) -> Any:
    tables = tomllib.loads(f"value = {text}")
    if tables.keys() != {"value"}:
        raise ValueError("more than one value")
    return tables["value"]
