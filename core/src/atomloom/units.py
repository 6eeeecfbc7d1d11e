"""Exact conversion between the units that molecular data sets use.

A unit is an expression such as ``kcal/mol/A``, ``hartree bohr^-1`` or ``e*angstrom``; it is parsed to an exact
rational number times powers of the SI base units, so a conversion factor is rounded once, at the end. The mole is a
pure number here: ``kcal/mol`` is an energy per particle. Only the bohr, the hartree and the dalton are measured numbers
(CODATA 2018, https://doi.org/10.1103/RevModPhys.93.025010); everything else follows from definitions.

>>> factor("kcal/mol", "eV")
0.043364104241800934
>>> factor("debye", "e*angstrom")
0.20819433270935597
>>> factor("nm", "eV")
Traceback (most recent call last):
    ...
atomloom.errors.UnitError: Cannot convert 'nm' to 'eV': 'nm' is a length and 'eV' is an energy. \
Give a unit of the same kind.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.errors import UnitError

_BASES = ("m", "kg", "s", "C", "K")
Powers = tuple[int, int, int, int, int]
_SCIENTIFIC = re.compile(r"\s*\d+e[-+]?\d", re.IGNORECASE)


class Unit(NamedTuple):
    """A parsed unit: `scale` in SI units, and the powers of metre, kilogram, second, coulomb and kelvin."""

    scale: Fraction
    powers: Powers

    def times(self, other: Unit, power: int) -> Unit:
        """This unit times `other` to the given power."""
        powers = tuple(a + power * b for a, b in zip(self.powers, other.powers, strict=True))
        return Unit(self.scale * other.scale**power, powers)  # type: ignore[arg-type]  # five in, five out


_NUMBER: Powers = (0, 0, 0, 0, 0)
_LENGTH: Powers = (1, 0, 0, 0, 0)
_MASS: Powers = (0, 1, 0, 0, 0)
_TIME: Powers = (0, 0, 1, 0, 0)
_CHARGE: Powers = (0, 0, 0, 1, 0)
_ENERGY: Powers = (2, 1, -2, 0, 0)
_DIPOLE: Powers = (1, 0, 0, 1, 0)

_KINDS: dict[Powers, str] = {
    _NUMBER: "a pure number",
    _LENGTH: "a length",
    (2, 0, 0, 0, 0): "an area",
    (3, 0, 0, 0, 0): "a volume",
    _MASS: "a mass",
    _TIME: "a time",
    (1, 0, -1, 0, 0): "a velocity",
    _CHARGE: "a charge",
    _ENERGY: "an energy",
    (1, 1, -2, 0, 0): "a force",
    _DIPOLE: "a dipole",
    (2, 0, 0, 1, 0): "a quadrupole",
    (2, 1, -2, -1, 0): "an electrostatic potential",
    (1, 1, -2, -1, 0): "an electric field",
    (-1, 1, -2, 0, 0): "a pressure",
    (0, 0, 0, 0, 1): "a temperature",
}

_E = Fraction("1.602176634e-19")
_AVOGADRO = Fraction("6.02214076e23")
_HARTREE = Fraction("27.211386245988") * _E
_BOHR = Fraction("0.529177210903e-10")
_DALTON = Fraction("1.66053906660e-27")
_DEBYE = Fraction("1e-21") / 299792458
_KCAL = Fraction(4184)
_ATOMIC_TIME_SQUARED = Fraction("9.1093837015e-31") * _BOHR**2 / _HARTREE


def _table(*rows: tuple[str, Fraction | int | str, Powers]) -> dict[str, Unit]:
    return {name: Unit(Fraction(scale), powers) for names, scale, powers in rows for name in names.split()}


_UNITS = _table(
    ("dimensionless unitless number count none multiplicity particle molecule", 1, _NUMBER),
    ("mol mole moles", _AVOGADRO, _NUMBER),
    ("m metre meter", 1, _LENGTH),
    ("nm nanometer nanometre nanometers", Fraction(1, 10**9), _LENGTH),
    ("pm picometer picometre", Fraction(1, 10**12), _LENGTH),
    ("A Å angstrom angstroms ang angstroem ångström", Fraction(1, 10**10), _LENGTH),
    ("bohr bohrs a0 a_0 au_length", _BOHR, _LENGTH),
    ("kg", 1, _MASS),
    ("g gram", Fraction(1, 1000), _MASS),
    ("dalton Da amu u", _DALTON, _MASS),
    ("s second", 1, _TIME),
    ("ps picosecond", Fraction(1, 10**12), _TIME),
    ("fs femtosecond", Fraction(1, 10**15), _TIME),
    ("C coulomb", 1, _CHARGE),
    ("e e0 elementary_charge q_e", _E, _CHARGE),
    ("J joule", 1, _ENERGY),
    ("kJ kilojoule kilojoules", 1000, _ENERGY),
    ("kcal kilocalorie kilocalories", _KCAL, _ENERGY),
    ("cal calorie", Fraction(4184, 1000), _ENERGY),
    ("eV electronvolt electron_volt", _E, _ENERGY),
    ("meV millielectronvolt", _E / 1000, _ENERGY),
    ("hartree hartrees Ha Eh E_h au_energy", _HARTREE, _ENERGY),
    ("mHa mEh millihartree", _HARTREE / 1000, _ENERGY),
    ("rydberg Ry", _HARTREE / 2, _ENERGY),
    ("V volt", 1, (2, 1, -2, -1, 0)),
    ("Pa pascal", 1, (-1, 1, -2, 0, 0)),
    ("GPa gigapascal", 10**9, (-1, 1, -2, 0, 0)),
    ("bar", 10**5, (-1, 1, -2, 0, 0)),
    ("D debye debyes", _DEBYE, _DIPOLE),
    ("K kelvin", 1, (0, 0, 0, 0, 1)),
)
# Case carries meaning in short names (MeV is not meV), so only long ones, and a few that nothing resembles, ignore it.
_ANY_CASE = {
    name.lower(): unit for name, unit in _UNITS.items() if len(name) > 3 or name in {"eV", "kJ", "mol", "ang", "amu"}
}
ATOMIC = frozenset({"au", "a.u.", "atomic units", "atomic_units", "atomic unit"})
"""What stands for the atomic unit of whatever dimension is wanted."""

_SPELLINGS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−∙", "0123456789-+-·")
_TOKEN = re.compile(r"\s*(?:(?P<op>\*\*|[*/^()·⋅×])|(?P<int>[+-]?\d+)|(?P<name>a_?0\b|e0\b|[^\W\d]+))")
_MULTIPLY = frozenset("*·⋅×")
# Units come from files of strangers: no unit needs more, and powers of powers would take forever.
_LONGEST = 100
_LARGEST = 1 << 12
_SINGLE = 4  # bytes


def factor(unit: str, to: str) -> float:
    """The number that a value in `unit` is multiplied by to be in `to`, rounded once from an exact fraction."""
    target = parse(to)
    source = _atomic(target.powers) if unit.strip().lower() in ATOMIC else parse(unit)
    if source.powers != target.powers:
        found = f"{unit!r} is {kind(source)} and {to!r} is {kind(target)}"
        raise UnitError(f"convert {unit!r} to {to!r}", found, "Give a unit of the same kind")
    return _rounded(source.scale / target.scale, unit, to)


def _rounded(ratio: Fraction, unit: str, to: str) -> float:
    try:
        rounded = float(ratio)
    except OverflowError:
        rounded = 0.0
    if not rounded:
        found = "the factor between them is beyond floating point"
        raise UnitError(f"convert {unit!r} to {to!r}", found, "Check the powers in it")
    return rounded


def convert(values: NDArray[Any], unit: str, to: str) -> NDArray[Any]:
    """`values` in `to`; multiplied in float64, and returned in the precision that they came in.

    Integers come back as float64 and half precision, whose largest number is 65504, as float32.

    >>> convert(np.array([1.0, 2.0]), "hartree", "eV")
    array([27.21138625, 54.42277249])
    """
    by = factor(unit, to)
    if by == 1.0:
        return values
    product: NDArray[Any] = np.multiply(values, by, dtype=np.float64)
    if values.dtype.kind != "f":
        return product
    return product.astype(np.float32 if values.dtype.itemsize < _SINGLE else values.dtype)


def kind(unit: Unit | str) -> str:
    """What a unit measures, in words.

    >>> kind("kcal/mol/A")
    'a force'
    """
    powers = (parse(unit) if isinstance(unit, str) else unit).powers
    spelled = " ".join(f"{base}^{power}" for base, power in zip(_BASES, powers, strict=True) if power)
    return _KINDS.get(powers, f"a quantity in {spelled}")


@cache
def parse(text: str) -> Unit:
    """The exact value of a unit expression.

    Products are written with ``*``, ``·`` or a space, quotients with ``/``, powers with ``^``, ``**``, superscripts or
    a bare number behind the name (``mol-1``). As in ``kcal/mol/A``, each ``/`` divides by the factor that follows it.

    >>> parse("eV Å⁻¹") == parse("eV/angstrom")
    True
    """
    if len(text) > _LONGEST:
        raise _misunderstood(f"{text[:20]}...", f"it is {len(text)} characters long")
    tokens = _tokens(text)
    unit, rest = _product(tokens, text)
    if rest:
        raise _misunderstood(text, f"{rest[0][1]!r} stands where a product or quotient should go on")
    return unit


def _tokens(text: str) -> list[tuple[str, str]]:
    if _SCIENTIFIC.match(text):
        raise _misunderstood(text, "a unit has no number in front of it")  # 1e3 eV is not e^3 eV
    tokens, at = [], 0
    plain = unicodedata.normalize("NFC", text).translate(_SPELLINGS).rstrip()
    while at < len(plain):
        match = _TOKEN.match(plain, at)
        if match is None or match.lastgroup is None:
            raise _misunderstood(text, f"{plain[at:].strip()[:1]!r} means nothing in a unit")
        tokens.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return tokens


def _product(tokens: list[tuple[str, str]], text: str) -> tuple[Unit, list[tuple[str, str]]]:
    unit, sign = Unit(Fraction(1), _NUMBER), 1
    while tokens and tokens[0][1] != ")":
        if tokens[0][1] in _MULTIPLY or tokens[0][1] == "/":
            sign = -1 if tokens[0][1] == "/" else 1
            tokens = tokens[1:]
        part, tokens = _power(tokens, text)
        unit = unit.times(part, sign)
        sign = 1
    return unit, tokens


def _power(tokens: list[tuple[str, str]], text: str) -> tuple[Unit, list[tuple[str, str]]]:
    unit, tokens = _atom(tokens, text)
    if tokens and tokens[0][1] in {"^", "**"}:
        tokens = tokens[1:]
        if not tokens or tokens[0][0] != "int":
            raise _misunderstood(text, "a power is not followed by a whole number")
    elif not tokens or tokens[0][0] != "int":
        return unit, tokens
    power = int(tokens[0][1])
    if abs(power) * (unit.scale.numerator.bit_length() + unit.scale.denominator.bit_length()) > _LARGEST:
        raise _misunderstood(text, f"the power {power} is too large")
    return Unit(Fraction(1), _NUMBER).times(unit, power), tokens[1:]


def _atom(tokens: list[tuple[str, str]], text: str) -> tuple[Unit, list[tuple[str, str]]]:
    if not tokens:
        raise _misunderstood(text, "it ends where a unit should follow")
    group, word = tokens[0]
    if word == "(":
        unit, rest = _product(tokens[1:], text)
        if not rest:
            raise _misunderstood(text, "a parenthesis is not closed")
        return unit, rest[1:]
    if group == "int" and word == "1":
        return Unit(Fraction(1), _NUMBER), tokens[1:]
    if group != "name":
        raise _misunderstood(text, f"{word!r} stands where the name of a unit should")
    if word.lower() in {"atom", "atoms"}:
        raise _misunderstood(text, "a value per atom is another quantity than the value of a frame")
    named = _UNITS.get(word) or _ANY_CASE.get(word.lower())
    if named is None:
        raise _misunderstood(text, f"no unit is called {word!r}{_nearest(word)}")
    return named, tokens[1:]


def _atomic(powers: Powers) -> Unit:
    """The atomic unit of a dimension, from bohr, hartree, elementary charge and what follows from them."""
    length, mass, time, charge, temperature = powers
    if temperature or time % 2:
        raise _misunderstood("au", "there is no exact atomic unit of that dimension here")
    electron = Fraction("9.1093837015e-31")
    scale = _BOHR**length * electron**mass * _ATOMIC_TIME_SQUARED ** (time // 2) * _E**charge
    return Unit(scale, powers)


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, _UNITS)
    return f" (near: {', '.join(near)})" if near else ""


def _misunderstood(text: str, found: str) -> UnitError:
    todo = "Write it like 'kcal/mol/angstrom', 'hartree/bohr' or 'e*angstrom', or name it with --unit FIELD=UNIT"
    return UnitError(f"read the unit {text!r}", found, todo)
