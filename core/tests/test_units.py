"""Units: exact factors, many spellings, no unit taken for another."""

from __future__ import annotations

import math
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomloom.errors import UnitError
from atomloom.units import convert, factor, kind, parse

# CODATA 2018, https://physics.nist.gov/cuu/Constants/ArchiveASCII/allascii_2018.txt, as printed there
HARTREE_EV = 27.211386245988
HARTREE_J = 4.3597447222071e-18
BOHR_ANGSTROM = 0.529177210903
AU_FORCE_N = 8.2387234983e-8
AU_DIPOLE_CM = 8.4783536255e-30
AU_QUADRUPOLE_CM2 = 4.4865515246e-40
AU_POTENTIAL_V = 27.211386245988
DALTON_KG = 1.66053906660e-27
AVOGADRO = 6.02214076e23
CHARGE = 1.602176634e-19
KCAL = 4184.0
DEBYE_CM = 3.33564e-30  # CODATA gives the debye by its definition only: 1e-21 / c


@pytest.mark.parametrize(
    ("unit", "to", "expected", "digits"),
    [
        ("hartree", "eV", HARTREE_EV, 15),
        ("hartree", "J", HARTREE_J, 13),
        ("rydberg", "eV", HARTREE_EV / 2, 15),
        ("bohr", "angstrom", BOHR_ANGSTROM, 15),
        ("nm", "angstrom", 10.0, 16),
        ("pm", "angstrom", 0.01, 16),
        ("kcal/mol", "eV", KCAL / AVOGADRO / CHARGE, 15),
        ("kJ/mol", "eV", 1000 / AVOGADRO / CHARGE, 15),
        ("meV", "eV", 0.001, 16),
        ("hartree/bohr", "kg m/s^2", AU_FORCE_N, 10),
        ("hartree/bohr", "eV/angstrom", HARTREE_EV / BOHR_ANGSTROM, 14),
        ("kcal/mol/angstrom", "eV/angstrom", KCAL / AVOGADRO / CHARGE, 15),
        ("kJ/mol/nm", "eV/angstrom", 1000 / AVOGADRO / CHARGE / 10, 15),
        ("debye", "C m", DEBYE_CM, 5),
        ("e*bohr", "C m", AU_DIPOLE_CM, 10),
        ("e*bohr", "e*angstrom", BOHR_ANGSTROM, 15),
        ("debye angstrom", "e angstrom^2", 0.2081943, 6),
        ("e*bohr^2", "C m^2", AU_QUADRUPOLE_CM2, 10),
        ("hartree/e", "V", AU_POTENTIAL_V, 14),
        ("V", "hartree/e", 1 / HARTREE_EV, 14),
        ("dalton", "kg", DALTON_KG, 12),
        ("nm/ps", "angstrom/fs", 0.01, 16),
        ("GPa", "eV/angstrom^3", 1e9 / CHARGE * 1e-30, 15),
        ("e/mol", "e", 1 / AVOGADRO, 15),
    ],
)
def test_factors_are_those_of_codata(unit: str, to: str, expected: float, digits: int) -> None:
    """Every factor equals the one computed from the printed constants."""
    assert factor(unit, to) == pytest.approx(expected, rel=10.0**-digits)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("eV", HARTREE_EV),
        ("angstrom", BOHR_ANGSTROM),
        ("eV/angstrom", HARTREE_EV / BOHR_ANGSTROM),
        ("e*angstrom", BOHR_ANGSTROM),
        ("e*angstrom^2", BOHR_ANGSTROM**2),
        ("hartree/e", 1.0),
        ("e", 1.0),
        ("dimensionless", 1.0),
    ],
)
@pytest.mark.parametrize("spelled", ["au", "a.u.", "AU", " atomic units ", "atomic_units"])
def test_atomic_units_follow_the_dimension(to: str, expected: float, spelled: str) -> None:
    """``au`` is the atomic unit of whatever the target measures."""
    assert factor(spelled, to) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("to", ["angstrom/fs", "K"])
