"""Which groups of an HDF5 file hold frames, and what of their datasets lies along which axis.

A group holds frames if it has positions of shape [frames, atoms, 3]. Every other dataset of it then has a row for each
frame, or one value for the whole group (the elements of a molecule, its name); anything else is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import h5py
import numpy as np

from atomloom.data.columns import Indices
from atomloom.data.schema import named_like
from atomloom.errors import DataError
from atomloom.progress import track
from atomloom_formats.hdf5_dialects import UNKNOWN, Dialect, dialect_of
from atomloom_formats.hdf5_file import Hdf5

CHECKED = 1000
"""Groups whose unit attributes are read, evenly spread over the file; reading all takes longer than all the rest."""


class Form(NamedTuple):
    """How a group holds a field: its shape without the frames, and whether it is there once for all of them."""

    tail: tuple[int, ...]
    shared: bool
    dtype: np.dtype[Any]
    text: bool


@dataclass
class Groups:
    """The groups of a file that hold frames.

    Attributes:
        file: the file.
        dialect: whose shape it has.
        names: of the groups.
        frames: in each group.
        atoms: in each frame of it.
        forms: by the name of a field its form in each group that has it.
        units: by the name of a field what its unit attribute says.
    """

    file: Hdf5
    dialect: Dialect = UNKNOWN
    names: list[str] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    atoms: list[int] = field(default_factory=list)
    forms: dict[str, dict[int, Form]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    @property
    def starts(self) -> Indices:
        """The first frame of each group, and the number of all."""
        return np.concatenate([[0], np.cumsum(self.frames, dtype=np.int64)])


def find_groups(file: Hdf5) -> Groups:
    """Looks into every group of a file, with a progress bar; reads shapes and no values."""
    found = Groups(file)
    root = file.root
    for name in track(root, total=len(root), label=f"indexing {file.path.name}"):
        for group, datasets in _leaves(root[name]):
            _add(found, group, datasets)
    step = max(1, len(found.names) // CHECKED)
    for number in range(0, len(found.names), step):
        _check_units(found, number)
    return found


def _leaves(entry: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The groups at or below this one that hold datasets, each by its name and with them."""
    if not isinstance(entry, h5py.Group):
        return
    children = dict(entry.items())
    datasets = {name: child for name, child in children.items() if isinstance(child, h5py.Dataset)}
    if datasets:
        yield str(entry.name), datasets
    for child in children.values():
        if isinstance(child, h5py.Group):
            yield from _leaves(child)


def _add(found: Groups, group: str, datasets: Mapping[str, Any]) -> None:
    positions = next((name for name in datasets if _means(name, "R") and datasets[name].ndim == 3), None)
    if positions is None:
        return
    if not found.names:
        found.dialect = dialect_of(datasets)
    frames, atoms = datasets[positions].shape[:2]
    number = len(found.names)
    found.names.append(group)
    found.frames.append(frames)
    found.atoms.append(atoms)
    for name, dataset in datasets.items():
        if not name.endswith(found.dialect.dropped or ("\0",)):
            found.forms.setdefault(name, {})[number] = _form(found, group, name, dataset, (frames, atoms))


def _form(found: Groups, group: str, name: str, dataset: Any, sizes: tuple[int, int]) -> Form:
    frames, atoms = sizes
    shape, dtype = tuple(dataset.shape), dataset.dtype
    text = h5py.check_string_dtype(dtype) is not None
    if dtype.kind not in "iufb" and not text:
        return Form(shape, True, dtype, True)
    once = shape == () or (shape == (1,) and frames != 1)
    elements = shape == (atoms,) and _means(name, "Z")
    letters = text and len(shape) == 1 and shape != (frames,)
    if once or elements or letters or (text and shape in {(), (1,)}):
        return Form(shape, True, dtype, text)
    if shape[:1] == (frames,):
        return Form(shape[1:], False, dtype, text)
    if shape[:1] == (atoms,):
        return Form(shape, True, dtype, text)
    problem = f"in the group '{group}' {name} is {_shown(shape)}, and its positions are {_shown((*sizes, 3))}"
    raise DataError(f"read '{found.file.path}' as HDF5", problem, "Make the datasets of each group agree in frames")


def _check_units(found: Groups, number: int) -> None:
    group = found.file.root[found.names[number]]
    for name, forms in found.forms.items():
        if number not in forms:
            continue
        unit = _unit(group[name])
        known = found.units.setdefault(name, unit)
        if unit != known:
            problem = f"{name} is in {known or 'no unit'} in one group and in {unit or 'no unit'} in '{group.name}'"
            todo = "Bring all groups to one unit, and let their attributes say so"
            raise DataError(f"read '{found.file.path}' as HDF5", problem, todo)


def _unit(dataset: Any) -> str:
    for name in ("units", "unit"):
        if name in dataset.attrs:
            value = dataset.attrs[name]
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return ""


def flat_units(file: Hdf5) -> dict[str, str]:
    """What the unit attributes of the datasets at the top of a file say."""
    return {name: _unit(entry) for name, entry in file.root.items() if isinstance(entry, h5py.Dataset)}


@lru_cache(maxsize=1024)  # of thousands of groups each has the same names
def _means(name: str, field_name: str) -> bool:
    return field_name in {known.name for known in named_like(name)}


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single value"
