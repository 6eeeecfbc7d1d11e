"""The base of everything in a report: frozen, compared by content, tagged with its kind in JSON.

The pieces are msgspec structs rather than dataclasses: the tag, the omitted defaults and the checked conversion from
JSON come from the declaration itself, so a new kind of figure needs no code for reading or writing.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from atomloom.errors import DataError


class Piece(msgspec.Struct, frozen=True, eq=False, omit_defaults=True):
    """A frozen part of a report, equal to another one that holds the same (NaN equal to NaN)."""

    def __eq__(self, other: object) -> bool:
        """Whether both are of one kind and hold the same values."""
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(getattr(self, name), getattr(other, name)) for name in self.__struct_fields__)

    __hash__ = None  # type: ignore[assignment]  # holds arrays, which have no hash

    def _settle(self, **values: Any) -> None:
        # The one place where a frozen piece changes: its own __post_init__ storing what it was given in its final form.
        for name, value in values.items():
            msgspec.structs.force_setattr(self, name, value)


class Block(Piece, frozen=True, tag_field="type", tag=False):
    """What a section is made of; the subclasses' tags are the ``type`` in the JSON."""


def _same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
        return np.array_equal(mine, theirs, equal_nan=True)
    if isinstance(mine, tuple) and isinstance(theirs, tuple):
        return len(mine) == len(theirs) and all(map(_same, mine, theirs))
    if isinstance(mine, float) and isinstance(theirs, float):
        return mine == theirs or (mine != mine and theirs != theirs)
    return bool(mine == theirs)


def agree(what: str, **lengths: int) -> None:
    """Refuse lengths that differ.

    >>> agree("the series 'train'", x=3, y=2)
    Traceback (most recent call last):
    atomloom.errors.DataError: Cannot make the series 'train': x has 3, y has 2. Give as many of each.
    """
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise DataError(f"make {what}", found, "Give as many of each")


def one_of(what: str, value: str, known: tuple[str, ...]) -> str:
    """`value` if it is one of the `known` words, interned so that an omitted default stays omitted."""
    for word in known:
        if value == word:
            return word
    raise DataError(f"make {what}", f"{value!r} is none of {', '.join(known)}", "Choose one of these")