def test_atomic_units_without_an_exact_value_are_refused(to: str) -> None:
    """A dimension whose atomic unit is not at hand is an error and never a guess."""
    with pytest.raises(UnitError, match="no exact atomic unit of that dimension"):
        factor("au", to)


SPELLINGS = {
    "eV/angstrom": [
        "eV/A", "eV/Å", "eV/\u212b", "eV/A\u030a", "eV Å⁻¹", "eV*A^-1", "eV·A**-1", "eV A-1", "EV / Angstrom",
        "electronvolt/angstroem", "ev ang^-1", "(eV)/(A)", "eV⋅Å−1",
    ],
    "kcal/mol/angstrom": [
        "kcal/mol/A", "kcal/(mol*A)", "kcal/(mol A)", "kcal mol-1 A-1", "kcal mol^-1 Å^-1", "Kcal/Mol/Ang",
        "kilocalories/mole/angstrom", "kcal·mol⁻¹·Å⁻¹",
    ],
    "hartree/bohr": ["Ha/bohr", "Eh/a0", "E_h/a_0", "Hartree bohr^-1", "HARTREE/Bohr", "bohr^-1 hartree"],
    "e*angstrom": ["e A", "e·Å", "angstrom e", "elementary_charge*angstrom", "e0 Å"],
    "e*angstrom^2": ["e A2", "e Å²", "e*A**2", "e (A)^2", "e A A"],
    "dimensionless": ["", "1", "unitless", "count", "()", "eV/eV"],
    "1/fs": ["fs^-1", "1/femtosecond", "/fs"],
}  # fmt: skip


@pytest.mark.parametrize(("unit", "spelled"), [(unit, text) for unit, texts in SPELLINGS.items() for text in texts])
def test_spellings_of_a_unit_are_one(unit: str, spelled: str) -> None:
    """However a unit is spelled, its value is the same to the last digit."""
    assert parse(spelled) == parse(unit)


@pytest.mark.parametrize("text", ["MeV", "MEV", "mEV", "mev", "d", "NM", "PM", "MHA", "a", "v", "Cal", "pa"])
def test_case_carries_meaning_in_short_names(text: str) -> None:
    """MeV is not meV: a short name in the wrong case is refused instead of read as another unit."""
    with pytest.raises(UnitError, match="no unit is called"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("foo", "no unit is called 'foo'"),
        ("angstrm", "no unit is called 'angstrm' (near: angstrom"),
        ("eV/", "it ends where a unit should follow"),
        ("eV*", "it ends where a unit should follow"),
        ("eV//A", "'/' stands where the name of a unit should"),
        ("2 eV", "'2' stands where the name of a unit should"),
        ("(eV", "a parenthesis is not closed"),
        ("eV)", "')' stands where a product or quotient should go on"),
        ("eV^", "a power is not followed by a whole number"),
        ("eV^A", "a power is not followed by a whole number"),
        ("0 eV", "'0' stands where the name of a unit should"),
        ("eV$", "'$' means nothing in a unit"),
        ("1e3 eV", "a unit has no number in front of it"),
        ("eV/atom", "a value per atom is another quantity than the value of a frame"),
        ("eV^99999999999", "the power 99999999999 is too large"),
        ("((((mol^9)^9)^9)^9)^9", "the power 9 is too large"),
        ("(" * 5000, "it is 5000 characters long"),
    ],
)
def test_what_is_no_unit_is_told(text: str, found: str) -> None:
    """A unit that is not understood says which part of it, and how to write one."""
    with pytest.raises(UnitError) as error:
        parse(text)
    assert f"Cannot read the unit '{text[:20]}" in str(error.value)
    assert found in str(error.value)
    assert str(error.value).endswith("'e*angstrom', or name it with --unit FIELD=UNIT.")


def test_units_of_different_kinds_are_told_apart() -> None:
    """The message says what each of the two units measures."""
    with pytest.raises(UnitError) as error:
        factor("kcal/mol/A", "eV")
    assert str(error.value) == (
        "Cannot convert 'kcal/mol/A' to 'eV': 'kcal/mol/A' is a force and 'eV' is an energy. "
        "Give a unit of the same kind."
    )


