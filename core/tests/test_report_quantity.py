"""Numbers with uncertainties as people write them, and the light markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomloom.report.markup import Span, code, spans
from atomloom.report.quantity import fixed, number, quantity


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (1.2345, 0.0012, "1.2345(12)"),
        (1.2345, 0.0049, "1.234(5)"),
        (1.2345, 0.00195, "1.234(2)"),
        (0.0, 0.1, "0.00(10)"),
        (1.0, 0.0997, "1.00(10)"),
        (12.34, 1.43, "12.3 ± 1.4"),
        (12345.6, 51.0, "12350(50)"),
        (99.97, 0.3, "100.0(3)"),
        (-0.0004, 0.003, "0.000(3)"),
        (6.62607015e-34, 1e-38, "6.62607(10)e-34"),
        (1e22, 3e21, "1.0(3)e22"),
        (1e22, 1.5e22, "(1.0 ± 1.5)e22"),
        (1.5, None, "1.500"),
        (1.5, 0.0, "1.500"),
        (1.5, float("inf"), "1.500"),
        (float("nan"), 0.1, "NaN"),
        (240, None, "240"),
    ],
)
def test_uncertainty_decides_the_digits(value: float, uncertainty: float | None, text: str) -> None:
    """The last digits given are those that the uncertainty touches, by the rule of 19."""
    assert quantity(value, uncertainty) == text


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e3))
def test_rounding_moves_a_value_by_less_than_its_uncertainty(value: float, uncertainty: float) -> None:
    """What is printed lies within half an uncertainty of the value."""
    text = quantity(value, uncertainty)
    mantissa, exponent = re.match(r"\(?(-?[\d.]+)[^e]*(?:e(-?\d+))?$", text).groups()  # type: ignore[union-attr]
    assert abs(float(mantissa) * 10.0 ** int(exponent or 0) - value) <= 0.5 * uncertainty + 1e-9 * abs(value)


@given(st.floats(-1e307, 1e307), st.integers(1, 12))
def test_numbers_keep_their_significant_digits(value: float, digits: int) -> None:
    """Reading back what is printed gives the value to as many digits."""
    assert float(number(value, digits)) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits), abs=1e-310)


def test_fixed_decimals_have_no_negative_zero() -> None:
    """A small negative number rounds to 0.00, and a huge one does not fill the page."""
    assert (fixed(-1e-9, 2), fixed(1e300, 2)) == ("0.00", "1.00e300")


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("2 * 3 * 4", ["plain"]),
        ("a*b*c", ["plain"]),
        ("*yes*, `*no*`", ["emphasis", "plain", "code"]),
        ("`open", ["plain"]),
        ("**bold**", ["plain"]),
        ("", []),
    ],
)
def test_only_code_and_emphasis_are_markup(text: str, kinds: list[str]) -> None:
    """Stars between spaces, inside words or doubled, and a lone backtick, are text."""
    assert [span.kind for span in spans(text)] == kinds


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_can_be_quoted(name: str) -> None:
    """`code` makes a span of any name that comes back verbatim."""
    assert list(spans(code(name))) == [Span("code", name)]
