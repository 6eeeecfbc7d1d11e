"""Chemical symbols and atomic numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_TABLE = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc
Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi
Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""

SYMBOLS = ("X", *_TABLE.split())
"""The symbol of each element by its atomic number; ``X`` is a dummy atom, of number 0."""

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
