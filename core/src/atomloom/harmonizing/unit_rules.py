"""Brings each field into its canonical unit, or says that nothing settles the unit it has."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from atomloom.data import Dataset, Mapped
from atomloom.data.schema import declared, known_field
from atomloom.errors import DataError, UnitError
from atomloom.harmonizing.choices import Choices
from atomloom.harmonizing.findings import Finding
from atomloom.specs import UNRESOLVED, Field
from atomloom.units import convert, factor, kind, parse

PER_MOLE = 1e19
"""A unit of so many eV, such as the bare kcal, is one of moles and not of molecules."""


def settle(dataset: Dataset, choices: Choices) -> Dataset:
    """The data set with the units that the user chose, not converted yet, so that what is derived inherits them."""
    chosen = {name: unit for name, unit in choices.units.items() if name in dataset and dataset.fields[name].dims}
    return dataset.with_columns({}, {name: dataset.fields[name].replace(unit=unit) for name, unit in chosen.items()})


def bring_to_units(dataset: Dataset, choices: Choices, settled: Iterable[str] = ()) -> tuple[Dataset, list[Finding]]:
    """The data set in canonical units; a field whose unit nothing settles keeps the unit `UNRESOLVED`.

    Args:
        settled: fields that had the units chosen for them before others were derived from them.
    """
    known = {name: field for name, field in dataset.fields.items() if field.dims and known_field(name)}
    for name in choices.units:
        if name not in known and name not in settled:
            found = f"the data set holds {', '.join(known) or 'no recognised field'}"
            raise DataError(f"set the unit of {name!r}", found, "Name one of these in --unit")
    columns, fields, findings = dict(dataset.columns), dict(dataset.fields), []
    for name, field in known.items():
        wanted = declared(name).unit
        if not wanted and name in choices.units:
            _check_pure(name, choices.units[name])
        if not wanted or (field.unit == wanted and name not in choices.units):
            continue
        unit, rule = (choices.units[name], "your choice") if name in choices.units else (field.unit, "unit attribute")
        if unit in ("", UNRESOLVED):
            fields[name] = field.replace(unit=UNRESOLVED)
            note = f"nothing says its unit; --unit {name}=UNIT settles it and has it converted to {wanted}"
            findings.append(Finding(name, name, "none", note, "warning"))
            continue
        columns[name] = Mapped(columns[name], partial(convert, unit=_checked(name, unit, wanted), to=wanted))
        fields[name] = field.replace(unit=wanted)
        findings.append(Finding(name, name, rule, f"{unit} to {wanted}" if unit != wanted else unit))
    return Dataset(columns, fields, dataset.meta), findings


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


def _check_pure(name: str, unit: str) -> None:
    if parse(unit) != parse(""):
        found = f"it is a pure number and {unit} is {kind(unit)}"
        raise UnitError(f"set the unit of {name}", found, "Leave that --unit out")


def require(dataset: Dataset, names: tuple[str, ...], asked: str) -> None:
    """Stops where one of these fields is missing or of unresolved unit.

    Args:
        asked: what needs them, as a verb phrase for the error message.
    """
    for name in names:
        if name not in dataset.columns:
            raise DataError(
                asked, f"it needs {_wanted(name)}, and the data holds {', '.join(dataset.columns)}", _todo(name)
            )
        if dataset.fields[name].unit == UNRESOLVED:
            found = f"nothing says in which unit {name} is held"
            raise UnitError(
                asked, found, f"Settle it with --unit {name}=UNIT; it is converted to {declared(name).unit}"
            )


def _wanted(name: str) -> str:
    field: Field = declared(name)
    return f"{name} [{' x '.join(field.dims)}]{f' in {field.unit}' if field.unit else ''}"


def _todo(name: str) -> str:
    return f"Bring {name}, or say which field of the source it is with --as NAME={name}"
