"""The comment line of an extended XYZ frame: ``Properties=species:S:1:pos:R:3 energy=-2079.1 pbc="F F F"``."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PLAIN = "species:S:1:pos:R:3"
"""The columns of a frame whose comment line names none."""

_SIMPLE = re.compile(r"""\s*([^\s="'{}\[\]\\]+)=(?:"([^"\\]*)"|([^\s="'{}\[\]\\]+))(?=\s|$)""")
"""A key with a value that is one word or stands in double quotes; ASE parses whatever else there may be."""

_TRUTH = {"T": True, "F": False, "True": True, "False": False, "TRUE": True, "FALSE": False}
_TRUTH |= {"true": True, "false": False}
_FORTRAN_ORDER = frozenset({"Lattice", "virial", "stress"})  # as ASE has it

_KINDS = {"R": np.dtype(np.float64), "I": np.dtype(np.int64), "L": np.dtype(np.bool_), "S": np.dtype(np.str_)}
_NAMES = {"pos": "positions", "Z": "numbers", "charge": "charges"}  # as ASE calls them


class Place(NamedTuple):
    """Which words of an atom's line hold a property."""

    dtype: np.dtype[Any]
    first: int
    width: int

    @property
    def item(self) -> tuple[int, ...]:
        """The shape of its value for one atom."""
        return () if self.width == 1 else (self.width,)


def keys_of(comment: str) -> dict[str, str]:
    """The keys and values of a comment line, as text; words without a value are left out.

    >>> keys_of('energy=-1.5 pbc="T T F" made by hand')
    {'energy': '-1.5', 'pbc': 'T T F'}
    """
    found: dict[str, str] = {}
    at = 0
    while match := _SIMPLE.match(comment, at):
        found[match[1]] = match[2] if match[3] is None else match[3]
        at = match.end()
    return found if not comment[at:].strip() else _as_ase_reads(comment)


def _as_ase_reads(comment: str) -> dict[str, str]:
    from ase.io.extxyz import key_val_str_to_dict

    # ASE converts numbers as well; of those only the text is of use here, where every value is read by one rule.
    try:
        read = key_val_str_to_dict(comment)
    except ValueError:
        return {}
    return {key: _text(value, key) for key, value in read.items() if value is not True or f"{key}=" in comment}


def _text(value: Any, key: str) -> str:
    if isinstance(value, np.ndarray):
        flat = value.ravel(order="F") if key in _FORTRAN_ORDER else value
        return " ".join(map(repr, flat.tolist())) if flat.ndim == 1 else f"_JSON {json.dumps(value.tolist())}"
    if isinstance(value, list) and all(isinstance(each, bool) for each in value):
        return " ".join("T" if each else "F" for each in value)
    if isinstance(value, list | dict):
        return f"_JSON {json.dumps(value)}"
    return str(value)


def number(key: str, text: str) -> NDArray[Any] | None:
    """The value of a key as numbers or truth values; None if it is neither.

    A single one has no axis; nine under a key that ASE takes for a matrix are one, its columns first.
    """
    if text.startswith("_JSON"):
        return _json(text[len("_JSON") :])
    words = text.replace(",", " ").split()
    if not words:
        return None
    if all(word in _TRUTH for word in words):
        values: NDArray[Any] = np.array([_TRUTH[word] for word in words])
    else:
        try:
            values = np.array([float(word) for word in words])
        except ValueError:
            return None
    if key in _FORTRAN_ORDER and values.shape == (9,):
        return values.reshape((3, 3), order="F")
    return values[0, ...] if len(values) == 1 else values


def _json(text: str) -> NDArray[Any] | None:
    try:
        values = np.array(json.loads(text))
    except ValueError:
        return None
    return values.astype(np.float64) if values.dtype.kind in "if" else values if values.dtype.kind == "b" else None


def places(properties: str) -> tuple[dict[str, Place], int]:
    """Which words of an atom's line hold what, and how many words there are, by the value of ``Properties``.

    >>> places("species:S:1:pos:R:3")[0]["positions"].first
    1
    """
    words = properties.split(":")
    if len(words) % 3:
        raise ValueError(f"Properties={properties} is not a list of name:kind:number")
    found: dict[str, Place] = {}
    first = 0
    for name, kind, width in zip(words[::3], words[1::3], words[2::3], strict=True):
        if kind not in _KINDS or not width.isdigit() or int(width) < 1:
            raise ValueError(f"Properties={properties} gives {name} the kind {kind}:{width}")
        found[_NAMES.get(name, name)] = Place(_KINDS[kind], first, int(width))
        first += int(width)
    return found, first
