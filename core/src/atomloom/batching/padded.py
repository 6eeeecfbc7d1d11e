"""A batch of static shape: what models get.

Everything is flat: atoms of all frames stand one behind the other and `batch_segments` says to which frame each
belongs. What is filled up carries zeros and a mask that is False; the pairs point to real atoms only, those filled up
point to atom 0 under a mask that is False.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from atomloom.batching.pairs import PairList, slotted_pairs
from atomloom.batching.shape import Shape, dense_pairs
from atomloom.data import Slots, spread
from atomloom.data.batch import frozen
from atomloom.data.columns import Array, Indices, offsets, segments
from atomloom.data.slots import SMALL, at_once, sealed
from atomloom.errors import DataError

WIDEST = 1024
"""Slots of a frame up to which masks are looked up in a table, which grows with the square of it."""

_LISTED = ("dst_idx", "src_idx", "pair_mask")  # what a batch holds of all lists of pairs


@final
class PaddedBatch(Mapping[str, Array]):
    """A frozen mapping of names to arrays whose shapes depend on `shape` alone.

    Beside the fields it holds ``batch_segments [atoms]`` and ``frame_mask``, ``atom_mask``; with pairs ``dst_idx``,
    ``src_idx``, ``pair_mask`` and in periodic frames ``pair_shift [pairs, 3]``, which is added to R[src] - R[dst]; with
    any other ragged axis, as ``grid`` or ``reflection``, ``AXIS_segments`` and ``AXIS_mask``.

    Attributes:
        shape: the slots.
        frames: how many frames are real.
        atoms: how many atoms are real.
    """

    def __init__(self, arrays: Mapping[str, Array], shape: Shape, frames: int, atoms: int) -> None:
        self._arrays = {name: frozen(values) for name, values in arrays.items()}
        self.shape, self.frames, self.atoms = shape, frames, atoms

    @classmethod
    def sealed(cls, arrays: dict[str, Array], shape: Shape, frames: int, atoms: int) -> PaddedBatch:
        """A batch of arrays that nobody can change already, in a dict that nobody else has."""
        batch = cls.__new__(cls)
        batch._arrays, batch.shape, batch.frames, batch.atoms = arrays, shape, frames, atoms
        return batch

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def as_dict(self) -> dict[str, Array]:
        """The arrays by name, in a dict of the caller's own."""
        return self._arrays.copy()

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

    def slotted(self, name: str, slots: Slots) -> Iterable[Array]:
        """A field batch by batch in slots, made one by one or as one array."""


def pad(batch: Frames, shape: Shape, pairs: PairList | None = None) -> PaddedBatch:
    """`batch` in the slots of `shape`; an error names what does not fit.

    Args:
        pairs: as from `within`; without them, and with slots for pairs, all pairs of different atoms of a frame.
    """
    return next(pad_several(batch, [batch.frames], shape, pairs))


def pad_several(
    frames: Frames, counts: Sequence[int], shape: Shape, pairs: PairList | None = None
) -> Iterator[PaddedBatch]:
    """Several batches of one shape, `counts` frames in each, of frames that are looked up at once.

    What is done once for each call is done once for all of them, which for small batches is half of the work.
    """
    stack = _Stack(frames, np.array(counts, dtype=np.int64), shape)
    axes = {name: frames.axis(name) for name in frames}
    slots = {axis: stack.slots(axis) for axis in dict.fromkeys(axes.values())}
    arrays: dict[str, Iterable[Array]] = {name: frames.slotted(name, slots[axis]) for name, axis in axes.items()}
    arrays["frame_mask"] = _first(counts, shape.frames)
    arrays["atom_mask"] = stack.atom_masks()
    arrays["batch_segments"] = stack.owners("atom")
    ragged = dict.fromkeys(["grid", *slots] if "grid" in frames.sizes else slots)
    for axis in (axis for axis in ragged if axis not in ("", "atom", "pair")):
        arrays[f"{axis}_mask"] = _first(stack.totals(axis).tolist(), stack.size(axis))
        arrays[f"{axis}_segments"] = stack.owners(axis)
    lists, listed = stack.pairs(pairs) if shape.pairs else ((), [()] * len(counts))
    names, atoms = (*arrays, *lists), stack.totals("atom").tolist()
    for count, real, made, found in zip(counts, atoms, zip(*arrays.values(), strict=True), listed, strict=True):
        yield PaddedBatch.sealed(dict(zip(names, made + found, strict=True)), shape, count, real)


