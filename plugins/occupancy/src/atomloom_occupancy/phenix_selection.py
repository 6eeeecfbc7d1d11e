"""Phenix's language for selecting atoms, as far as groups of occupancies need it::

    chain A and resseq 145:150 and (altloc B or name OG)
    not (water or element H) and resid 52A

Values may be quoted, and names may hold the wildcards ``*`` and ``?``. Two conditions side by side are joined by *and*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

import gemmi

_TOKEN = re.compile(r"""\s*("[^"]*"|'[^']*'|[()]|[^\s()"']+)""")
_Test = Callable[[gemmi.CRA], bool]

_TEXTS: dict[str, Callable[[gemmi.CRA], str]] = {
    "chain": lambda cra: cra.chain.name,
    "resname": lambda cra: cra.residue.name,
    "name": lambda cra: cra.atom.name,
    "altloc": lambda cra: cra.atom.altloc.strip("\0"),
    "altid": lambda cra: cra.atom.altloc.strip("\0"),
    "element": lambda cra: cra.atom.element.name.upper(),
    "icode": lambda cra: cra.residue.seqid.icode.strip(),
    "segid": lambda cra: cra.residue.segment,
}
_ALONE: dict[str, _Test] = {
    "all": lambda cra: True,
    "*": lambda cra: True,
    "none": lambda cra: False,
    "water": lambda cra: cra.residue.is_water(),
    "hydrogen": lambda cra: cra.atom.is_hydrogen(),
    "hetero": lambda cra: cra.residue.het_flag == "H",
}
_RESIDUE = re.compile(r"(-?\d+)\s*([A-Za-z]?)")


def select(text: str, atoms: Sequence[gemmi.CRA]) -> list[int]:
    """The numbers of the atoms that a selection names; a `ValueError` says what is not understood."""
    test = _Parser(text).whole()
    return [number for number, cra in enumerate(atoms) if test(cra)]


class _Parser:
    """``or`` binds least, ``not`` most."""

    def __init__(self, text: str) -> None:
        self._tokens, at = [], 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise ValueError(f"the quote at {text[at:].strip()!r} does not end")
            self._tokens.append(found[1])
            at = found.end()

    def whole(self) -> _Test:
        """The test that the whole text stands for."""
        test = self._either()
        if self._tokens:
            raise ValueError("a parenthesis closes that was not opened")
        return test

    def _either(self) -> _Test:
        test = self._both()
        while self._next_is("or"):
            test = _or(test, self._both())
        return test

    def _both(self) -> _Test:
        test = self._single()
        while self._next_is("and") or (self._tokens and self._tokens[0].lower() not in ("or", ")")):
            test = _and(test, self._single())
        return test

    def _single(self) -> _Test:
        word = self._take("a selection").lower()
        if word == "not":
            inner = self._single()
            return lambda cra: not inner(cra)
        if word == "(":
            test = self._either()
            if self._take("a closing parenthesis") != ")":
                raise ValueError("a parenthesis does not close")
            return test
        if word in _ALONE:
            return _ALONE[word]
        if word in _TEXTS:
            return _matches(_TEXTS[word], self._value(word), word == "element")
        if word in ("resseq", "resid", "resi"):
            return self._range(word)
        raise ValueError(f"the keyword {word!r} is not known")

    def _range(self, word: str) -> _Test:
        first = self._value(word)
        if self._next_is("through"):
            first = f"{first}:{self._value(word)}"
        low, colon, high = first.partition(":")
        least = _residue(low, (-(10**6), "")) if low.strip() or not colon else (-(10**6), "")
        most = _residue(high, (10**6, "")) if colon else least
        coded = word != "resseq"

        def test(cra: gemmi.CRA) -> bool:
            number, code = cra.residue.seqid.num or 0, cra.residue.seqid.icode.strip()
            return least <= (number, code) <= most if coded else least[0] <= number <= most[0]

        return test

    def _value(self, word: str) -> str:
        value = self._take(f"a value for {word!r}")
        return value[1:-1] if value[0] in "\"'" else value

    def _take(self, wanted: str) -> str:
        if not self._tokens:
            raise ValueError(f"{wanted} is missing at its end")
        return self._tokens.pop(0)

    def _next_is(self, word: str) -> bool:
        if self._tokens and self._tokens[0].lower() == word:
            self._tokens.pop(0)
            return True
        return False


def _or(first: _Test, second: _Test) -> _Test:
    return lambda cra: first(cra) or second(cra)


def _and(first: _Test, second: _Test) -> _Test:
    return lambda cra: first(cra) and second(cra)


def _matches(read: Callable[[gemmi.CRA], str], value: str, upper: bool) -> _Test:
    pattern = value.strip().upper() if upper else value.strip()
    return lambda cra: fnmatchcase(read(cra), pattern)


def _residue(text: str, missing: tuple[int, str]) -> tuple[int, str]:
    if not text.strip():
        return missing
    found = _RESIDUE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no residue number")
    return int(found[1]), found[2]
