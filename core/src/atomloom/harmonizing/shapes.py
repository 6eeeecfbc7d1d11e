"""Which declared fields a column could be, going by its shape."""

from __future__ import annotations

from typing import NamedTuple

from atomloom.data import Column, Constant
from atomloom.specs import RAGGED, Field

Shape = tuple[int, ...]


class Form(NamedTuple):
    """One way in which a column holds a field.

    Args:
        field: the declaration.
        shape: of one frame, once singleton and flattened axes are undone; its ragged axis comes first.
        shared: every frame has the same value, and the source holds it once.
        words: how a person would call this reading.
    """

    field: Field
    shape: Shape
    shared: bool
    words: str


def forms(field: Field, column: Column, lengths: dict[str, int]) -> list[Form]:
    """All ways in which `column` can hold `field`, where `lengths` are the known longest axes."""
    if column.lengths is not None:
        fits = bool(field.ragged) and _matches(field.dims[2:], column.item, lengths)
        return [Form(field, column.item, False, "one row after the other")] if fits else []
    shared = isinstance(column, Constant)
    found = []
    for shape, words in _spellings(column.item, field):
        if _matches(field.dims[1:], shape, lengths):
            frames = "the same in every frame" if shared else "per frame"
            found.append(Form(field, shape, shared, words or frames))
    if _once_for_all(field, column, lengths):
        found.append(Form(field, (column.frames, *column.item), True, "the same in every frame"))
    return found[:1]


def _spellings(item: Shape, field: Field) -> list[tuple[Shape, str]]:
    """The shape as it stands, without a trailing axis of one, and with a flattened matrix unfolded."""
    spelled = [(item, "")]
    if item and item[-1] == 1:
        spelled.append((item[:-1], ""))
    if field.dims[-2:] == ("xyz", "xyz") and item[-1:] == (9,):
        spelled.append(((*item[:-1], 3, 3), "nine numbers per frame"))
    return spelled


def _once_for_all(field: Field, column: Column, lengths: dict[str, int]) -> bool:
    """An array whose first axis looks like the frames, and is the atoms: as many frames as atoms."""
    size = lengths.get(field.ragged)
    return size is not None and size == column.frames and _matches(field.dims[2:], column.item, lengths)


def _matches(dims: tuple[str, ...], shape: Shape, lengths: dict[str, int]) -> bool:
    if len(dims) != len(shape):
        return False
    for dim, size in zip(dims, shape, strict=True):
        if dim == "xyz" and size != 3:
            return False
        if dim in RAGGED and size != lengths.get(dim, size):
            return False
    return True
