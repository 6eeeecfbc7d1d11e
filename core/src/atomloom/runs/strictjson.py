"""JSON that any reader takes: numbers that are not finite become the texts "NaN", "Infinity" and "-Infinity".

Those are the spellings that Python's ``float`` and JavaScript's ``Number`` understand.

>>> dumps({"loss": float("nan"), "best": [1.5, float("-inf")]})
'{"loss": "NaN", "best": [1.5, "-Infinity"]}'
>>> number("-Infinity")
-inf
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def dumps(value: Any, *, indent: int | None = None) -> str:
    """The JSON of `value`; only plain Python data is taken."""
    return json.dumps(strict(value), indent=indent, ensure_ascii=False, allow_nan=False)


def strict(value: Any) -> Any:
    """The same data with every number that is not finite spelt out."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return value


def number(value: Any) -> float:
    """The number behind what `dumps` wrote for it; nothing at all is not a number."""
    return math.nan if value is None else float(value)
