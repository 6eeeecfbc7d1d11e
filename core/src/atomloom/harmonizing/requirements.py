"""What a model, a loss or a writer asks of a data set."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom.data import Dataset
from atomloom.data.schema import declared
from atomloom.errors import DataError, UnitError
from atomloom.registry import registry
from atomloom.specs import UNRESOLVED


def require(dataset: Dataset, names: Iterable[str], asked: str) -> None:
    """Stops where one of these fields is missing or of unresolved unit.

    Args:
        asked: what needs them, as a verb phrase for the error message.
    """
    wanted = list(names)
    for name in wanted:
        if name not in dataset:
            found = f"it needs {_described(name)}, and the data holds {', '.join(dataset.columns)}"
            todo = f"Bring {name}, or say which field of the source it is with --as NAME={name}"
            raise DataError(asked, found, todo + _could_be_made(name))
    open_units = [name for name in wanted if dataset.fields[name].unit == UNRESOLVED]
    if open_units:
        found = f"nothing says in which unit {' and '.join(open_units)} {'is' if len(open_units) == 1 else 'are'} held"
        options = " ".join(f"--unit {name}=UNIT" for name in open_units)
        raise UnitError(asked, found, f"Settle it with {options}, or under [[data.source]] with unit = {{ ... }}")


def _could_be_made(name: str) -> str:
    """What could make a missing field, and from what."""
    makers = [found for found in registry().all("harmonizers") if name in found.spec.gives]
    ways = [f"{maker.spec.name} of {maker.plugin} makes it from {' and '.join(maker.spec.needs)}" for maker in makers]
    return f"; {'; '.join(ways)}" if ways else ""


def _described(name: str) -> str:
    field = declared(name)
    return f"{name} [{' x '.join(field.dims)}]{f' in {field.unit}' if field.unit else ''}"
