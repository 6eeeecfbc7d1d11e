"""Chemical symbols and atomic numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from atomloom.elements import SYMBOLS

_NUMBERS = {symbol.lower(): number for number, symbol in enumerate(SYMBOLS)}


def atomic_number(symbol: str) -> int:
    """The atomic number of a symbol in any case, or of a number in digits; `KeyError` if it is neither.

    >>> atomic_number("Br"), atomic_number("cl"), atomic_number("8")
    (35, 17, 8)
    """
    text = symbol.strip()
    if text.isascii() and text.isdigit() and int(text) < len(SYMBOLS):
        return int(text)
    if text.lower() not in _NUMBERS:
        raise KeyError(text)
    return _NUMBERS[text.lower()]


def atomic_numbers(symbols: Iterable[str]) -> NDArray[np.int64]:
    """The atomic numbers of several symbols."""
    known: dict[str, int] = {}
    found = []
    for symbol in symbols:
        if symbol not in known:
            known[symbol] = atomic_number(symbol)
        found.append(known[symbol])
    return np.array(found, dtype=np.int64)
