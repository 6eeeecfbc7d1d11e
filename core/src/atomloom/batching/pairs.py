"""Pairs of atoms within each frame of a batch: all of them, or those within a cutoff, across cell boundaries too.

All candidates of a batch are looked at together, in numpy: for molecules of a dozen atoms nothing is faster. The
candidates of a frame grow with the square of its atoms and with the images of a small cell, so frames with more of them
go through vesin's cell lists where vesin is installed (the extra ``atomloom[neighbours]``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.util import find_spec
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.batching.shape import dense_pairs
from atomloom.data import Batch
from atomloom.data.columns import Array, Indices, offsets
from atomloom.errors import DataError

Places = NDArray[np.int32]
"""Places of atoms in a batch: pairs are most of it, so that half the memory of the usual indices counts."""

MANY = 150
"""Frames of more candidates than this, on average, are left to vesin, if it is there."""

MOST = (1 << 31) - 1
"""Pairs in a list, and slots of a batch: as many as `Places` can count."""

_ROWS = 1 << 21  # candidates that are looked at together, some hundred megabytes
_FLAT = 1e-6  # angstrom^3


class PairList(NamedTuple):
    """Ordered pairs of atoms.

    Args:
        destination, source: places among the packed atoms of the batch.
        shift: what is added to R[source] - R[destination], in angstrom ``[pairs, 3]``; None where no cell is periodic.
    """

    destination: Places
    source: Places
    shift: Array | None = None


def all_pairs(lengths: Indices, starts: Indices | None = None) -> PairList:
    """Every ordered pair of different atoms of the same frame.

    Args:
        lengths: atoms of each frame.
        starts: the place of each frame's first atom, where frames do not stand one right behind the other.

    >>> pairs = all_pairs(np.array([2, 1, 2]))
    >>> pairs.destination.tolist(), pairs.source.tolist()
    ([0, 1, 3, 4], [1, 0, 4, 3])
    """
    total = int(dense_pairs(lengths).sum())
    if total > MOST:
        todo = "Take fewer frames at a time, or only pairs within a cutoff"
        raise DataError("list all pairs of atoms", f"there are {total}", todo)
    places = offsets(lengths)[:-1] if starts is None else starts
    return PairList(*next(slotted_pairs(lengths, places, np.array([0, len(lengths)]), np.array([total]), total)))


def slotted_pairs(
    lengths: Indices, places: Indices, cuts: Indices, totals: Indices, size: int
) -> Iterator[tuple[Places, Places]]:
    """Destination and source of all pairs, of several batches one after the other, zero in slots that are left over.

    Args:
        lengths: atoms of each frame.
        places: the place of each frame's first atom in its batch.
        cuts: the number of the first frame of each batch, and the number of all frames.
        totals: how many pairs each batch has.
        size: slots for pairs of each, at least as many as any of them has.
    """
    firsts = offsets(lengths)
    begins, numbers = _numbers(lengths, places, cuts, firsts)
    repeats, ends = np.repeat(lengths - 1, lengths), firsts[cuts]
    filled = np.flatnonzero(np.diff(ends))
    repeats[ends[1:][filled] - 1] += size - totals[filled]  # what is left is filled by the last atom, and cleared below
    counts = lengths.tolist()
    steps = _steps(set(counts))
    pieces = [steps[count] for count in counts]
    batches = zip(pairwise(cuts.tolist()), pairwise(ends.tolist()), begins, totals.tolist(), strict=True)
    for (first, last), (start, stop), begin, total in batches:
        if start == stop:
            yield np.zeros(size, dtype=np.int32), np.zeros(size, dtype=np.int32)
            continue
        destination: Places = numbers[begin : begin + stop - start].repeat(repeats[start:stop])
        destination[total:] = 0
        rest = bytes((size - total) * destination.itemsize)
        source: Places = np.frombuffer(bytearray().join((*pieces[first:last], rest)), dtype=np.int32)
        source += destination
        yield destination, source


def _numbers(lengths: Indices, places: Indices, cuts: Indices, firsts: Indices) -> tuple[list[int], Places]:
    """The places of all atoms in their batches, and where those of each batch begin in this list."""
    begins = firsts[cuts[:-1]]
    shift = places - firsts[:-1]
    if np.array_equal(shift, np.repeat(-begins, np.diff(cuts))):  # frames one behind the other, as in every batch
        return [0] * len(begins), np.arange(np.diff(firsts[cuts]).max(initial=0), dtype=np.int32)
    numbers: Places = np.repeat(shift.astype(np.int32), lengths)
    numbers += np.arange(len(numbers), dtype=np.int32)
    return begins.tolist(), numbers


def _steps(lengths: Collection[int]) -> dict[int, bytes]:
    """For frames of so many atoms, how far each of their pairs reaches: from atom i to -i, ..., -1, 1, 2, ...

    What an atom meets is a part of one line, one place further to the left for each next atom. As bytes, which are put
    one behind the other faster than arrays are.
    """
    most = max(lengths, default=0)
    line = np.concatenate([np.arange(-most, 0), np.arange(1, most + 1)]).astype(np.int32)
    start, step = most * line.itemsize, line.itemsize
    return {
        length: np.ndarray((length, max(length - 1, 0)), np.int32, line, start, (-step, step)).tobytes()
        for length in lengths
    }


def within(batch: Batch, cutoff: float) -> PairList:
    """The ordered pairs whose distance is below `cutoff`, in angstrom, ordered by destination.

    Frames with `cell` and `pbc` are periodic along the directions that `pbc` names: an atom then meets every image of
    another, and of itself, that is near enough.
    """
    if not np.isfinite(cutoff) or cutoff <= 0:
        raise DataError("find pairs", f"the cutoff is {cutoff}", "Give a distance above zero, in angstrom")
    cells = Cells.of(batch, cutoff)
    if find_spec("vesin") and int(cells.candidates(batch).sum()) > MANY * batch.frames:
        from atomloom.batching.cell_lists import within_by_vesin

        return within_by_vesin(batch, cells, cutoff)
    return _near(batch, cells, cutoff)


def placed(pairs: PairList, counts: Indices, atoms: Indices) -> PairList:
    """Lists of several frames, in each of which atoms count from zero, as one list of places in their batch.

    Args:
        counts: pairs of each frame.
        atoms: of each frame.
    """
    shift = np.repeat(offsets(atoms)[:-1].astype(np.int32), counts)
    return PairList(pairs.destination + shift, pairs.source + shift, pairs.shift)


class Cells(NamedTuple):
    """The cells of a batch of frames.

    Args:
        vectors: of each cell as rows, in angstrom ``[frames, 3, 3]``; of unit length where a frame has no cell.
        periodic: along which of them a frame repeats ``[frames, 3]``.
        reach: how many cells away an image may still be near ``[frames, 3]``; 0 where `nearest` holds.
        nearest: whether of all images of an atom only the nearest may be within the cutoff ``[frames]``: no height of
            the cell is below twice the cutoff.
        home: the cell in which each atom lies, as whole numbers ``[atoms, 3]``.
    """

    vectors: NDArray[np.float64]
    periodic: NDArray[np.bool_]
    reach: Indices
    nearest: NDArray[np.bool_]
    home: NDArray[np.float64]

    @classmethod
    def of(cls, batch: Batch, cutoff: float) -> Cells:
        """Those of a batch, checked; frames without `cell` or `pbc` are open."""
        periodic = np.zeros((batch.frames, 3), dtype=bool)
        vectors = np.tile(np.eye(3), (batch.frames, 1, 1))
        if "pbc" in batch and "cell" in batch:
            periodic = batch["pbc"].astype(bool)
            repeats = periodic.any(axis=1)
            vectors[repeats] = batch["cell"][repeats]
        flat = np.flatnonzero(~(np.abs(np.linalg.det(vectors)) > _FLAT))
        if flat.size:
            found = f"the cell of frame {int(flat[0])} has no volume"
            raise DataError("find periodic pairs", found, "Correct cell, or set pbc to false")
        inverse = np.linalg.inv(vectors)
        heights = 1.0 / np.linalg.norm(inverse, axis=1)
        nearest = ((heights >= 2 * cutoff) | ~periodic).all(axis=1)
        reach = np.where(periodic & ~nearest[:, None], np.ceil(cutoff / heights), 0).astype(np.int64)
        owner = batch.segments()
        fractions = np.einsum("ax,axy->ay", batch["R"].astype(np.float64), inverse[owner])
        return cls(vectors, periodic, reach, nearest, np.floor(fractions) * periodic[owner])

    @property
    def open(self) -> bool:
        """Whether no frame repeats."""
        return not self.periodic.any()

    @property
    def images(self) -> Indices:
        """Images of each atom that are looked at ``[frames]``."""
        images: Indices = np.prod(2 * self.reach + 1, axis=1)
        return images

    def candidates(self, batch: Batch) -> Indices:
        """Pairs of atoms and images of each frame of `batch`."""
        candidates: Indices = batch.sizes["atom"] ** 2 * self.images
        return candidates


def _near(batch: Batch, cells: Cells, cutoff: float) -> PairList:
    """The candidates that are near enough, looked at some at a time."""
    candidates = _Candidates(batch, cells)
    stretches = range(0, candidates.count, _ROWS) or range(1)
    found = [candidates.near(start, min(start + _ROWS, candidates.count), cutoff) for start in stretches]
    destination, source, steps = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return ordered(destination, source, steps, batch, cells)


def ordered(destination: Indices, source: Indices, steps: Array, batch: Batch, cells: Cells) -> PairList:
    """The list of these pairs, ordered by destination and then by source.

    Args:
        steps: by how many cells the source is moved ``[pairs, 3]``.
    """
    order = np.lexsort((source, destination))
    first, second = destination[order], source[order]
    shift = None
    if not cells.open:
        shift = np.einsum("px,pxy->py", steps[order].astype(np.float64), cells.vectors[batch.segments()[first]])
    return PairList(first.astype(np.int32), second.astype(np.int32), shift)


class _Candidates:
    """Every pair of atoms of a frame in every image within reach, numbered through the batch."""

    def __init__(self, batch: Batch, cells: Cells) -> None:
        self.atoms, self.starts, self.cells = batch.sizes["atom"], batch.offsets["atom"], cells
        self.inverse = np.linalg.inv(cells.vectors)
        self.widths = 2 * cells.reach + 1
        self.bounds = offsets(cells.candidates(batch))
        self.count = int(self.bounds[-1])
        # Positions may lie outside of the cell; images are counted from the copies inside.
        moved = np.einsum("ax,axy->ay", cells.home, cells.vectors[batch.segments()])
        self.folded = batch["R"].astype(np.float64) - moved

    def near(self, start: int, stop: int, cutoff: float) -> tuple[Indices, Indices, Array]:
        """Destination, source and steps of the candidates from `start` to `stop` that are within the cutoff."""
        numbers = np.arange(start, stop, dtype=np.int64)
        frame = np.searchsorted(self.bounds, numbers, side="right") - 1
        image, pair = np.divmod(numbers - self.bounds[frame], self.atoms[frame] ** 2)
        destination, source = (self.starts[frame] + side for side in np.divmod(pair, self.atoms[frame]))
        steps = self._steps(image, frame)
        other = (destination != source) | steps.any(axis=1)
        vectors = self.folded[source] - self.folded[destination]
        if not self.cells.open:
            steps = steps + self._to_nearest(vectors, frame)
            vectors += np.einsum("px,pxy->py", steps, self.cells.vectors[frame])
        kept = np.flatnonzero(other & (np.einsum("px,px->p", vectors, vectors) < cutoff**2))
        destination, source = destination[kept], source[kept]
        return destination, source, steps[kept] + self.cells.home[destination] - self.cells.home[source]

    def _to_nearest(self, vectors: Array, frame: Indices) -> Array:
        """By how many cells the nearest image is away, in frames where no other may be within the cutoff."""
        along = np.einsum("px,pxy->py", vectors, self.inverse[frame])
        turns: Array = -np.rint(along) * (self.cells.periodic & self.cells.nearest[:, None])[frame]
        return turns

    def _steps(self, image: Indices, frame: Indices) -> Array:
        """By how many cells along each direction the numbered images of a frame are away."""
        widths = self.widths[frame]
        rest, third = np.divmod(image, widths[:, 2])
        first, second = np.divmod(rest, widths[:, 1])
        steps: Array = np.stack([first, second, third], axis=1) - self.cells.reach[frame]
        return steps
