"""Which declared fields a column could be, going by its shape."""

from __future__ import annotations

from typing import NamedTuple

from atomloom.data import Column, Constant, PerFrame
from atomloom.specs import RAGGED, Field

Shape = tuple[int, ...]

COMPONENTS = ("xx", "yy", "zz", "xy", "xz", "yz")
"""What six numbers of a symmetric matrix may be; in which order they stand differs from program to program."""


class Form(NamedTuple):
    """One way in which a column holds a field.

    Args:
        field: the declaration.
        shape: of one frame, once singleton and flattened axes are undone; its ragged axis comes first.
        shared: every frame has the same value, and the source holds it once.
        words: how a person would call this reading.
        six: a symmetric matrix is held as its six independent components.
        order: in which these stand, as far as it is known.
    """

    field: Field
    shape: Shape
    shared: bool
    words: str
    six: bool = False
    order: tuple[str, ...] = ()


def forms(field: Field, column: Column, lengths: dict[str, int]) -> list[Form]:
    """All ways in which `column` can hold `field`, where `lengths` are the known longest axes."""
    if column.lengths is not None:
        fits = bool(field.ragged) and _matches(field.dims[2:], column.item, lengths)
        return [Form(field, column.item, False, "one row after the other")] if fits else []
    shared = isinstance(column, Constant)
    found = []
    frames = "the same in every frame" if shared else "per frame"
    for shape, words in _spellings(column.item, field, lengths):
        if _matches(field.dims[1:], shape, lengths):
            found.append(Form(field, shape, shared, words or frames))
    if field.dims[1:] == ("xyz", "xyz") and column.item == (6,):
        found.append(Form(field, (3, 3), shared, "six components", six=True))
    if _once_for_all(field, column, lengths):
        found.append(Form(field, (column.frames, *column.item), True, "the same in every frame"))
    return found[:1]


def contradiction(field: Field, column: Column, lengths: dict[str, int], frames: int) -> str:
    """Why a column of the right name cannot hold `field`, where its axes are right and their sizes are not."""
    if isinstance(column, Constant) and column.value.ndim:
        other = forms(field, PerFrame(column.value), {})
        if other and not other[0].shared and len(column.value) != frames:
            return f"it has {len(column.value)} rows and there are {frames} frames"
    other = forms(field, column, {})
    if other and not other[0].six and field.ragged in lengths:
        return f"it has {other[0].shape[0]} {field.ragged}s a frame and others have {lengths[field.ragged]}"
    return ""


def _spellings(item: Shape, field: Field, lengths: dict[str, int]) -> list[tuple[Shape, str]]:
    """The shape as it stands, with or without an axis of one, and with a flattened matrix unfolded."""
    spelled = [(item, "")]
    if lengths.get(field.ragged) == 1:
        spelled.append(((1, *item), ""))
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
