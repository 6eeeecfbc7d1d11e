"""Where the rows of frames go in the arrays of batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from atomloom.data.columns import Array, Indices, segments

SMALL = 1 << 20
"""Bytes of rows up to which several batches are filled at once, and share their memory."""


class Slots(NamedTuple):
    """Slots for the rows of the frames of several batches.

    Args:
        size: how many slots each batch has.
        cuts: the number of the first frame of each batch, and the number of all frames.
        places: the slot in its batch of the first row of each frame; within a batch they ascend and nothing overlaps.
        width: slots that every frame has for itself, where the places in each batch are 0, width, 2 width, ...; else 0.
    """

    size: int
    cuts: Indices
    places: Indices
    width: int = 0


def spread(rows: Array, slots: Slots, lengths: Indices | None = None, *, own: bool = False) -> Iterable[Array]:
    """The rows of several frames, batch by batch in their slots, with zeros where nothing is, in new sealed arrays.

    Args:
        lengths: rows of each frame; without them each has one.
        own: whether nobody will write into `rows` any more; then they are not copied where they fill every slot.

    >>> slots = Slots(4, np.array([0, 2, 3]), np.array([0, 2, 0]), 2)
    >>> [filled.tolist() for filled in spread(np.array([7, 8, 9, 5]), slots, np.array([1, 2, 1]))]
    [[7, 0, 8, 9], [5, 0, 0, 0]]
    """
    if lengths is None and rows.nbytes <= SMALL:
        return at_once(rows, slots, own=own)
    return _one_by_one(rows, slots, lengths)


def _one_by_one(rows: Array, slots: Slots, lengths: Indices | None) -> Iterator[Array]:
    done = 0
    for first, last in pairwise(slots.cuts.tolist()):
        places = slots.places[first:last]
        sizes = None if lengths is None else lengths[first:last]
        count = last - first if sizes is None else int(sizes.sum())
        own = rows[done : done + count]
        if not count or int(places[-1]) + (1 if sizes is None else int(sizes[-1])) == count:
            yield sealed(filled_up(own, slots.size))
        else:
            filled = np.zeros((slots.size, *rows.shape[1:]), dtype=rows.dtype)
            filled[places if sizes is None else segments(places, sizes)] = own
            yield sealed(filled)
        done += count


def at_once(rows: Array, slots: Slots, *, own: bool = False) -> Array:
    """What `spread` gives of one row a frame, as one array ``[batches, slots, ...]``."""
    batches, size = len(slots.cuts) - 1, slots.size
    if len(rows) == batches * size:
        flat = rows if own else rows.copy()
    else:
        flat = np.zeros((batches * size, *rows.shape[1:]), dtype=rows.dtype)
        flat[np.repeat(np.arange(batches) * size, np.diff(slots.cuts)) + slots.places] = rows
    return sealed(flat).reshape(batches, size, *rows.shape[1:])


def filled_up(rows: Array, size: int) -> Array:
    """Rows in the first of `size` slots, with zeros in the others.

    >>> filled_up(np.array([7, 8]), 4).tolist()
    [7, 8, 0, 0]
    """
    filled = np.empty((size, *rows.shape[1:]), dtype=rows.dtype)
    filled[: len(rows)] = rows
    filled[len(rows) :] = np.zeros((), dtype=rows.dtype)
    return filled


def sealed(values: Array) -> Array:
    """An array that nobody else has, in which nobody can write any longer."""
    values.setflags(write=False)
    return values
