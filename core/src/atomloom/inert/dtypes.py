"""Rebuilds the dtypes of numpy from what a pickle says of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from atomloom.inert.limits import FIELD_LEVELS, FIELDS, Refused
from atomloom.inert.stub import Stub

_CODE = re.compile(r"[?biufcmMSUVO]\d{0,10}")
_ALIGNED = 0x80
"""The flag of a structured dtype whose fields are laid out as a C compiler would."""


def finish_dtype(stub: Stub, state: Any) -> np.dtype[Any] | None:
    """The dtype of ``numpy.dtype(code, False, True)`` and its state; None for kinds that numpy alone does not know.

    The state is ``(version, byte order, subarray, names, fields, itemsize, alignment, flags[, metadata])``.
    """
    code = _code(stub.args or ())
    if code is None:
        return None
    if type(state) is not tuple or not 5 <= len(state) <= 9:
        raise Refused("the state of a dtype has a form that numpy never wrote")
    order, subarray, names, fields = state[1:5]
    if order not in ("<", ">", "|", "="):
        raise Refused("a dtype has an unknown byte order")
    if subarray is not None:
        return _subarray(subarray)
    if names is not None:
        return _structured(names, fields, state)
    dtype = np.dtype(_with_unit(code, state))
    return dtype.newbyteorder(order) if order in "<>" else dtype


def _code(args: tuple[Any, ...]) -> str | None:
    code = args[0] if args else None
    if isinstance(code, Stub) and code.path in ("numpy.record", "numpy.rec.record"):
        return "V"
    return code if type(code) is str and _CODE.fullmatch(code) else None


def _with_unit(code: str, state: tuple[Any, ...]) -> str:
    """The code of a date or duration with its unit, as in ``M8[25s]``."""
    if code[0] not in "mM" or len(state) < 9:
        return code
    unit, count = state[8][1][:2]
    unit = unit.decode("ascii") if type(unit) is bytes else unit
    if type(unit) is not str or not re.fullmatch(r"[a-zA-Zμ]{1,7}", unit) or type(count) is not int:
        raise Refused("a date has an unknown unit")
    return code if unit == "generic" else f"{code}[{count}{unit}]"


def _subarray(subarray: Any) -> np.dtype[Any]:
    base, shape = subarray
    if not isinstance(base, np.dtype):
        raise Refused("the parts of a dtype are not dtypes")
    shape = shape if type(shape) is tuple else (shape,)
    if not all(type(size) is int for size in shape):
        raise Refused("the shape of a dtype is not made of whole numbers")
    return _checked(np.dtype((base, shape)))


def _structured(names: Any, fields: Any, state: tuple[Any, ...]) -> np.dtype[Any]:
    if type(names) is not tuple or type(fields) is not dict or len(names) > FIELDS:
        raise Refused("the fields of a dtype have a form that numpy never wrote")
    entries = [fields[name] for name in names]
    if not all(type(entry) is tuple and isinstance(entry[0], np.dtype) for entry in entries):
        raise Refused("the fields of a dtype are not dtypes")
    layout: dict[str, Any] = {
        "names": list(names),
        "formats": [entry[0] for entry in entries],
        "offsets": [entry[1] for entry in entries],
        "titles": [entry[2] if len(entry) > 2 else None for entry in entries],
        "itemsize": state[5],
    }
    aligned = len(state) > 7 and bool(state[7] & _ALIGNED)
    return _checked(np.dtype(layout, align=aligned))  # type: ignore[call-overload]  # a dict of Any


def _checked(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.hasobject:
        raise Refused("a dtype hides Python objects among its fields")
    _count(dtype, 0)
    return dtype


def _count(dtype: np.dtype[Any], level: int) -> int:
    """How many plain fields it has, all parts included."""
    if level > FIELD_LEVELS:
        raise Refused(f"a dtype is nested more than {FIELD_LEVELS} times")
    if dtype.subdtype is not None:
        return _count(dtype.subdtype[0], level + 1)
    total = 0
    for entry in (dtype.fields or {}).values():
        total += _count(entry[0], level + 1)
        if total > FIELDS:
            raise Refused(f"a dtype has more than {FIELDS} fields")
    return max(total, 1)
