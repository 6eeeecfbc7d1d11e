"""What holds for all frames of a data set, as files can keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

LEVEL = "level_of_theory"
"""The entry that says how energies were computed."""

LEVELS = "levels_of_theory"
"""The entry that says it by source, where several were joined that do not agree."""


def jsonable(value: object) -> Any:
    """A value as JSON can hold it: numpy values as numbers and lists, what it does not know as its text.

    >>> jsonable({"aa_to_id": np.array([1, 2]), 3: {"x"}})
    {'aa_to_id': [1, 2], '3': ['x']}
    """
    if isinstance(value, Mapping):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return jsonable(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
