"""A batch of static shape: what models get.

Everything is flat: atoms of all frames stand one behind the other and `batch_segments` says to which frame each
belongs. What is filled up carries zeros and a mask that is False; the pairs point to real atoms only, those filled up
point to atom 0 under a mask that is False.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, final

import numpy as np

from atomloom.batching.pairs import PairList, all_pairs
from atomloom.batching.shape import Shape
from atomloom.data.batch import frozen
from atomloom.data.columns import Array, Indices, segments, spread
from atomloom.errors import DataError


@final
class PaddedBatch(Mapping[str, Array]):
    """A frozen mapping of names to arrays whose shapes depend on `shape` alone.

    Beside the fields it holds ``batch_segments [atoms]`` and ``frame_mask``, ``atom_mask``; with pairs ``dst_idx``,
    ``src_idx``, ``pair_mask`` and in periodic frames ``pair_shift [pairs, 3]``, which is added to R[src] - R[dst]; with
    grids ``grid_segments`` and ``grid_mask``.

    Attributes:
        shape: the slots.
        frames: how many frames are real.
        atoms: how many atoms are real.
    """

    def __init__(self, arrays: Mapping[str, Array], shape: Shape, frames: int, atoms: int) -> None:
        self._arrays = {name: frozen(values) for name, values in arrays.items()}
        self.shape, self.frames, self.atoms = shape, frames, atoms

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def dense(self, name: str, longest: int) -> Array:
        """A field over atoms as ``[frames, longest, ...]``, filled up with zeros."""
        real = np.flatnonzero(self["atom_mask"])
        values, segments = self[name][real], self["batch_segments"][real]
        starts = np.searchsorted(segments, np.arange(self.shape.frames))
        if (most := int(np.bincount(segments, minlength=1).max())) > longest:
            found = f"a frame has {most} atoms and there is room for {longest}"
            todo = f"Leave out larger frames with `atomloom convert --where 'N <= {longest}'`, or fit to such data"
            raise DataError(f"spread {name} over the frames", found, todo)
        dense = np.zeros((self.shape.frames, longest, *values.shape[1:]), dtype=values.dtype)
        dense[segments, np.arange(len(real)) - starts[segments]] = values
        return dense

    def __repr__(self) -> str:
        return f"<PaddedBatch of {self.frames} frames and {self.atoms} atoms in {tuple(self.shape)}>"


class Frames(Protocol):
    """Some frames whose fields can be laid out in slots: a `Batch`, or a `Chosen` of a data set."""

    @property
    def frames(self) -> int:
        """How many there are."""

    @property
    def sizes(self) -> Mapping[str, Indices]:
        """For each ragged axis the length in every frame."""

    def __iter__(self) -> Iterator[str]: ...

    def axis(self, name: str) -> str:
        """The ragged axis of a field, or an empty string."""

    def slotted(self, name: str, slots: int, width: int = 0) -> Array:
        """A field in slots; see `atomloom.data.columns.spread`."""


def pad(batch: Frames, shape: Shape, pairs: PairList | None = None) -> PaddedBatch:
    """`batch` in the slots of `shape`; an error names what does not fit.

    Args:
        pairs: as from `within`; without them, and with slots for pairs, all pairs of different atoms of a frame.
    """
    atoms = batch.sizes.get("atom", np.zeros(batch.frames, dtype=np.int64))
    grid = batch.sizes.get("grid", atoms[:0])
    places, points = _atom_places(atoms, shape), int(grid.sum())
    _check("frames", batch.frames, shape.frames)
    _check("atoms", len(places), shape.atoms)
    _check("grid points", points, shape.grid if "grid" in batch.sizes else 0)
    slots = {"": (shape.frames, 0), "atom": (shape.atoms, shape.per_frame), "grid": (shape.grid, 0)}
    arrays: dict[str, Array] = {}
    for name in batch:
        axis = batch.axis(name)
        arrays[name] = batch.slotted(name, *slots.get(axis) or (int(batch.sizes[axis].sum()), 0))
    arrays["frame_mask"] = np.arange(shape.frames) < batch.frames
    arrays["atom_mask"] = _mask(places, shape)
    arrays["batch_segments"] = _segments(atoms, shape, places)
    if "grid" in batch.sizes:
        arrays["grid_mask"] = np.arange(shape.grid) < points
        owners = np.repeat(np.arange(batch.frames, dtype=np.int32), grid)
        rest = np.full(shape.grid - points, shape.frames - 1, dtype=np.int32)
        arrays["grid_segments"] = np.concatenate([owners, rest])
    if shape.pairs:
        arrays |= _pairs(pairs or all_pairs(atoms), shape, places)
    return PaddedBatch(arrays, shape, batch.frames, len(places))


def _mask(places: Array, shape: Shape) -> Array:
    """Which atom slots are real."""
    mask = np.zeros(shape.atoms, dtype=bool)
    mask[places] = True
    return mask


def _atom_places(lengths: Array, shape: Shape) -> Array:
    """The slot of every real atom."""
    if not shape.per_frame:
        return np.arange(int(lengths.sum()))
    _check("atoms of one frame", int(lengths.max(initial=0)), shape.per_frame)
    return segments(np.arange(len(lengths), dtype=np.int64) * shape.per_frame, lengths)


def _segments(lengths: Array, shape: Shape, places: Array) -> Array:
    """The frame of every atom slot; slots that no frame has for itself count to the last one."""
    if shape.per_frame:
        return np.repeat(np.arange(shape.frames, dtype=np.int32), shape.per_frame)
    owner = np.full(shape.atoms, shape.frames - 1, dtype=np.int32)
    owner[places] = np.repeat(np.arange(len(lengths)), lengths)
    return owner


def _pairs(pairs: PairList, shape: Shape, places: Array) -> dict[str, Array]:
    count = len(pairs.destination)
    _check("pairs", count, shape.pairs)
    arrays = {
        "dst_idx": spread(places[pairs.destination].astype(np.int32), shape.pairs),
        "src_idx": spread(places[pairs.source].astype(np.int32), shape.pairs),
        "pair_mask": np.arange(shape.pairs) < count,
    }
    if pairs.shift is not None:
        arrays["pair_shift"] = spread(pairs.shift, shape.pairs)
    return arrays


def _check(axis: str, count: int, slots: int) -> None:
    if count > slots:
        found = f"{count} {axis} do not fit into {slots} slots"
        raise DataError("pad a batch", found, f"Plan for more {axis}, or take fewer frames at a time")
