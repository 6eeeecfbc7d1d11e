"""Numbers as people write them: enough digits, and the uncertainty in the last ones.

>>> print(quantity(1.23412, 0.0049), quantity(12345.6, 51.0), quantity(-0.5, 0.021))
1.234(5) 12350(50) -0.50(2)
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal

PLAIN = range(-4, 7)
"""The powers of ten that are written out; outside of them stands an exponent, as in 1.5e-7."""

RULE_OF_19 = 19
"""Two digits of an uncertainty are given up to this, one beyond it (the habit of crystallography)."""

EPSILON = 1e-15
"""An uncertainty that is a smaller part of its value than this is none: a float64 has no digits for it."""

_EXACT = Context(prec=800, rounding=ROUND_HALF_EVEN)  # enough for the longest expansion of a float64


def number(value: float, digits: int = 4) -> str:
    """`value` with this many significant digits; an integer is written in full.

    >>> [number(v) for v in (0.00012345, 2.0, 1234.56, 1e-9, 7, float("nan"))]
    ['0.0001234', '2.000', '1235', '1.000e-9', '7', 'NaN']
    """
    if isinstance(value, int) or value == 0 or not math.isfinite(value):
        return _special(value)
    power = _power(value, digits)
    if power not in PLAIN:
        return _scientific(value, digits)
    return f"{value:.{max(digits - 1 - power, 0)}f}"


def fixed(value: float, decimals: int) -> str:
    """`value` with this many decimals, or with an exponent where that takes too much room.

    >>> fixed(2.0, 3), fixed(1.5e12, 3), fixed(-0.0001, 2)
    ('2.000', '1.500e12', '0.00')
    """
    if not math.isfinite(value):
        return _special(value)
    if value and _power(value, decimals + 1) > PLAIN[-1] + 3:
        return _scientific(value, decimals + 1)
    return f"{value:z.{decimals}f}"


def quantity(value: float, uncertainty: float | None = None, digits: int = 4) -> str:
    """`value` with its standard uncertainty: 1.234(5), or 12.3 ± 1.4 where brackets would mislead.

    Without an uncertainty (None, zero, not finite) it is `number` with `digits` significant digits.

    >>> quantity(12.34, 1.43), quantity(1.5e-7, 2e-9), quantity(3.0)
    ('12.3 ± 1.4', '1.50(2)e-7', '3.000')
    """
    uncertainty = abs(uncertainty or 0.0)
    if not abs(value) * EPSILON < uncertainty < math.inf or not math.isfinite(value):
        return number(value, digits)
    power = max(_power(value, 17) if value else -400, _power(uncertainty, 1))
    shift = 0 if power in PLAIN else power
    tail = f"e{shift}" if shift else ""
    exact, spread = (_EXACT.scaleb(Decimal(repr(float(v))), -shift) for v in (value, uncertainty))
    place, last = _last_digits(spread)
    rounded = f"{_EXACT.quantize(exact, Decimal((0, (1,), place))):zf}"
    if place >= 0:
        return f"{rounded}({last * 10**place}){tail}"
    if spread >= 1:
        plus_minus = f"{rounded} ± {Decimal(last).scaleb(place):f}"
        return f"({plus_minus}){tail}" if tail else plus_minus
    return f"{rounded}({last}){tail}"


def with_unit(text: str, unit: str) -> str:
    """A number and its unit.

    >>> with_unit("1.5", "eV"), with_unit("7", "")
    ('1.5 eV', '7')
    """
    return f"{text} {unit}" if unit else text


def _special(value: float) -> str:
    if isinstance(value, int):
        return str(int(value))
    if math.isnan(value):
        return "NaN"
    return "0" if value == 0 else ("inf" if value > 0 else "-inf")


def _power(value: float, digits: int) -> int:
    # of the rounded value: 9.9996 with four digits is 10.00
    return int(f"{abs(value):.{max(digits - 1, 0)}e}".partition("e")[2])


def _scientific(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{max(digits - 1, 0)}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _last_digits(spread: Decimal) -> tuple[int, int]:
    place = spread.adjusted() - 1
    last = int(_EXACT.scaleb(spread, -place).to_integral_value(ROUND_HALF_EVEN))
    if last <= RULE_OF_19:
        return place, last
    place += 1
    return place, int(_EXACT.scaleb(spread, -place).to_integral_value(ROUND_HALF_EVEN))
