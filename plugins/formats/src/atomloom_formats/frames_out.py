"""What the writers of this package have in common: whole frames in canonical units, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from atomloom.data import Batch, Dataset
from atomloom.errors import DataError, UnitError
from atomloom.progress import track
from atomloom.specs import UNRESOLVED

BLOCK = 1024
"""Frames that are taken from the data set at once."""

COUNTED = frozenset({"N", "n_grid"})
"""Fields that follow from the lengths of others and are not written."""

LONGEST = 256
"""Numbers that a field may have in a frame to be written into the head of that frame."""


def check(dataset: Dataset, target: str | Path) -> tuple[str, ...]:
    """The fields to write; stops where positions or elements are missing, a unit is open, or a field does not fit."""
    for name in ("Z", "R"):
        if name not in dataset:
            found = f"it needs {name}, and the data set holds {', '.join(dataset.columns) or 'nothing'}"
            raise DataError(f"write '{target}'", found, "Harmonise the data set first, or write NPZ")
    for name, field in dataset.fields.items():
        if field.unit == UNRESOLVED:
            found = f"nothing says in which unit {name} is held"
            raise UnitError(f"write {name} to '{target}'", found, f"Settle it with --unit {name}=UNIT")
        _check_fits(dataset, name, target)
    return tuple(name for name in dataset.columns if name not in COUNTED)


def _check_fits(dataset: Dataset, name: str, target: str | Path) -> None:
    column, atoms = dataset.columns[name], dataset.sizes["atom"]
    if column.lengths is None:
        size = 1
        for length in column.item:
            size *= length
        if size > LONGEST and name not in COUNTED:
            found = f"{name} has {size} values a frame, and this format holds fields of frames and of atoms"
            raise DataError(f"write {name} to '{target}'", found, f"Write NPZ, or leave it out with --as {name}=ignore")
    elif dataset.fields[name].ragged not in {"atom", ""} or (column.lengths != atoms).any():
        found = "it has a value for something else than each frame or each atom"
        raise DataError(f"write {name} to '{target}'", found, f"Write NPZ, or leave it out with --as {name}=ignore")


def batches(dataset: Dataset, names: tuple[str, ...], target: str | Path) -> Iterator[Batch]:
    """The data set in blocks, with a progress bar."""
    total = -(-len(dataset) // BLOCK)
    yield from track(dataset.blocks(BLOCK, names), total=total, label=f"writing {Path(target).name}")
