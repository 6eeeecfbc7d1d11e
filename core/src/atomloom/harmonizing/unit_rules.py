"""Brings each field into its canonical unit, or says that nothing settles the unit it has."""

from __future__ import annotations

from functools import partial

from atomloom.data import Dataset, Mapped
from atomloom.data.schema import declared
from atomloom.errors import DataError, UnitError
from atomloom.harmonizing.choices import Choices
from atomloom.harmonizing.findings import Finding
from atomloom.specs import UNRESOLVED, Field
from atomloom.units import convert


def bring_to_units(dataset: Dataset, choices: Choices) -> tuple[Dataset, list[Finding]]:
    """The data set in canonical units; a field whose unit nothing settles keeps the unit `UNRESOLVED`."""
    known = {name: field for name, field in dataset.fields.items() if field.dims}
    for name in choices.units:
        if name not in known:
            found = f"the data set holds {', '.join(known) or 'no recognised field'}"
            raise DataError(f"set the unit of {name!r}", found, "Name one of these in --unit")
    columns, fields, findings = dict(dataset.columns), dict(dataset.fields), []
    for name, field in known.items():
        wanted = declared(name).unit
        if not wanted or (field.unit == wanted and name not in choices.units):
            continue
        unit, rule = (choices.units[name], "your choice") if name in choices.units else (field.unit, "unit attribute")
        if unit in ("", UNRESOLVED):
            fields[name] = field.replace(unit=UNRESOLVED)
            note = f"nothing says its unit; settle it with --unit {name}=UNIT ({wanted} is kept here)"
            findings.append(Finding(name, name, "none", note, "warning"))
            continue
        columns[name] = Mapped(columns[name], partial(convert, unit=_checked(name, unit, wanted), to=wanted))
        fields[name] = field.replace(unit=wanted)
        findings.append(Finding(name, name, rule, f"{unit} to {wanted}" if unit != wanted else unit))
    return Dataset(columns, fields, dataset.meta), findings


def _checked(name: str, unit: str, wanted: str) -> str:
    from atomloom.units import factor

    try:
        factor(unit, wanted)
    except UnitError as error:
        todo = f"Settle it with --unit {name}=UNIT, such as {wanted}"
        raise UnitError(f"bring {name} to {wanted}", error.found, todo) from error
    return unit


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
                asked, found, f"Settle it with --unit {name}=UNIT ({declared(name).unit} is what core keeps)"
            )


def _wanted(name: str) -> str:
    field: Field = declared(name)
    return f"{name} [{' x '.join(field.dims)}]{f' in {field.unit}' if field.unit else ''}"


def _todo(name: str) -> str:
    return f"Bring {name}, or say which field of the source it is with --as NAME={name}"
