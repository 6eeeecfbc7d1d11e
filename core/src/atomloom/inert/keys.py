"""Which values may be a dictionary key or a set member.

Hashing happens deep inside the interpreter, where nested or shared tuples could exhaust the stack or take for ever.
So every key is counted before it is hashed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from atomloom.inert.limits import KEY_BITS, KEY_NODES, Refused
from atomloom.inert.stub import Stub

_SIMPLE = frozenset({str, bytes, float, bool, complex, type(None), Stub})


def key(value: Any) -> Any:
    """The value itself, where it may be hashed; else `Refused`.

    >>> key((1, "a"))
    (1, 'a')
    """
    if type(value) not in _SIMPLE:
        _check(value)
    return value


def keys(values: Iterable[Any]) -> list[Any]:
    """All of them, where each may be hashed."""
    return [key(value) for value in values]


def _check(value: Any) -> None:
    waiting = [value]
    seen = 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if type(part) in (tuple, frozenset):
            seen += len(part)
            if seen <= KEY_NODES:
                waiting.extend(part)
        elif not _leaf(part):
            raise Refused(f"a {type(part).__name__} cannot be a key")
        if seen > KEY_NODES:
            raise Refused(f"a key has more than {KEY_NODES} parts")


def _leaf(part: Any) -> bool:
    if type(part) is int and part.bit_length() > KEY_BITS:
        raise Refused(f"a key is a number of more than {KEY_BITS} bits")
    return type(part) in _SIMPLE or isinstance(part, int | np.generic | np.dtype)
