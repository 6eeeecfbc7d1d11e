"""What the user settles: ``--as FIELD=MEANING``, ``--unit FIELD=UNIT``, ``--drop-bad``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from atomloom.errors import ConfigError
from atomloom.units import parse

IGNORE = "ignore"
"""The meaning that leaves a field of the source out."""


@dataclass(frozen=True)
class Choices:
    """The user's answers to what a data set leaves open.

    Args:
        meanings: name in the source -> declared field, or `IGNORE`.
        units: field -> unit in which the source holds it.
        drop_bad: leave out frames with NaN or infinite positions instead of stopping.
    """

    meanings: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    drop_bad: bool = False

    @classmethod
    def of(cls, choices: Choices | Mapping[str, Any] | None) -> Choices:
        """Choices from the mapping form ``{"as": {...}, "unit": {...}, "drop_bad": ...}``."""
        if isinstance(choices, Choices):
            return choices
        given = dict(choices or {})
        known = cls(given.pop("as", {}), given.pop("unit", {}), bool(given.pop("drop_bad", False)))
        if given:
            raise ConfigError(
                "settle the choices", f"{sorted(given)} are not choices", "Use 'as', 'unit' or 'drop_bad'"
            )
        for unit in known.units.values():
            parse(unit)
        return known


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """The ``NAME=VALUE`` arguments of an option as a mapping.

    >>> pairs("--as", ["Q=total_charge"])
    {'Q': 'total_charge'}
    """
    split = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ConfigError(f"read {option} {text}", "it is not of the form NAME=VALUE", f"Write {option} NAME=VALUE")
        split[name.strip()] = value.strip()
    return split