@pytest.mark.parametrize("unit", ["mol^14 eV", "mol^-14 eV"])
def test_a_factor_beyond_floating_point_is_refused(unit: str) -> None:
    """No conversion gives infinities or zeros."""
    with pytest.raises(UnitError, match="beyond floating point"):
        factor(unit, "eV")


@pytest.mark.parametrize(
    ("unit", "words"),
    [("e*angstrom", "a dipole"), ("hartree/e", "an electrostatic potential"), ("m s", "a quantity in m^1 s^1")],
)
def test_kinds_in_words(unit: str, words: str) -> None:
    """What a unit measures is said in words, also where it has no name."""
    assert kind(unit) == words


NAMES = st.sampled_from(["eV", "kcal", "mol", "angstrom", "bohr", "hartree", "e", "debye", "fs", "kg", "K", "V"])
POWERS = st.integers(-3, 3)
TERMS = st.lists(st.tuples(NAMES, POWERS), min_size=1, max_size=3)


def spelled(terms: list[tuple[str, int]]) -> str:
    """A unit expression of these names and powers."""
    return "*".join(f"{name}^{power}" for name, power in terms)


@given(TERMS)
def test_converting_there_and_back_is_the_identity(terms: list[tuple[str, int]]) -> None:
    """A unit divided by itself is the exact number 1, and factors of opposite directions are inverse."""
    unit = spelled(terms)
    assert parse(f"({unit})/({unit})").scale == 1
    forward = parse(unit).scale
    base = " ".join(
        f"{name}^{power}" for name, power in zip(["m", "kg", "s", "C", "K"], parse(unit).powers, strict=True)
    )
    assert factor(unit, base) == float(forward)
    assert factor(unit, base) * factor(base, unit) == pytest.approx(1.0, rel=1e-15)


@given(TERMS, TERMS)
def test_products_of_units_are_products_of_numbers(left: list[tuple[str, int]], right: list[tuple[str, int]]) -> None:
    """Writing two units side by side multiplies them, a slash divides, exactly."""
    one, two = parse(spelled(left)), parse(spelled(right))
    assert parse(f"({spelled(left)}) ({spelled(right)})").scale == one.scale * two.scale
    assert parse(f"({spelled(left)})/({spelled(right)})").scale == one.scale / two.scale


@given(st.text(max_size=30))
def test_any_text_is_a_unit_or_a_unit_error(text: str) -> None:
    """No text makes the parser fail in any other way."""
    with suppress(UnitError):
        assert isinstance(parse(text).scale, Fraction)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8"])
def test_conversion_keeps_the_precision(dtype: str) -> None:
    """Values come back in the type that they came in, and are multiplied in double precision before."""
    values = np.array([1.1, -2.7, 3e3], dtype=dtype)
    converted = convert(values, "hartree", "eV")
    assert converted.dtype == np.dtype(dtype)
    exact = [float(value) * HARTREE_EV for value in values]
    np.testing.assert_array_equal(converted, np.array(exact).astype(dtype))


def test_half_precision_does_not_overflow() -> None:
    """Half precision, which ends at 65504, is widened by a conversion."""
    converted = convert(np.array([30000.0], dtype=np.float16), "hartree", "eV")
    assert converted.dtype == np.float32
    assert converted[0] == pytest.approx(30000 * HARTREE_EV, rel=1e-6)


def test_whole_numbers_become_floats() -> None:
    """Integers are not rounded after a conversion."""
    assert convert(np.array([1, 2]), "hartree", "eV").tolist() == [HARTREE_EV, 2 * HARTREE_EV]


def test_conversion_leaves_its_argument_alone() -> None:
    """The array that is converted is not changed."""
    values = np.array([1.0, math.nan])
    convert(values, "hartree", "eV")
    assert values[0] == 1.0
    assert math.isnan(values[1])
