"""Pairs of atoms within each frame of a batch: all of them, or those within a cutoff, across cell boundaries too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Batch
from atomloom.data.columns import Array, Indices, offsets
from atomloom.errors import DataError

_ROWS = 1 << 22
"""Candidate pairs whose distances are computed at a time, a few hundred megabytes."""


class PairList(NamedTuple):
    """Ordered pairs of atoms.

    Args:
        destination, source: places among the packed atoms of the batch.
        shift: what is added to R[source] - R[destination], in angstrom ``[pairs, 3]``; None where no cell is periodic.
    """

    destination: Indices
    source: Indices
    shift: Array | None = None


def all_pairs(lengths: Indices) -> PairList:
    """Every ordered pair of different atoms of the same frame.

    >>> pairs = all_pairs(np.array([2, 1, 2]))
    >>> pairs.destination.tolist(), pairs.source.tolist()
    ([0, 1, 3, 4], [1, 0, 4, 3])
    """
    others = np.maximum(lengths - 1, 0)
    within = _counted(lengths * others)
    first = np.repeat(offsets(lengths)[:-1], lengths * others)
    destination, source = np.divmod(within, np.maximum(np.repeat(others, lengths * others), 1))
    source += source >= destination
    return PairList(first + destination, first + source)


def within(batch: Batch, cutoff: float) -> PairList:
    """The ordered pairs whose distance is below `cutoff`, in angstrom, ordered by destination.

    Frames with `cell` and `pbc` are periodic along the directions that `pbc` names: an atom then meets every image of
    another, and of itself, that is near enough.
    """
    if not np.isfinite(cutoff) or cutoff <= 0:
        raise DataError("find pairs", f"the cutoff is {cutoff}", "Give a distance above zero, in angstrom")
    periodic = batch["pbc"].astype(bool) if "pbc" in batch and "cell" in batch else None
    if periodic is None or not periodic.any():
        return _near(batch, all_pairs(batch.sizes["atom"]), cutoff)
    return _periodic(batch, batch["cell"].astype(np.float64), periodic, cutoff)


def _near(batch: Batch, pairs: PairList, cutoff: float) -> PairList:
    positions = batch["R"].astype(np.float64, copy=False)
    kept = np.concatenate(
        [
            start + np.flatnonzero(_squared(positions, pairs, slice(start, start + _ROWS)) < cutoff**2)
            for start in range(0, max(len(pairs.destination), 1), _ROWS)
        ]
    )
    shift = None if pairs.shift is None else pairs.shift[kept]
    return PairList(pairs.destination[kept], pairs.source[kept], shift)


def _squared(positions: Array, pairs: PairList, rows: slice) -> NDArray[np.float64]:
    vectors = positions[pairs.source[rows]] - positions[pairs.destination[rows]]
    if pairs.shift is not None:
        vectors = vectors + pairs.shift[rows]
    squared: NDArray[np.float64] = np.einsum("ij,ij->i", vectors, vectors)
    return squared


def _periodic(batch: Batch, cells: Array, periodic: Array, cutoff: float) -> PairList:
    """Frame by frame, since each cell needs images of its own."""
    parts = []
    bounds = batch.offsets["atom"]
    for frame in range(batch.frames):
        positions = batch["R"][bounds[frame] : bounds[frame + 1]].astype(np.float64)
        pairs = _in_cell(positions, cells[frame], periodic[frame], cutoff, frame)
        parts.append(PairList(pairs.destination + bounds[frame], pairs.source + bounds[frame], pairs.shift))
    destination = np.concatenate([part.destination for part in parts])
    source = np.concatenate([part.source for part in parts])
    shift = np.concatenate([part.shift for part in parts if part.shift is not None])
    order = np.argsort(destination, kind="stable")
    return PairList(destination[order], source[order], shift[order])


def _in_cell(positions: Array, cell: Array, periodic: Array, cutoff: float, frame: int) -> PairList:
    """Pairs of one frame over all images of the cell that come near enough."""
    if not periodic.any():
        cell = np.eye(3)
    if abs(np.linalg.det(cell)) < 1e-6:
        raise DataError(
            "find periodic pairs", f"the cell of frame {frame} has no volume", "Correct cell, or set pbc to false"
        )
    inverse = np.linalg.inv(cell)
    # Positions may lie outside of the cell; their images are counted from the copies inside.
    home = np.floor(positions @ inverse) * periodic
    folded = positions - home @ cell
    heights = 1.0 / np.linalg.norm(inverse, axis=0)
    reach = np.where(periodic, np.ceil(cutoff / heights), 0).astype(np.int64)
    steps = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    destinations, sources, shifts = [], [], []
    for step in steps:
        offset = step @ cell
        near = np.linalg.norm(folded[None] + offset - folded[:, None], axis=-1) < cutoff
        if not step.any():
            np.fill_diagonal(near, False)
        destination, source = np.nonzero(near)
        destinations.append(destination)
        sources.append(source)
        shifts.append(offset + (home[destination] - home[source]) @ cell)
    return PairList(np.concatenate(destinations), np.concatenate(sources), np.concatenate(shifts))


def _counted(counts: Indices) -> Indices:
    """0, 1, ... within each of several runs."""
    numbers: Indices = np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(offsets(counts)[:-1], counts)
    return numbers
