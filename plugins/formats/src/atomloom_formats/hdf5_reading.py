"""Reads HDF5 files: groups of frames as SPICE, AIMNet2 and ANI have them, or plain arrays without groups.

All groups become one data set, in the order of the file; a field is read from the groups of those frames that are asked
for. Names stay as they are, except that ``species`` of ANI become ``atomic_numbers``, and a level of theory is taken
off names like ``wb97x_dz.energy`` where the file has one level or the option `level` chooses one. Units are those of
the attributes ``units`` or ``unit``, else those that the makers of the data set document.

Fields that only some groups have are left out with a warning. Where a group is one molecule, ``group`` is its name, to
split by: ``split = { group = "group" }`` keeps all conformations of a molecule together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from atomloom.data import Column, Dataset, Mapped, PerFrame
from atomloom.errors import DataError
from atomloom.readers.numpy_files import from_found
from atomloom.specs import Field
from atomloom_formats.elements import atomic_numbers
from atomloom_formats.hdf5_columns import Grouped, PerGroup, PerMolecule
from atomloom_formats.hdf5_dialects import AIMNET2, ANI, dialect_of, level_of
from atomloom_formats.hdf5_file import FlatRows, Hdf5
from atomloom_formats.hdf5_index import Form, Groups, find_groups, flat_units
from atomloom_formats.hdf5_writing import ORDER
from atomloom_formats.left_out import KEY
from atomloom_formats.quadrupoles import matrices

_SYMBOLS = frozenset({"species", "symbols", "elements", "atomic_numbers", "numbers"})


def read(source: str | Path, /, *, level: str = "") -> Dataset:
    """The frames of an HDF5 file as a raw data set.

    Args:
        level: for files with several levels of theory in the names of their fields, the one to read, such as
            ``"wb97x_dz"``; frames whose energy at that level is NaN are left out.
    """
    file = Hdf5(Path(source))
    groups = find_groups(file)
    if not groups.names:
        return _flat(file)
    if not sum(groups.frames):
        raise DataError(f"read '{source}' as HDF5", "it holds no frames", "Check that this is the file you meant")
    dataset = _ordered(_dataset(groups), file)
    levels = level_of(groups.forms, level)
    return _at_level(dataset, levels, Path(source)) if levels else dataset


def _flat(file: Hdf5) -> Dataset:
    """The datasets at the top of a file, as if it were an NPZ."""
    arrays = {
        name: FlatRows(file, name)
        for name, entry in file.root.items()
        if isinstance(entry, h5py.Dataset) and entry.dtype.kind in "iufb"
    }
    if not arrays:
        held = ", ".join(list(file.root)[:5]) or "nothing"
        found = f"no group has positions of shape [frames, atoms, 3]; at its top there is {held}"
        raise DataError(
            f"read '{file.path}' as HDF5", found, "Write it in the shape of SPICE, AIMNet2 or ANI, or as NPZ"
        )
    units, dialect = flat_units(file), dialect_of(arrays)
    known = {name: units.get(name) or dialect.unit(name) for name in arrays}
    rules = {name: dialect.words for name, unit in known.items() if unit and not units.get(name)}
    return from_found(arrays, known, {"source": file.path.name, "unit_rules": rules})


def _dataset(groups: Groups) -> Dataset:
    columns: dict[str, Column] = {}
    left_out: dict[str, str] = {}
    for name, forms in groups.forms.items():
        if len(forms) < len(groups.names):
            left_out[name] = f"{len(forms)} of {len(groups.names)} groups have it"
            continue
        column = _column(groups, name, forms)
        if isinstance(column, str):
            left_out[name] = column
        else:
            six = groups.dialect is AIMNET2 and name == "quadrupole" and column.item == (6,)
            columns[_called(groups, name)] = Mapped(column, matrices) if six else column
    if all(forms.shared for name in _SYMBOLS & set(groups.forms) for forms in groups.forms[name].values()):
        columns.setdefault("group", PerGroup(np.array([name.lstrip("/") for name in groups.names]), groups.starts))
    fields, rules = _fields(groups, columns)
    meta = {"source": groups.file.path.name, "unit_rules": rules, KEY: left_out}
    return Dataset(columns, fields, {key: value for key, value in meta.items() if value})


def _ordered(dataset: Dataset, file: Hdf5) -> Dataset:
    """The frames in the order in which our writer got them."""
    place = str(file.root.attrs.get(ORDER, ""))
    if place not in dataset:
        return dataset
    order = np.argsort(dataset[place], kind="stable")
    return dataset.without(place)[order]


def _fields(groups: Groups, columns: dict[str, Column]) -> tuple[dict[str, Field], dict[str, str]]:
    fields, rules = {}, {}
    for name in columns:
        unit = groups.units.get(name, "")
        if not unit and (unit := groups.dialect.unit(name)):
            rules[name] = groups.dialect.words
        fields[name] = Field(name=name, unit=unit)
    return fields, rules


def _called(groups: Groups, name: str) -> str:
    return "atomic_numbers" if groups.dialect is ANI and name == "species" else name


def _column(groups: Groups, name: str, forms: dict[int, Form]) -> Column | str:
    """The field as a column, or why it cannot be one."""
    if any(form.text for form in forms.values()):
        return _text(groups, name, forms)
    found = list(forms.values())
    sizes = [form.tail for form in found]
    dtype = np.result_type(*{form.dtype for form in found})
    names = [f"{group}/{name}" for group in groups.names]
    shared = np.array([form.shared for form in found])
    varied = len(set(groups.atoms)) > 1
    if not varied and len(set(sizes)) == 1:
        return Grouped(groups.file, names, groups.starts, shared, sizes[0], dtype)
    atoms = np.array(groups.atoms, dtype=np.int64)
    if all(tail[:1] == (count,) for tail, count in zip(sizes, groups.atoms, strict=True)):
        items = {tail[1:] for tail in sizes}
        if len(items) == 1:
            item = items.pop()
            return Grouped(groups.file, names, groups.starts, shared, item if item != (1,) else (), dtype, atoms)
    if len({tail if tail != (1,) else () for tail in sizes}) == 1:
        item = sizes[0] if sizes[0] != (1,) else ()
        return Grouped(groups.file, names, groups.starts, shared, item, dtype)
    raise _disagree(groups, name, sizes)


def _disagree(groups: Groups, name: str, sizes: list[tuple[int, ...]]) -> DataError:
    odd = next(number for number, tail in enumerate(sizes) if len(tail) != len(sizes[0]) or tail[1:] != sizes[0][1:])
    shown = [f"{groups.names[number]}: {groups.atoms[number]} atoms and {list(sizes[number])}" for number in (0, odd)]
    found = f"{name} has shapes in each frame that do not fit together ({'; '.join(shown)})"
    return DataError(f"read '{groups.file.path}' as HDF5", found, "Give it one shape for each atom or each frame")


def _text(groups: Groups, name: str, forms: dict[int, Form]) -> Column | str:
    """Text of each group or frame, or elements that are given as symbols."""
    if any(form.dtype.kind not in "SO" for form in forms.values()):
        return "it holds neither numbers nor text"
    values = [groups.file.all(f"{group}/{name}") for group in groups.names]
    if name in _SYMBOLS and all(np.shape(value) == (count,) for value, count in zip(values, groups.atoms, strict=True)):
        return _elements(groups, name, values)
    if all(form.shared for form in forms.values()):
        return PerGroup(np.array(["".join(np.atleast_1d(value).tolist()) for value in values]), groups.starts)
    if any(form.shared or form.tail for form in forms.values()):
        return "it is text of several words a frame"
    return _per_frame(values)


def _per_frame(values: list[Any]) -> Column:
    return PerFrame(np.concatenate([np.atleast_1d(value).astype(str) for value in values]))


def _elements(groups: Groups, name: str, values: list[Any]) -> Column:
    try:
        numbers = [atomic_numbers(value.tolist()) for value in values]
    except KeyError as error:
        found = f"{name} holds {error}, which is no element"
        raise DataError(f"read '{groups.file.path}' as HDF5", found, "Correct it") from error
    if len(set(groups.atoms)) == 1:
        return PerGroup(np.stack(numbers), groups.starts)
    return PerMolecule(numbers, groups.starts)


def _at_level(dataset: Dataset, level: str, path: Path) -> Dataset:
    """The data set with the fields of one level of theory, and the frames that were computed at it."""
    prefix = f"{level}."
    mine = [name for name in dataset.columns if name.startswith(prefix)]
    if f"{prefix}energy" not in mine:
        levels = sorted({name.rsplit(".", 1)[0] for name in dataset.columns if name.endswith(".energy")})
        found = f"it has {', '.join(levels) or 'no level of theory in its names'}"
        raise DataError(f"read the level {level!r} of '{path}'", found, "Choose one of these as option 'level'")
    others = [name for name in dataset.columns if "." in name and name not in mine]
    chosen = dataset.without(*others)
    rules = dict(dataset.meta.get("unit_rules", {}))
    for name in mine:
        short = name.removeprefix(prefix)
        chosen = chosen.renamed(name, chosen.fields[name].replace(name=short))
        rules[short] = rules.get(name, "")
    computed = np.flatnonzero(~np.isnan(chosen["energy"]))
    chosen = chosen.with_meta(level_of_theory=level, unit_rules={name: rule for name, rule in rules.items() if rule})
    return chosen if len(computed) == len(chosen) else chosen[computed]


def example(folder: str | Path, /) -> Path:
    """Write a tiny file in AIMNet2's shape, for the conformance kit and for tests."""
    target = Path(folder) / "example.h5"
    random = np.random.default_rng(0)
    with h5py.File(target, "w") as file:
        for numbers in ([1, 1], [8, 1, 1]):
            group = file.create_group(f"{len(numbers):03d}")
            group["coord"] = np.arange(len(numbers))[:, None] + random.normal(scale=0.05, size=(2, len(numbers), 3))
            group["numbers"] = np.tile(np.array(numbers, dtype=np.int32), (2, 1))
            group["energy"] = -13.6 * sum(numbers) + random.normal(scale=0.1, size=2)
            group["forces"] = random.normal(size=(2, len(numbers), 3))
            group["charge"] = np.zeros(2, dtype=np.int8)
            group["mult"] = np.ones(2, dtype=np.int8)
    return target
