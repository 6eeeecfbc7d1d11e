"""What users add to the rows of an ASE database: key-value pairs, and data as SchNetPack keeps its properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from atomloom.data.columns import Array
from atomloom_formats.ase_tables import Tables


class Added(NamedTuple):
    """A field that users added.

    Args:
        place: the column of ``systems`` in which it is.
        item: shape of a row.
        dtype: of its values.
        ragged: whether there is a row for each atom.
    """

    place: str
    item: tuple[int, ...]
    dtype: np.dtype[Any]
    ragged: bool


def decoded(place: str, held: Any) -> Mapping[str, Any]:
    """The fields that a row holds in ``key_value_pairs`` or ``data``."""
    if place == "data" and isinstance(held, bytes):
        from ase.db.core import bytes_to_object

        value = bytes_to_object(held)
    else:
        value = json.loads(held) if held else {}
    return value if isinstance(value, dict) else {}


def numeric(value: Any) -> Array | None:
    """A value as numbers, or None."""
    if isinstance(value, dict) and "__ndarray__" in value:  # as JSON spells arrays in older databases
        shape, _, flat = value["__ndarray__"]
        value = np.reshape(flat, shape)
    if not isinstance(value, int | float | list | np.ndarray):
        return None
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "iufb" else None


def find_added(tables: Tables, ids: list[int], atoms: list[int]) -> dict[str, Added]:
    """The fields that the first row, and another with another number of atoms, both have; they stand for all rows."""
    other = next((place for place, count in enumerate(atoms) if count != atoms[0]), 0)
    samples = list(tables.rows(("key_value_pairs", "data"), [ids[0], ids[other]]))
    counts = (atoms[0], atoms[other])
    found: dict[str, Added] = {}
    for number, place in enumerate(("key_value_pairs", "data")):
        first, second = (decoded(place, row[number]) for row in samples)
        for name in first:
            one, two = numeric(first[name]), numeric(second.get(name))
            if one is not None and two is not None and (form := _form(place, one, two, counts)) is not None:
                found[name] = form
    return found


def _form(place: str, one: Array, two: Array, counts: tuple[int, int]) -> Added | None:
    dtype = np.result_type(one.dtype, two.dtype)
    if dtype.kind in "iu":
        dtype = np.dtype(np.int64) if place == "data" else np.dtype(np.float64)
    per_atom = one.shape[:1] == (counts[0],) and two.shape[:1] == (counts[1],) and one.shape[1:] == two.shape[1:]
    if per_atom and (counts[0] != counts[1] or one.ndim > 1):
        item = one.shape[1:]
        return Added(place, item if item != (1,) else (), dtype, True)
    if one.shape == two.shape:
        return Added(place, one.shape if one.shape != (1,) else (), dtype, False)
    return None


def value_of(held: Mapping[str, Any], name: str, form: Added, atoms: int) -> Array | None:
    """The value of a field in a row, in its form; None if it is not there or has another."""
    array = numeric(held.get(name))
    shape = (atoms, *form.item) if form.ragged else form.item
    if array is None or array.size != int(np.prod(shape, dtype=np.int64)):
        return None
    return array.reshape(shape).astype(form.dtype)
