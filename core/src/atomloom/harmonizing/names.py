"""Which declared field each column of a source is, by its name, its shape or the user's word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from atomloom.data import Column, Constant, Dataset
from atomloom.data.columns import Indices
from atomloom.data.schema import declared, known_field, named_like
from atomloom.errors import AmbiguousData, ConfigError, DataError
from atomloom.harmonizing.choices import IGNORE, Choices
from atomloom.harmonizing.findings import Finding
from atomloom.harmonizing.shapes import COMPONENTS, Form, contradiction, forms
from atomloom.specs import Field

Reading = Mapping[str, Form]

_NO_NUMBERS = "USc"  # kinds of numpy types that hold text, or complex numbers


class Axes(NamedTuple):
    """What is known of the axes before any field is.

    Args:
        longest: length of the longest frame along the axes that some field shows without doubt.
        packed: lengths that everything over atoms shares where atoms stand one behind the other.
    """

    longest: dict[str, int]
    packed: Indices | None


def recognise(dataset: Dataset, choices: Choices) -> tuple[Reading, list[Finding]]:
    """For each raw column that is recognised, the form in which it holds a declared field."""
    _check_chosen(dataset, choices)
    axes = Axes(_known_lengths(dataset, choices), _packed(dataset, choices))
    reading: dict[str, Form] = {}
    findings: list[Finding] = []
    for name, column in _raw_columns(dataset, choices):
        candidates = _candidates(name, choices)
        form = _chosen(name, column, candidates, axes, choices)
        if form is not None:
            reading[name] = form
        findings.append(_finding(name, column, candidates, form, choices))
    _check_distinct(reading, dataset)
    return reading, findings


def _raw_columns(dataset: Dataset, choices: Choices) -> Iterator[tuple[str, Column]]:
    """The columns that are still to be recognised."""
    for name, column in dataset.columns.items():
        if choices.meanings.get(name) == IGNORE:
            continue
        if dataset.fields[name].dims:
            _check_kept(name, dataset.fields[name], choices)
        else:
            yield name, column


def _chosen(name: str, column: Column, candidates: list[Field], axes: Axes, choices: Choices) -> Form | None:
    """The one form that fits, or None for a column that is no field; every other case is a question."""
    fitting = _fitting(column, candidates, axes)
    if len(fitting) > 1:
        raise _ambiguous(name, column, fitting)
    if fitting:
        return _ordered(name, fitting[0], choices)
    if name in choices.meanings:
        raise _does_not_fit(name, column, candidates[0])
    _check_sizes(name, column, candidates, axes.longest)
    _check_free(name, column)
    return None


def _fitting(column: Column, candidates: list[Field], axes: Axes) -> list[Form]:
    """The forms in which a column can hold one of the candidates, by its shape, its type and its lengths."""
    fitting = [form for field in candidates for form in forms(field, column, axes.longest)]
    if column.dtype.kind in _NO_NUMBERS:
        fitting = [form for form in fitting if form.field.dtype == "str"]
    if column.lengths is not None and column.lengths is axes.packed:
        fitting = [form for form in fitting if form.field.ragged == "atom"]
    return fitting


def _candidates(name: str, choices: Choices) -> list[Field]:
    if name in choices.meanings:
        return [] if choices.meanings[name] == IGNORE else [declared(choices.meaning(name)[0])]
    return named_like(name)


def _ordered(name: str, form: Form, choices: Choices) -> Form:
    """The form with the order of its components; stops where six numbers stand for a matrix and nothing says which."""
    order = choices.meaning(name)[1] if name in choices.meanings else ()
    if not form.six and not order:
        return form
    spelled = tuple("".join(sorted(component)) for component in order)
    if form.six and sorted(spelled) == sorted(COMPONENTS):
        words = f"six components {' '.join(order)}"
        return form._replace(order=spelled, words=words)
    field, usual = form.field.name, ",".join(COMPONENTS)
    todo = f"Settle it with --as '{name}={field}({usual})' or their true order; --as {name}={IGNORE} leaves it out"
    if order:
        found = f"({','.join(order)}) is no order of the components of {'six' if form.six else 'this shape'}"
        raise ConfigError(f"take {name!r} as {choices.meanings[name]!r}", found, todo)
    raise AmbiguousData(f"read {name!r} as {field}", "nothing says in which order its six components stand", todo)


def _known_lengths(dataset: Dataset, choices: Choices) -> dict[str, int]:
    """The longest atom and grid axis, from the one field that shows them without doubt."""
    lengths: dict[str, int] = {}
    for axis, telling, dims in (("atom", "R", 2), ("atom", "Z", 1), ("grid", "vdw_surface", 2)):
        for name, column in dataset.columns.items():
            if _shows(column, dims) and telling in {field.name for field in _candidates(name, choices)}:
                lengths.setdefault(axis, column.item[0])
    return lengths


def _shows(column: Column, dims: int) -> bool:
    """Whether a padded column has an axis of its own, and beyond it that of a vector if there are two."""
    return column.lengths is None and len(column.item) == dims and (dims == 1 or column.item[1] == 3)


def _packed(dataset: Dataset, choices: Choices) -> Indices | None:
    """The lengths that positions lying one behind the other share with everything else over atoms."""
    shared = (
        column.lengths
        for name, column in dataset.columns.items()
        if column.lengths is not None and "R" in {field.name for field in _candidates(name, choices)}
    )
    return next(shared, None)


def _check_chosen(dataset: Dataset, choices: Choices) -> None:
    for name, meaning in choices.meanings.items():
        if name not in dataset.columns:
            found = f"the source holds {', '.join(dataset.columns) or 'no fields'}"
            raise DataError(f"take {name!r} as {meaning!r}", found, "Name one of these in --as")


def _check_kept(name: str, field: Field, choices: Choices) -> None:
    """Stops where the user's word contradicts what the source says of itself."""
    meaning = choices.meanings.get(name, field.name)
    if meaning != field.name:
        found = f"the source itself says that it is {field.name} [{' x '.join(field.dims)}]"
        todo = f"Leave it so, or leave it out with --as {name}={IGNORE}"
        raise DataError(f"take {name!r} as {meaning!r}", found, todo)


