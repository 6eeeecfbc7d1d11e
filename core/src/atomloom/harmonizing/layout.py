"""Gives recognised columns the axes of their field: padding dropped, shared values spread over the frames."""

from __future__ import annotations

from typing import TypeGuard

import numpy as np

from atomloom.data import Column, Constant, Dataset, Mapped, Padded
from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError
from atomloom.harmonizing.findings import Finding
from atomloom.harmonizing.lengths import lengths_along
from atomloom.harmonizing.names import Reading
from atomloom.harmonizing.shapes import Form
from atomloom.specs import Field


def lay_out(dataset: Dataset, reading: Reading) -> tuple[Dataset, list[Finding]]:
    """The data set with its recognised columns under their field's name, dims and dtype, in the source's unit still."""
    kept = {name: column for name, column in dataset.columns.items() if name not in reading}
    tables = {name: column for name, column in kept.items() if _is_table(column, dataset.fields[name])}
    kept = {name: column for name, column in kept.items() if name not in tables}
    meta = {**dataset.meta, **{name: column.value for name, column in tables.items()}}
    fields = {name: dataset.fields[name] for name in kept}
    shaped = {form.field.name: (name, form, _shaped(dataset.columns[name], form)) for name, form in reading.items()}
    columns: dict[str, Column] = {}
    findings: list[Finding] = []
    lengths: dict[str, Indices] = {}
    for name, (source, form, column) in shaped.items():
        axis = form.field.ragged
        if axis and column.lengths is None:
            if axis not in lengths:
                lengths[axis], note = lengths_along(axis, {key: value[2] for key, value in shaped.items()}, column)
                findings.append(note)
            column = Padded(column, lengths[axis])
        columns[name] = _typed(column, form.field)
        fields[name] = form.field.replace(unit=dataset.fields[source].unit)
    return Dataset({**columns, **kept}, fields, meta), findings


def _is_table(column: Column, field: Field) -> TypeGuard[Constant]:
    """Whether it is one unknown array for the whole source, which belongs to `meta` and not to every frame."""
    return isinstance(column, Constant) and not field.dims


def _shaped(column: Column, form: Form) -> Column:
    if form.six:
        places = [[form.order.index("".join(sorted(a + b))) for b in "xyz"] for a in "xyz"]
        return Mapped(column, lambda values: values[..., places])
    if form.shared:
        value = column.value if isinstance(column, Constant) else column.take(np.arange(column.frames, dtype=np.int64))
        return Constant(value.reshape(form.shape), column.frames, ragged=bool(form.field.ragged))
    if form.shape != column.item:
        return Mapped(column, lambda values: values.reshape(len(values), *form.shape))
    return column


def _typed(column: Column, field: Field) -> Column:
    """Energies in float64 at least, numbers of atoms as integers, and so on."""
    wanted: type[np.generic] | None = {"float64": np.float64, "int": np.int64, "bool": np.bool_}.get(field.dtype)
    if field.dtype == "float" and column.dtype.kind in "iub":
        wanted = np.float64
    if wanted is None or column.dtype == wanted or (field.dtype == "int" and column.dtype.kind in "iu"):
        return column
    return Mapped(column, lambda values: _cast(values, np.dtype(wanted), field))


def _cast(values: Array, wanted: np.dtype[np.generic], field: Field) -> Array:
    with np.errstate(invalid="ignore"):
        cast: Array = values.astype(wanted)
    if wanted.kind in "ib" and not np.array_equal(cast, values):
        odd = values[cast != values].ravel()[0]
        kind = "whole numbers" if wanted.kind == "i" else "true or false"
        raise DataError(f"read {field.name}", f"it should hold {kind} and holds {odd}", "Check which field this is")
    return cast
