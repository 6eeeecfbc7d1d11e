"""Levels of theory within one data set: names in the data, and numbers for models that tell them apart.

A data set whose frames are of one level says so in `meta`. Where sources of several levels are put together each frame
says its own in the field ``level``. A model that tells levels apart is fitted to those of its data, in the order of
their names, and reads their number there, the field ``level_index``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atomloom.data.columns import PerFrame
from atomloom.data.dataset import Dataset
from atomloom.data.meta import LEVEL as SAID
from atomloom.data.schema import declared
from atomloom.errors import DataError

LEVEL, INDEX = "level", "level_index"
"""The fields."""


def levels_of(dataset: Dataset) -> tuple[str, ...]:
    """The levels of the frames, sorted; none where nothing says any.

    Raises:
        DataError: when some frames say theirs and others do not.
    """
    if LEVEL not in dataset:
        said = dataset.meta.get(SAID)
        return (str(said),) if said else ()
    names = np.unique(np.asarray(dataset[LEVEL], dtype=str)).tolist()
    if "" in names and len(names) > 1:
        found = f"some frames are at {', '.join(filter(None, names))}, and others do not say"
        todo = 'Say it for their files: level = "..." under [[data.source]]'
        raise DataError("tell levels of theory apart", found, todo)
    return tuple(filter(None, names))


def at_level(dataset: Dataset, name: str) -> Dataset:
    """The data with all frames said to be of one level.

    >>> hydrogen = Dataset.from_arrays({"Z": [[1, 1]]})
    >>> levels_of(at_level(hydrogen, "PBE"))
    ('PBE',)
    """
    column = PerFrame(np.full(len(dataset), name))
    return dataset.with_columns({LEVEL: column}, {LEVEL: declared(LEVEL)})


def numbered(dataset: Dataset, known: Sequence[str]) -> Dataset:
    """The data with the number of each frame's level among those that a model knows, where it knows several.

    A single level needs no number; a field that names another is refused all the same.

    Raises:
        DataError: for a level that is missing or unknown, listing those that there are.

    >>> hydrogen = Dataset.from_arrays({"Z": [[1, 1]]})
    >>> numbered(at_level(hydrogen, "PBE"), ("CCSD(T)", "PBE"))["level_index"].tolist()
    [1]
    >>> numbered(hydrogen, ("CCSD(T)", "PBE"))
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot predict at a level of theory: the data do not say which, and the model was \
trained on CCSD(T) and PBE. Name one of these with --level.
    """
    if not known or (len(known) == 1 and LEVEL not in dataset):
        return dataset
    names = levels_of(dataset)
    unknown = sorted(set(names) - set(known))
    if unknown or not names:
        missing = f"there is no level {', '.join(map(repr, unknown))}" if unknown else "the data do not say which"
        found = f"{missing}, and the model was trained on {' and '.join(known)}"
        raise DataError("predict at a level of theory", found, "Name one of these with --level")
    if len(known) == 1:
        return dataset
    own = np.asarray(dataset[LEVEL], dtype=str) if LEVEL in dataset else np.full(len(dataset), names[0])
    numbers = np.array([known.index(name) for name in names])[np.searchsorted(names, own)]
    return dataset.with_columns({INDEX: PerFrame(numbers)}, {INDEX: declared(INDEX)})
