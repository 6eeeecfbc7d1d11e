"""How a field changes when its frame is turned, shifted or relabelled: by its dims and its unit, whatever its name.

Each ``xyz`` among the dims is an axis that turns with the frame. Two rules go beyond that. A length with one ``xyz``
that belongs to an atom, a grid point, a site or a residue is a place, and shifts with the frame. A length with two is
rows of vectors, as the cell is, and turns in the last axis alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Column, Dataset, Packed, PerFrame
from atomloom.data.columns import Array
from atomloom.specs import Field
from atomloom.units import kind

PLACES = frozenset({"atom", "grid", "site", "residue"})
"""Dims of what is somewhere in space."""


def is_place(field: Field) -> bool:
    """Whether the values are places, which move with a frame that is shifted.

    >>> is_place(Field(name="R", dims=("frame", "atom", "xyz"), unit="angstrom"))
    True
    >>> is_place(Field(name="F", dims=("frame", "atom", "xyz"), unit="eV/angstrom"))
    False
    """
    return _is_length(field) and field.dims.count("xyz") == 1 and not PLACES.isdisjoint(field.dims)


def turns(field: Field) -> bool:
    """Whether it is known how the values turn; those of a ``component`` axis are in an order of their own."""
    return "component" not in field.dims


def turned(values: Array, field: Field, rotation: NDArray[np.float64]) -> Array:
    """Rows of a field in a frame that is turned: each cartesian axis ``i`` becomes ``sum_j rotation[i, j] v[j]``.

    >>> quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> turned(np.array([[1.0, 0.0, 2.0]]), Field(name="F", dims=("frame", "atom", "xyz"), unit="eV/A"), quarter)
    array([[0., 1., 2.]])
    """
    for axis in _cartesian(field):
        values = np.moveaxis(np.tensordot(values, rotation, axes=(axis, 1)), -1, axis)
    return values


def turned_frames(dataset: Dataset, rotation: NDArray[np.float64]) -> Dataset:
    """All frames of a data set turned alike."""
    fields = [field for field in dataset.fields.values() if _cartesian(field)]
    return exchanged(dataset, {field.name: turned(dataset[field.name], field, rotation) for field in fields})


def shifted_frames(dataset: Dataset, shift: NDArray[np.float64]) -> Dataset:
    """All frames of a data set shifted alike: places move, everything else stays."""
    places = [name for name, field in dataset.fields.items() if is_place(field)]
    return exchanged(dataset, {name: dataset[name] + shift for name in places})


def relabelled_frames(dataset: Dataset, order: NDArray[np.int64]) -> Dataset:
    """The atoms of all frames in another order, which numbers the atoms of the whole data set."""
    over_atoms = [name for name, field in dataset.fields.items() if field.ragged == "atom"]
    return exchanged(dataset, {name: dataset[name][order] for name in over_atoms})


def exchanged(dataset: Dataset, values: dict[str, Array]) -> Dataset:
    """The data set with other values in some of its fields."""
    columns = {name: column(rows, dataset, name) for name, rows in values.items()}
    return dataset.with_columns(columns, {name: dataset.fields[name] for name in columns})


def column(rows: Array, dataset: Dataset, name: str) -> Column:
    """Rows of a field of `dataset` as a column."""
    axis = dataset.axis(name)
    return Packed(rows, dataset.sizes[axis]) if axis else PerFrame(rows)


def random_rotation(random: np.random.Generator, *, improper: bool = False) -> NDArray[np.float64]:
    """A matrix drawn evenly from all rotations, or from all rotations with a reflection (Mezzadri 2007).

    >>> matrix = random_rotation(np.random.default_rng(0), improper=True)
    >>> bool(np.allclose(matrix @ matrix.T, np.eye(3))), round(float(np.linalg.det(matrix)))
    (True, -1)
    """
    orthogonal, upper = np.linalg.qr(random.normal(size=(3, 3)))
    orthogonal = orthogonal * np.sign(np.diag(upper))
    wanted = -1.0 if improper else 1.0
    matrix: NDArray[np.float64] = orthogonal * np.sign(np.linalg.det(orthogonal)) * wanted
    return matrix


def _cartesian(field: Field) -> tuple[int, ...]:
    """Numbers of the axes of the rows of a field that turn."""
    inner = [dim for dim in field.dims if dim not in {"frame", field.ragged}]
    axes = tuple(number for number, dim in enumerate(inner, start=1) if dim == "xyz")
    if field.dtype in ("bool", "str"):
        return ()
    return axes[1:] if _is_length(field) and len(axes) == 2 else axes


def _is_length(field: Field) -> bool:
    return bool(field.unit) and kind(field.unit) == "a length"
