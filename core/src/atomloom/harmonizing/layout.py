"""Gives recognised columns the axes of their field: padding dropped, shared values spread over the frames."""

from __future__ import annotations

import numpy as np

from atomloom.data import Column, Constant, Dataset, Mapped, Padded
from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError
from atomloom.harmonizing.findings import Finding
from atomloom.harmonizing.names import Reading
from atomloom.harmonizing.shapes import Form
from atomloom.specs import Field

_COUNTS = {"atom": "N", "grid": "n_grid"}
_BLOCK = 65536
_SIX = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])  # where a component of the matrix stands in xx yy zz xy xz yz


def lay_out(dataset: Dataset, reading: Reading) -> tuple[Dataset, list[Finding]]:
    """The data set with its recognised columns under their field's name, dims and dtype, in the source's unit still."""
    kept = {name: column for name, column in dataset.columns.items() if name not in reading}
    fields = {name: dataset.fields[name] for name in kept}
    shaped = {form.field.name: (name, form, _shaped(dataset.columns[name], form)) for name, form in reading.items()}
    columns: dict[str, Column] = {}
    findings: list[Finding] = []
    lengths: dict[str, Indices] = {}
    for name, (source, form, column) in shaped.items():
        axis = form.field.ragged
        if axis and column.lengths is None:
            if axis not in lengths:
                lengths[axis], note = _lengths(axis, {key: value[2] for key, value in shaped.items()}, column)
                findings.append(note)
            column = Padded(column, lengths[axis])
        columns[name] = _typed(column, form.field)
        fields[name] = form.field.replace(unit=dataset.fields[source].unit)
    return Dataset({**columns, **kept}, fields, dataset.meta), findings


def _shaped(column: Column, form: Form) -> Column:
    if form.six:
        return Mapped(column, lambda values: values[..., _SIX])
    if form.shared:
        value = column.value if isinstance(column, Constant) else column.take(np.arange(column.frames, dtype=np.int64))
        return Constant(value.reshape(form.shape), column.frames, ragged=bool(form.field.ragged))
    if form.shape != column.item:
        return Mapped(column, lambda values: values.reshape(len(values), *form.shape))
    return column


def _typed(column: Column, field: Field) -> Column:
    """Energies in float64 at least, numbers of atoms as integers, and so on."""
    wanted = {"float64": np.float64, "int": np.int64, "bool": np.bool_}.get(field.dtype)
    if field.dtype == "float" and column.dtype.kind in "iub":
        wanted = np.float64
    if wanted is None or column.dtype == wanted or (field.dtype == "int" and column.dtype.kind in "iu"):
        return column
    return Mapped(column, lambda values: _cast(values, np.dtype(wanted), field))


def _cast(values: Array, wanted: np.dtype[np.generic], field: Field) -> Array:
    cast = values.astype(wanted)
    if wanted.kind == "i" and values.dtype.kind == "f" and not np.array_equal(cast, values):
        odd = values[cast != values].ravel()[0]
        raise DataError(
            f"read {field.name}", f"it should hold whole numbers and holds {odd}", "Check which field this is"
        )
    return cast


def _lengths(axis: str, shaped: dict[str, Column], column: Column) -> tuple[Indices, Finding]:
    """The length of each frame along a padded axis: counted in the source, or seen in its padding, or full."""
    longest = column.item[0]
    count = _COUNTS.get(axis, "")
    if count in shaped:
        lengths = shaped[count].take(np.arange(column.frames, dtype=np.int64)).astype(np.int64)
        _check_lengths(lengths, longest, count)
        return lengths, Finding(count, count, "counted", _range(lengths, axis))
    if axis == "atom" and "Z" in shaped and shaped["Z"].lengths is None:
        lengths = _unpadded(shaped["Z"])
        return lengths, Finding("Z", "Z", "padding", f"atoms with Z = 0 are padding; {_range(lengths, axis)}")
    full = np.broadcast_to(np.int64(longest), column.frames)
    return full, Finding(f"{axis} axis", "", "shape", f"{longest} in every frame")


def _unpadded(numbers: Column) -> Indices:
    """Atoms of each frame, where Z is above zero up to there and zero from there on."""
    counts = []
    for start in range(0, numbers.frames, _BLOCK):
        block = numbers.take(np.arange(start, min(start + _BLOCK, numbers.frames), dtype=np.int64)) > 0
        count = block.sum(axis=1)
        holes = np.flatnonzero((block != (np.arange(block.shape[1]) < count[:, None])).any(axis=1))
        if holes.size:
            found = f"in frame {start + int(holes[0])} atoms with Z = 0 stand between others"
            raise DataError("tell padding from atoms", found, "Move padding to the end, or give the field N")
        counts.append(count)
    return np.concatenate(counts).astype(np.int64) if counts else np.zeros(0, dtype=np.int64)


def _check_lengths(lengths: Indices, longest: int, count: str) -> None:
    wrong = np.flatnonzero((lengths < 0) | (lengths > longest))
    if wrong.size:
        found = f"{count} of frame {int(wrong[0])} is {int(lengths[wrong[0]])} and the arrays hold 0 to {longest}"
        raise DataError(f"use {count} as the length of each frame", found, f"Correct {count}, or leave it out")


def _range(lengths: Indices, axis: str) -> str:
    if not len(lengths):
        return "no frames"
    low, high = int(lengths.min()), int(lengths.max())
    return f"{low} {axis}s a frame" if low == high else f"{low} to {high} {axis}s a frame"
