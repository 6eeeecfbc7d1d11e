"""What the user settles: ``--as FIELD=MEANING``, ``--unit FIELD=UNIT``, ``--drop-bad``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from atomloom.errors import ConfigError
from atomloom.units import ATOMIC, parse

IGNORE = "ignore"
"""The meaning that leaves a field of the source out."""


@dataclass(frozen=True)
class Choices:
    """The user's answers to what a data set leaves open.

    Args:
        meanings: name in the source -> declared field, or `IGNORE`.
        units: field, or its name in the source -> unit in which the source holds it.
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
            if unit.strip().lower() not in ATOMIC:
                parse(unit)
        return known

    def meaning(self, name: str) -> tuple[str, tuple[str, ...]]:
        """The field that the user says a column is, and the order of its components if that was said.

        >>> Choices({"Q": "quadrupole(xx,yy,zz,xy,xz,yz)"}).meaning("Q")
        ('quadrupole', ('xx', 'yy', 'zz', 'xy', 'xz', 'yz'))
        """
        field, bracket, rest = self.meanings[name].partition("(")
        return field.strip(), tuple(part.strip() for part in rest.rstrip(") ").split(",")) if bracket else ()

    def renamed(self, names: Mapping[str, str]) -> Choices:
        """The same choices with units by field where they were given by the names of the source.

        A name that is that of one field here and of another in the source is refused.
        """
        units: dict[str, str] = {}
        for name, unit in self.units.items():
            field = names.get(name, name)
            called = {known: source for source, known in names.items()}
            if name in called and field != name:
                found = f"the source calls {field} so, and the field {name} is its {called[name]!r}"
                todo = f"Write --unit {called[name]}=UNIT or --unit {field}=UNIT"
                raise ConfigError(f"set the unit of {name!r}", found, todo)
            if units.setdefault(field, unit) != unit:
                found = f"both {units[field]} and {unit} are given for it"
                raise ConfigError(f"set the unit of {name!r}", found, "Give one of them")
        return replace(self, units=units)


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """The ``NAME=VALUE`` arguments of an option as a mapping.

    >>> pairs("--as", ["Q=total_charge"])
    {'Q': 'total_charge'}
    """
    split: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ConfigError(f"read {option} {text}", "it is not of the form NAME=VALUE", f"Write {option} NAME=VALUE")
        name, value = name.strip(), value.strip()
        if split.setdefault(name, value) != value:
            found = f"it is given as {split[name]} and as {value}"
            raise ConfigError(f"read {option} {name}", found, f"Give one {option} {name}")
    return split
