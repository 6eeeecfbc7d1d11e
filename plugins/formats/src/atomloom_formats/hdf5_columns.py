"""One column over all groups of an HDF5 file, read group by group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Column
from atomloom.data.columns import Array, Indices, offsets, segments
from atomloom_formats.hdf5_file import Hdf5


@final
class Grouped(Column):
    """A field that every group holds.

    Args:
        file: the file.
        names: of its dataset in each group.
        starts: the first frame of each group, and the number of all.
        shared: for each group whether its dataset is the value of all its frames.
        item: shape of a row.
        atoms: the number of atoms in each group for a field that is ragged in them.
    """

    def __init__(
        self,
        file: Hdf5,
        names: list[str],
        starts: Indices,
        shared: NDArray[np.bool_],
        item: tuple[int, ...],
        dtype: np.dtype[Any],
        atoms: Indices | None = None,
    ) -> None:
        self.file, self.names, self.starts, self.shared = file, names, starts, shared
        self.item, self.dtype, self.frames = item, dtype, int(starts[-1])
        self.lengths = None if atoms is None else np.repeat(atoms, np.diff(starts))

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        counts = np.ones(len(frames), dtype=np.int64) if self.lengths is None else self.lengths[frames]
        begins = offsets(counts)
        out = np.empty((int(begins[-1]), *self.item), dtype=self.dtype)
        for group, mine in by_group(self.starts, frames):
            rows = self._rows(group, frames[mine] - self.starts[group])
            out[segments(begins[mine], counts[mine])] = rows.reshape(-1, *self.item)
        return out

    def _rows(self, group: int, rows: Indices) -> Array:
        if not self.shared[group]:
            return self.file.rows(self.names[group], rows)
        value = np.asarray(self.file.all(self.names[group]))
        return np.broadcast_to(value, (len(rows), *value.shape))


@final
class PerGroup(Column):
    """A value of each group, given to all its frames."""

    def __init__(self, values: Array, starts: Indices) -> None:
        self.values, self.starts = values, starts
        self.item, self.dtype, self.frames = tuple(values.shape[1:]), values.dtype, int(starts[-1])

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        return self.values[np.searchsorted(self.starts, frames, side="right") - 1]


@final
class PerMolecule(Column):
    """Values of the atoms of each group's molecule, given to all its frames."""

    def __init__(self, values: list[Array], starts: Indices) -> None:
        atoms = np.array([len(value) for value in values], dtype=np.int64)
        self.values, self.starts, self.begins = np.concatenate(values), starts, offsets(atoms)
        self.item, self.dtype, self.frames = (), self.values.dtype, int(starts[-1])
        self.lengths = np.repeat(atoms, np.diff(starts))

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        assert self.lengths is not None
        owner = np.searchsorted(self.starts, frames, side="right") - 1
        return self.values[segments(self.begins[owner], self.lengths[frames])]


def by_group(starts: Indices, frames: Indices) -> Iterator[tuple[int, Indices]]:
    """Each group that holds some of these frames, with the places of these in `frames`.

    >>> [(group, mine.tolist()) for group, mine in by_group(np.array([0, 2, 5]), np.array([4, 0, 3]))]
    [(0, [1]), (1, [0, 2])]
    """
    if not len(frames):
        return
    owner = np.searchsorted(starts, frames, side="right") - 1
    order = np.argsort(owner, kind="stable")
    cuts = np.flatnonzero(np.diff(owner[order])) + 1
    for mine in np.split(order, cuts):
        yield int(owner[mine[0]]), mine
