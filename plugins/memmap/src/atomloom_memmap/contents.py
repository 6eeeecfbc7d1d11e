"""What of a data set is stored, and where it is cut into shards and blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from atomloom.data import Dataset
from atomloom.data.bounded import bounded
from atomloom.data.columns import Indices
from atomloom.data.meta import LEVEL, LEVELS, jsonable
from atomloom.errors import DataError, UnitError
from atomloom.specs import UNRESOLVED
from atomloom_memmap.manifest import AxisEntry, FieldEntry, Origin
from atomloom_memmap.part_writer import Planned, file_names

CONVERTED_FROM = "converted_from"
"""The entry of `meta` in which core says which files a data set was read from."""

_APART = "Make a store of each: a model learns one energy surface from one store"
_COUNTS = {"N": "atom", "n_grid": "grid"}
BLOCK_FRAMES = 1 << 14
"""Frames that are read and written at once at most."""


class Block(NamedTuple):
    """A stretch of frames that is read and written at once, and its bytes."""

    start: int
    stop: int
    bytes: int


@dataclass(frozen=True)
class Contents:
    """The fields of a data set as a store holds them.

    Args:
        dataset: what is stored.
        fields: those that get arrays.
        counts: those that the offsets say, by the axis whose lengths they are.
    """

    dataset: Dataset
    fields: dict[str, FieldEntry]
    counts: dict[str, str]

    @classmethod
    def of(cls, dataset: Dataset) -> Contents:
        """Those of a data set; an error says what cannot be stored."""
        _check(dataset)
        counts = {
            name: axis
            for name, axis in _COUNTS.items()
            if name in dataset and axis in dataset.sizes and _says(dataset, name, dataset.sizes[axis])
        }
        fields = {name: _entry(dataset, name) for name in dataset.columns if name not in counts}
        return cls(dataset, fields, counts)

    @cached_property
    def axes(self) -> dict[str, AxisEntry]:
        """The ragged axes."""
        return {axis: AxisEntry.of(lengths) for axis, lengths in self.dataset.sizes.items()}

    @property
    def meta(self) -> dict[str, Any]:
        """What holds for all frames, as plain data, without what the store says elsewhere."""
        kept = {
            key: value for key, value in self.dataset.meta.items() if key not in ("source", "reader", CONVERTED_FROM)
        }
        plain: dict[str, Any] = jsonable(kept)
        return plain

    @property
    def sources(self) -> tuple[Origin, ...]:
        """The files that the frames came from, as far as that is known."""
        return tuple(Origin(**each) for each in self.dataset.meta.get(CONVERTED_FROM, ()))

    @property
    def bytes(self) -> int:
        """What the arrays will take, offsets included and headers not."""
        fixed, per_row = self._sizes
        rows = sum(size * self.axes[axis].rows for axis, size in per_row.items())
        return fixed * len(self.dataset) + rows

    def shards(self, limit: int) -> list[list[Block]]:
        """The frames cut into shards of at most `limit` bytes, or of one block, each given as its blocks."""
        found: list[list[Block]] = []
        held = limit
        for block in self.blocks():
            if held + block.bytes > limit:
                found.append([])
                held = 0
            found[-1].append(block)
            held += block.bytes
        return found

    def blocks(self) -> Iterator[Block]:
        """The frames in the stretches in which they are read and written."""
        fixed, per_row = self._sizes
        columns = list(self.dataset.columns.values())
        for frames in bounded(columns, range(len(self.dataset)), BLOCK_FRAMES):
            start, stop = int(frames[0]), int(frames[-1]) + 1
            rows = sum(size * int(self.dataset.sizes[axis][start:stop].sum()) for axis, size in per_row.items())
            yield Block(start, stop, fixed * (stop - start) + rows)

    def planned(self, start: int, stop: int) -> tuple[dict[str, Planned], dict[str, Planned]]:
        """The arrays of the frames from `start` to `stop`: of the fields, and of the offsets."""
        lengths = {axis: int(sizes[start:stop].sum()) for axis, sizes in self.dataset.sizes.items()}
        files = file_names(self.fields)
        fields = {
            name: Planned(files[name], (lengths.get(entry.axis, stop - start), *entry.item), np.dtype(entry.dtype))
            for name, entry in self.fields.items()
        }
        offsets = {
            axis: Planned(f"offsets-{file}", (stop - start + 1,), np.dtype("<i8"))
            for axis, file in file_names(lengths).items()
        }
        return fields, offsets

    @cached_property
    def _sizes(self) -> tuple[int, dict[str, int]]:
        """Bytes of each frame whatever its size, and of each row along every axis."""
        fixed, per_row = 8 * len(self.dataset.sizes), dict.fromkeys(self.dataset.sizes, 0)
        for entry in self.fields.values():
            size = int(np.prod(entry.item, dtype=np.int64)) * np.dtype(entry.dtype).itemsize
            if entry.axis:
                per_row[entry.axis] += size
            else:
                fixed += size
        return fixed, per_row


def agree(first: Mapping[str, FieldEntry], other: Mapping[str, FieldEntry], called: tuple[str, str]) -> None:
    """Stops where two sources of one store do not hold the same fields in the same units."""
    asked = "put several sources into one store"
    for name in sorted(set(first) ^ set(other)):
        holder, lacking = called if name in first else called[::-1]
        found = f"{name!r} is in {holder} and not in {lacking}"
        raise DataError(asked, found, "Leave the field out with --as NAME=ignore")
    for name, entry in first.items():
        pair = (entry, other[name])
        one, two = ((each.dims, each.unit, each.item, each.axis) for each in pair)
        told = [f"[{' '.join(each.dims)}] {list(each.item)} in {each.unit or 'no unit'}" for each in pair]
        if one == two:
            if _hold_alike(*(np.dtype(each.dtype) for each in pair)):
                continue
            told = [f"of the type {np.dtype(each.dtype)}" for each in pair]
        found = f"{name!r} is {told[0]} in {called[0]} and {told[1]} in {called[1]}"
        raise DataError(asked, found, "Bring them to the same first")


def _hold_alike(one: np.dtype[Any], two: np.dtype[Any]) -> bool:
    """Whether a common type holds the values of both as what they are: no text for numbers, no floats for integers."""
    try:
        joined = np.result_type(one, two)
    except TypeError:
        return False
    return joined.kind in one.kind + two.kind and (one.kind in "US") == (two.kind in "US")


def agree_on_level(first: Mapping[str, Any], other: Mapping[str, Any], called: tuple[str, str]) -> None:
    """Stops where two sources say that they were computed at different levels of theory."""
    one, two = (meta.get(LEVEL) for meta in (first, other))
    if one and two and one != two:
        found = f"{called[0]} is at the level of theory {one!r} and {called[1]} at {two!r}"
        raise DataError("put several sources into one store", found, _APART)


def _check(dataset: Dataset) -> None:
    if not len(dataset):
        raise DataError("pack the data set", "it has no frames", "Check that the source holds what you expect")
    if "F" in dataset and "R" not in dataset:
        found = "it has forces F and no positions R that they act at"
        raise DataError("pack the data set", found, "Bring the positions, or leave the forces out with --as F=ignore")
    if levels := dataset.meta.get(LEVELS):
        found = "; ".join(f"'{file}' is at the level of theory {level!r}" for file, level in levels.items())
        raise DataError("put several sources into one store", found, _APART)
    for name, field in dataset.fields.items():
        if field.unit == UNRESOLVED:
            found = f"nothing says in which unit {name} is held"
            raise UnitError(f"pack the field {name!r}", found, f"Settle it with --unit {name}=UNIT")
        dtype = dataset.columns[name].dtype
        if dtype.hasobject or dtype.kind == "V" or not dtype.itemsize:
            found = f"its values are {'Python objects' if dtype.hasobject else f'of the kind {dtype}'}"
            raise DataError(f"pack the field {name!r}", found, f"Leave it out with --as {name}=ignore")


def _says(dataset: Dataset, name: str, lengths: Indices) -> bool:
    column = dataset.columns[name]
    return (
        not column.ragged and not column.item and column.dtype.kind in "iu" and np.array_equal(dataset[name], lengths)
    )


def _entry(dataset: Dataset, name: str) -> FieldEntry:
    column, field = dataset.columns[name], dataset.fields[name]
    dtype = column.dtype.newbyteorder("<")
    return FieldEntry(field.dims, field.unit, dtype.str, column.item, dataset.axis(name))