def _check_free(name: str, column: Column) -> None:
    """Stops at a column that would stand for a field by its name and is none, since others would take it for one."""
    field = known_field(name)
    if field is not None:
        found = f"it holds {_shape(column)} and {name} is [{' x '.join(field.dims)}] of type {field.dtype}"
        todo = f"Say what it is with --as {name}=FIELD, or leave it out with --as {name}={IGNORE}"
        raise DataError(f"take {name!r} for what its name says", found, todo)


def _check_sizes(name: str, column: Column, candidates: list[Field], lengths: dict[str, int]) -> None:
    """Stops at a column that would be a known field if its sizes agreed with those of the others."""
    for field in candidates:
        found = contradiction(field, column, lengths, column.frames)
        if found:
            raise DataError(
                f"take {name!r} as {field.name}", found, f"Make them agree, or leave it out with --as {name}={IGNORE}"
            )


def _check_distinct(reading: Reading, dataset: Dataset) -> None:
    taken = {field.name: name for name, field in dataset.fields.items() if field.dims}
    for name, form in reading.items():
        other = taken.setdefault(form.field.name, name)
        if other != name:
            found = f"both {other!r} and {name!r} stand for it"
            todo = f"Leave one out with --as {name}={IGNORE}, or say what it is with --as {name}=FIELD"
            raise AmbiguousData(f"find the field {form.field.name!r}", found, todo)


def _ambiguous(name: str, column: Column, fitting: list[Form]) -> AmbiguousData:
    readings = " or ".join(f"{form.field.name} ({form.field.doc.rstrip('.').lower()})" for form in fitting)
    found = f"its shape {_shape(column)} fits {readings}"
    options = " or ".join(_option(name, form) for form in fitting)
    return AmbiguousData(f"tell what {name!r} is", found, f"Settle it with {options}")


def _option(name: str, form: Form) -> str:
    """The option that settles a reading; the one of six components needs their order, and quotes."""
    return f"--as '{name}={form.field.name}({','.join(COMPONENTS)})'" if form.six else f"--as {name}={form.field.name}"


def _does_not_fit(name: str, column: Column, field: Field) -> DataError:
    found = f"its shape is {_shape(column)} and {field.name} is [{' x '.join(field.dims)}]"
    return DataError(
        f"take {name!r} as {field.name!r}", found, "Choose a field of that shape; `atomloom fields` lists them"
    )


def _finding(name: str, column: Column, candidates: list[Field], form: Form | None, choices: Choices) -> Finding:
    if form is not None:
        field = form.field
        exact = name == field.name or len(candidates) == 1
        rule = "your choice" if name in choices.meanings else "name" if exact else "name and shape"
        return Finding(field.name, name, rule, f"{_shape(column)}, {form.words}")
    if candidates:
        wanted = " or ".join(f"{field.name} [{' x '.join(field.dims)}]" for field in candidates)
        note = f"{_shape(column)} does not fit {wanted}; kept under its own name"
        return Finding(name, name, "shape", note, "warning")
    where = "in meta" if isinstance(column, Constant) else "under its own name"
    return Finding(name, name, "none", f"{_shape(column)}, not a known field; kept {where}")


def _shape(column: Column) -> str:
    if isinstance(column, Constant):
        return f"{column.dtype} {' x '.join(map(str, column.value.shape)) or 'number'}"
    frames = "rows" if column.lengths is not None else str(column.frames)
    return f"{column.dtype} {' x '.join([frames, *map(str, column.item)])}"
