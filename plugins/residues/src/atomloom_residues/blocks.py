"""Frames in blocks that are about independent: consecutive frames of a trajectory tell nearly the same.

The length of a block is a multiple of the statistical inefficiency ``g = 1 + 2 sum_k rho_k`` of each frame's mean
squared error, where the autocorrelation rho is summed up to a window of a few g (Sokal 1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atomloom_residues.forces import Array, Forces, Indices

FEWEST = 10
"""Below so many blocks no interval is given: it would be a guess."""

LENGTH = 4.0
"""Statistical inefficiencies in a block, so that what correlates across its edges is little of it."""

_WINDOW = 5.0


@dataclass(frozen=True)
class Blocks:
    """The block of each frame.

    Args:
        of_frame: ``[frames]``, counted over all proteins.
        protein: the protein of each block, ``[blocks]``.
        inefficiency: the largest of the proteins.
    """

    of_frame: Indices
    protein: Indices
    inefficiency: float

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.protein)


def inefficiency(series: Array) -> float:
    """``1 + 2 sum_k rho_k`` of a time series: how many values say as much as one independent one; at least 1.

    >>> inefficiency(np.array([1.0, -1.0, 1.0, -1.0]))
    1.0
    """
    centred = np.asarray(series, dtype=np.float64) - np.mean(series)
    count = len(centred)
    if count < 2 or not centred.any():
        return 1.0
    spectrum = np.fft.rfft(centred, 2 * count)
    covariance = np.fft.irfft(spectrum * np.conj(spectrum))[:count]
    sums = 2.0 * np.cumsum(covariance / covariance[0]) - 1.0
    inside = np.arange(count) < _WINDOW * sums
    stop = int(np.argmin(inside)) if not inside.all() else count - 1
    return max(float(sums[stop]), 1.0)


def blocks_of(forces: Forces, frames_per_block: int | None = None) -> Blocks:
    """The blocks of all frames, those of each protein by themselves and in their order.

    Args:
        frames_per_block: instead of what the correlation of the errors says.
    """
    size = np.bincount(forces.frame, minlength=forces.frames)
    errors = np.bincount(forces.frame, weights=forces.squares, minlength=forces.frames) / np.maximum(size, 1)
    of_frame = np.empty(forces.frames, dtype=np.int64)
    proteins: list[int] = []
    largest = 1.0
    for protein in range(len(forces.proteins)):
        members = np.flatnonzero(forces.protein_of_frame == protein)
        found = inefficiency(errors[members])
        by_correlation = int(np.ceil(LENGTH * found)) if found > 1 else 1
        count = max(1, len(members) // (frames_per_block or by_correlation))
        of_frame[members] = len(proteins) + np.arange(len(members)) * count // len(members)
        proteins += [protein] * count
        largest = max(largest, found)
    return Blocks(of_frame, np.array(proteins, dtype=np.int64), largest)
