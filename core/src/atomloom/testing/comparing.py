"""Whether two data sets hold the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from atomloom.data import Batch, Dataset
from atomloom.data.columns import Array
from atomloom.testing.check import Broken, demand


def same_declarations(one: Dataset, other: Dataset, where: str) -> None:
    """Stop where two data sets differ in their fields, or in the dims, unit or type of one."""
    demand(list(one.columns) == list(other.columns), f"{where} it has {_listed(other)} and not {_listed(one)}")
    for name, field in one.fields.items():
        for what in ("dims", "unit"):
            have, had = getattr(other.fields[name], what), getattr(field, what)
            demand(have == had, f"{where} the {what} of {name} is {have!r} and not {had!r}")
        types = other.columns[name].dtype, one.columns[name].dtype
        demand(types[0] == types[1], f"{where} {name} is {types[0]} and not {types[1]}")


def same_rows(values: Array, expected: Array, name: str, where: str) -> None:
    """Stop where two arrays differ in shape, type or any bit of a value."""
    demand(values.shape == expected.shape, f"{where} {name} is {list(values.shape)} and not {list(expected.shape)}")
    demand(values.dtype == expected.dtype, f"{where} {name} is {values.dtype} and not {expected.dtype}")
    demand(_equal(values, expected), f"{where} the values of {name} are others")


def same_batch(found: Batch, expected: Batch, where: str) -> None:
    """Stop where two batches of the same frames differ."""
    demand(list(found) == list(expected), f"{where} it has {', '.join(found)} and not {', '.join(expected)}")
    for name in expected:
        same_rows(found[name], expected[name], name, where)
    for axis, lengths in expected.sizes.items():
        demand(np.array_equal(found.sizes[axis], lengths), f"{where} the lengths along {axis} are others")


def whole(dataset: Dataset) -> Batch:
    """All frames at once."""
    return dataset.take(np.arange(len(dataset)))


def copied(value: Any) -> Any:
    """A copy that shares no memory, of what `meta` may hold."""
    from copy import deepcopy

    return deepcopy(value)


def as_dataset(value: object, what: str) -> Dataset:
    """The value, if it is a data set."""
    if not isinstance(value, Dataset):
        raise Broken(f"{what} is a {type(value).__name__} and not a Dataset")
    return value


def _equal(values: Array, expected: Array) -> bool:
    return np.array_equal(values, expected, equal_nan=values.dtype.kind in "fc")


def _listed(dataset: Dataset) -> str:
    return ", ".join(dataset.columns) or "no fields"
