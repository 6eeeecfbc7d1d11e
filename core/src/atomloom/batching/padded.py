"""A batch of static shape: what models get.

Everything is flat: atoms of all frames stand one behind the other and `batch_segments` says to which frame each
belongs. What is filled up carries zeros and a mask that is False; the pairs point to real atoms only, those filled up
point to atom 0 under a mask that is False.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, final

import numpy as np

from atomloom.batching.pairs import all_pairs
from atomloom.data import Batch
from atomloom.data.columns import Array
from atomloom.errors import DataError


class Shape(NamedTuple):
    """The static shape of a batch.

    Args:
        frames: slots for frames.
        atoms: slots for atoms, over all frames.
        pairs: slots for ordered pairs, over all frames; 0 for no pair list.
    """

    frames: int
    atoms: int
    pairs: int = 0


@final
class PaddedBatch(Mapping[str, Array]):
    """A frozen mapping of names to arrays whose shapes depend on `shape` alone.

    Beside the fields it holds ``batch_segments [atoms]``, ``dst_idx`` and ``src_idx [pairs]``, and the masks
    ``frame_mask``, ``atom_mask`` and ``pair_mask``.

    Attributes:
        shape: the slots.
        frames: how many frames are real.
        atoms: how many atoms are real.
    """

    def __init__(self, arrays: Mapping[str, Array], shape: Shape, frames: int, atoms: int) -> None:
        self._arrays = dict(arrays)
        self.shape, self.frames, self.atoms = shape, frames, atoms

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def dense(self, name: str, longest: int) -> Array:
        """A field over atoms as ``[frames, longest, ...]``, filled up with zeros."""
        values = self[name][: self.atoms]
        segments = self["batch_segments"][: self.atoms]
        starts = np.searchsorted(segments, np.arange(self.shape.frames))
        if (most := int(np.bincount(segments, minlength=1).max())) > longest:
            found = f"a frame has {most} atoms and there is room for {longest}"
            todo = f"Leave out larger frames with `atomloom convert --where 'N <= {longest}'`, or fit to such data"
            raise DataError(f"spread {name} over the frames", found, todo)
        dense = np.zeros((self.shape.frames, longest, *values.shape[1:]), dtype=values.dtype)
        dense[segments, np.arange(self.atoms) - starts[segments]] = values
        return dense

    def __repr__(self) -> str:
        return f"<PaddedBatch of {self.frames} frames and {self.atoms} atoms in {tuple(self.shape)}>"


def pad(batch: Batch, shape: Shape) -> PaddedBatch:
    """`batch` in the slots of `shape`; an error names what does not fit."""
    lengths = batch.sizes.get("atom", np.zeros(batch.frames, dtype=np.int64))
    atoms = int(lengths.sum())
    _check(shape, batch.frames, atoms)
    arrays = {name: _filled(values, _slots(batch, name, shape)) for name, values in batch.items()}
    arrays["frame_mask"] = np.arange(shape.frames) < batch.frames
    arrays["atom_mask"] = np.arange(shape.atoms) < atoms
    segments = np.full(shape.atoms, shape.frames - 1, dtype=np.int32)
    segments[:atoms] = np.repeat(np.arange(batch.frames), lengths)
    arrays["batch_segments"] = segments
    if shape.pairs:
        arrays |= _pairs(lengths, shape.pairs)
    return PaddedBatch(arrays, shape, batch.frames, atoms)


def _slots(batch: Batch, name: str, shape: Shape) -> int:
    axis = batch.fields[name].ragged
    if axis == "atom":
        return shape.atoms
    return len(batch[name]) if axis else shape.frames


def _filled(values: Array, slots: int) -> Array:
    filled = np.zeros((slots, *values.shape[1:]), dtype=values.dtype)
    filled[: len(values)] = values
    return filled


def _pairs(lengths: Array, slots: int) -> dict[str, Array]:
    destination, source = all_pairs(lengths)
    if len(destination) > slots:
        raise _too_large("pairs", len(destination), slots)
    return {
        "dst_idx": _filled(destination.astype(np.int32), slots),
        "src_idx": _filled(source.astype(np.int32), slots),
        "pair_mask": np.arange(slots) < len(destination),
    }


def _check(shape: Shape, frames: int, atoms: int) -> None:
    for axis, count, slots in (("frames", frames, shape.frames), ("atoms", atoms, shape.atoms)):
        if count > slots:
            raise _too_large(axis, count, slots)


def _too_large(axis: str, count: int, slots: int) -> DataError:
    found = f"{count} {axis} do not fit into {slots} slots"
    return DataError("pad a batch", found, f"Plan for more {axis}, or take fewer frames at a time")
