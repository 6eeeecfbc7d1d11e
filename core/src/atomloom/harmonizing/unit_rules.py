"""Brings each field into its canonical unit, or says that nothing settles the unit it has.

In this order a unit is settled by the user's choice, by what the source says (an attribute, or the documentation of its
format), by physics (marked as inferred), or because everybody uses the same. Where physics speaks against what the
source says, the user is asked; against the user's own word it is only mentioned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

from atomloom.data import Dataset, Mapped
from atomloom.data.schema import declared, known_field
from atomloom.errors import DataError, UnitError
from atomloom.harmonizing.choices import Choices
from atomloom.harmonizing.findings import Finding, Level
from atomloom.harmonizing.inference import Evidence, evidence
from atomloom.specs import UNRESOLVED
from atomloom.units import ATOMIC, convert, factor, kind, parse

PER_MOLE = 1e19
"""A unit of so many eV, such as the bare kcal, is one of moles and not of molecules."""

UNIVERSAL = {"mono": "e", "total_charge": "e"}
"""Fields that everybody holds in the same unit."""

SAID_BY = "unit_rules"
"""The entry of `Dataset.meta` in which a reader says for each field how it knows its unit."""

_FIRST = ("R", "E", "F", "mono", "D")  # what is known of these helps to tell the units of others
_SAME = 1e-6


class Settled(NamedTuple):
    """The unit that a field is held in, by which rule, and what is to be said about it."""

    unit: str
    rule: str
    note: str = ""
    level: Level = "ok"


def settle(dataset: Dataset, choices: Choices) -> Dataset:
    """The data set with the units that the user chose, not converted yet, so that what is derived inherits them."""
    chosen = {name: unit for name, unit in choices.units.items() if name in dataset and dataset.fields[name].dims}
    return dataset.with_columns({}, {name: dataset.fields[name].replace(unit=unit) for name, unit in chosen.items()})


def bring_to_units(dataset: Dataset, choices: Choices, settled: Iterable[str] = ()) -> tuple[Dataset, list[Finding]]:
    """The data set in canonical units; a field whose unit nothing settles keeps the unit `UNRESOLVED`.

    Args:
        settled: fields that had the units chosen for them before others were derived from them.
    """
    known = [name for name, field in dataset.fields.items() if field.dims and known_field(name)]
    _check_chosen(choices, known, settled)
    columns, fields, findings = dict(dataset.columns), dict(dataset.fields), []
    units: dict[str, str] = {}
    for name in sorted(known, key=lambda each: (each not in _FIRST, _FIRST.index(each) if each in _FIRST else 0)):
        wanted = declared(name).unit
        if not wanted:
            continue
        found = _settled(dataset, name, choices, units)
        if found.unit == UNRESOLVED:
            fields[name] = fields[name].replace(unit=UNRESOLVED)
        else:
            units[name] = found.unit
            columns[name] = Mapped(columns[name], partial(convert, unit=_checked(name, found.unit, wanted), to=wanted))
            fields[name] = fields[name].replace(unit=wanted)
        if found.rule:
            findings.append(Finding(name, name, found.rule, _note(found, wanted), found.level))
    return Dataset(columns, fields, dataset.meta), findings


def _settled(dataset: Dataset, name: str, choices: Choices, units: Mapping[str, str]) -> Settled:
    """How one field is held."""
    wanted, said = declared(name).unit, dataset.fields[name].unit
    physics = evidence(dataset, name, units)
    if name in choices.units:
        against = _against(choices.units[name], physics)
        return Settled(choices.units[name], "your choice", against, "warning" if against else "ok")
    if said not in ("", UNRESOLVED):
        if against := _against(said, physics):
            raise _contradicted(name, said, against, physics)
        rule = dataset.meta.get(SAID_BY, {}).get(name, "unit attribute")
        return Settled(said, "" if said == wanted and rule == "unit attribute" else rule)
    if physics:
        return Settled(physics.unit, "physics", physics.because, "inferred")
    if name in UNIVERSAL:
        return Settled(UNIVERSAL[name], "the one unit in use")
    note = f"nothing says its unit; --unit {name}=UNIT settles it and has it converted to {wanted}"
    return Settled(UNRESOLVED, "none", note, "warning")


def _note(found: Settled, wanted: str) -> str:
    if found.unit == UNRESOLVED:
        return found.note
    conversion = f"{found.unit} to {wanted}" if found.unit != wanted else found.unit
    return f"{conversion}; {found.note}" if found.note else conversion


def _against(unit: str, physics: Evidence | None) -> str:
    """What physics has to say against a unit; nothing if it agrees or does not know."""
    if physics is None or unit.strip().lower() in ATOMIC or kind(unit) != kind(physics.unit):
        return ""
    agrees = abs(factor(unit, physics.unit) - 1.0) < _SAME
    return "" if agrees else f"physics speaks for {physics.unit}: {physics.because}"


def _contradicted(name: str, said: str, against: str, physics: Evidence | None) -> UnitError:
    speaks_for = physics.unit if physics else said
    found = f"the source says {said}, and {against}"
    todo = f"Settle it with --unit {name}={speaks_for}, or with --unit {name}={said} if the source is right"
    return UnitError(f"settle the unit of {name}", found, todo)


def _checked(name: str, unit: str, wanted: str) -> str:
    try:
        size = factor(unit, wanted)
    except UnitError as error:
        todo = f"Settle it with --unit {name}=UNIT, such as {wanted}"
        raise UnitError(f"bring {name} to {wanted}", error.found, todo) from error
    if size > PER_MOLE and "eV" in wanted:
        found = f"one {unit} is {size:.1e} {wanted}, far too much for a molecule"
        todo = f"Write --unit {name}={unit}/mol if it is a value per mole"
        raise UnitError(f"bring {name} to {wanted}", found, todo)
    return unit


def _check_chosen(choices: Choices, known: list[str], settled: Iterable[str]) -> None:
    for name, unit in choices.units.items():
        if name not in known and name not in settled:
            found = f"the data set holds {', '.join(known) or 'no recognised field'}"
            raise DataError(f"set the unit of {name!r}", found, "Name one of these in --unit")
        if name in known and not declared(name).unit and parse(unit) != parse(""):
            found = f"it is a pure number and {unit} is {kind(unit)}"
            raise UnitError(f"set the unit of {name}", found, "Leave that --unit out")