class _Stack:
    """Frames of several batches of one shape.

    Args:
        frames: those of all batches, one behind the other.
        counts: how many frames each batch has.
        shape: of each.
    """

    def __init__(self, frames: Frames, counts: Indices, shape: Shape) -> None:
        self.frames, self.counts, self.shape = frames, counts, shape
        self.cuts = offsets(counts)
        self._starts: dict[str, Indices] = {}
        self.rank = np.arange(frames.frames) - np.repeat(self.cuts[:-1], counts)
        _check("frames", counts, shape.frames)
        _check("atoms", self.totals("atom"), shape.atoms)
        if "grid" in frames.sizes:
            _check("grid points", self.totals("grid"), shape.grid)
        if shape.per_frame:
            _check("atoms of one frame", self.lengths("atom"), shape.per_frame)

    def lengths(self, axis: str) -> Indices:
        """Rows of each frame along an axis that it may lack."""
        lengths = self.frames.sizes.get(axis)
        return np.zeros(self.frames.frames, dtype=np.int64) if lengths is None else lengths

    def totals(self, axis: str) -> Indices:
        """Rows of each batch along an axis."""
        ends = self.starts(axis)[self.cuts]
        return ends[1:] - ends[:-1]

    def starts(self, axis: str) -> Indices:
        """The number of the first row of each frame, and the number of all rows."""
        if axis not in self._starts:
            self._starts[axis] = offsets(self.lengths(axis))
        return self._starts[axis]

    def size(self, axis: str) -> int:
        """Slots of each batch along a ragged axis; where the shape says nothing of it, as many as the fullest takes."""
        given = {"atom": self.shape.atoms, "grid": self.shape.grid}.get(axis)
        return given or int(self.totals(axis).max(initial=0))

    def slots(self, axis: str) -> Slots:
        """Where the rows of every frame go."""
        if not axis:
            return Slots(self.shape.frames, self.cuts, self.rank)
        if axis == "atom" and self.shape.per_frame:
            width = self.shape.per_frame
            return Slots(self.shape.atoms, self.cuts, self.rank * width, width)
        starts = self.starts(axis)
        return Slots(self.size(axis), self.cuts, starts[:-1] - np.repeat(starts[self.cuts[:-1]], self.counts))

    def atom_masks(self) -> Iterable[Array]:
        """Which atom slots of each batch are real."""
        batches, atoms, width = len(self.counts), self.shape.atoms, self.shape.per_frame
        if not width:
            return _first(self.totals("atom").tolist(), atoms)
        lengths = at_once(self.lengths("atom"), Slots(atoms // width, self.cuts, self.rank))
        spare = np.zeros(atoms - lengths.shape[1] * width, dtype=bool)
        if width > WIDEST:
            masks: Iterable[Array] = (sealed((np.arange(width) < row[:, None]).reshape(-1)) for row in lengths)
        else:
            together = max(1, SMALL // max(atoms, 1))
            some = (lengths[start : start + together] for start in range(0, batches, together))
            found = (_kept(width).take(rows, axis=0) for rows in some)
            masks = chain.from_iterable(sealed(masks).reshape(len(masks), -1) for masks in found)
        return (sealed(np.append(mask, spare)) for mask in masks) if len(spare) else masks

    def owners(self, axis: str) -> Array:
        """The frame of every slot ``[batches, slots]``; slots that no frame has for itself count to the last one."""
        if axis == "atom" and self.shape.per_frame:
            one = _even_owners(self.shape.frames, self.shape.per_frame, self.shape.atoms)
            return np.broadcast_to(one, (len(self.counts), len(one)))
        size = self.size(axis)
        # Behind the frames of each batch one more, the last one, has the slots that are left over.
        lengths = np.insert(self.lengths(axis), self.cuts[1:], size - self.totals(axis))
        ranks = np.insert(self.rank.astype(np.int32), self.cuts[1:], self.shape.frames - 1)
        return sealed(np.repeat(ranks, lengths)).reshape(len(self.counts), size)

    def pairs(self, pairs: PairList | None) -> tuple[tuple[str, ...], Iterator[tuple[Array, ...]]]:
        """These pairs batch by batch, or without them all pairs of different atoms of a frame; the names come first."""
        if pairs is None:
            return _LISTED, self._all_pairs()
        return _LISTED if pairs.shift is None else (*_LISTED, "pair_shift"), self._given_pairs(pairs)

    def _all_pairs(self) -> Iterator[tuple[Array, ...]]:
        places, lengths, size = self.slots("atom").places, self.lengths("atom"), self.shape.pairs
        counts = np.diff(offsets(dense_pairs(lengths))[self.cuts])
        _check("pairs", counts, size)
        made = slotted_pairs(lengths, places, self.cuts, counts, size)
        for (destination, source), mask in zip(made, _first(counts.tolist(), size), strict=True):
            yield sealed(destination), sealed(source), mask

    def _given_pairs(self, pairs: PairList) -> Iterator[tuple[Array, ...]]:
        slot = segments(self.slots("atom").places, self.lengths("atom")).astype(np.int32)
        several = len(self.counts) > 1  # then they are in order, and the first atoms of batches divide them
        ends = self.starts("atom")[self.cuts]
        cuts = np.searchsorted(pairs.destination, ends) if several else np.array([0, len(pairs.destination)])
        counts = np.diff(cuts)
        _check("pairs", counts, self.shape.pairs)
        # To `spread` a batch is one frame, whose rows are the pairs.
        slots = Slots(self.shape.pairs, np.arange(len(cuts)), np.zeros_like(counts))
        sides = (slot[pairs.destination], slot[pairs.source])
        found = [*(spread(rows, slots, counts) for rows in sides), _first(counts.tolist(), self.shape.pairs)]
        if pairs.shift is not None:
            found.append(spread(pairs.shift, slots, counts))
        return zip(*found, strict=True)


def _first(counts: Iterable[int], slots: int) -> Iterator[Array]:
    """For each of these counts a mask of the first so many of `slots`."""
    masks = _turning(slots)
    return (masks[slots - count : 2 * slots - count] for count in counts)


@lru_cache(maxsize=32)
def _turning(slots: int) -> NDArray[np.bool_]:
    """True so many times and then False, of which every mask of the first slots is a part."""
    masks = np.repeat([True, False], slots)
    masks.flags.writeable = False
    return masks


@lru_cache(maxsize=32)
def _kept(width: int) -> NDArray[np.bool_]:
    """For every length up to `width` which of as many slots are real."""
    kept: NDArray[np.bool_] = np.arange(width) < np.arange(width + 1)[:, None]
    return kept


@lru_cache(maxsize=32)
def _even_owners(frames: int, width: int, atoms: int) -> Array:
    """The frame of every slot where each frame has `width` of them."""
    owners = np.full(atoms, frames - 1, dtype=np.int32)
    owners[: frames * width] = np.repeat(np.arange(frames, dtype=np.int32), width)
    owners.flags.writeable = False
    return owners


def _check(axis: str, counts: Indices, slots: int) -> None:
    if (count := int(counts.max(initial=0))) > slots:
        found = f"{count} {axis} do not fit into {slots} slots"
        raise DataError("pad a batch", found, f"Plan for more {axis}, or take fewer frames at a time")
