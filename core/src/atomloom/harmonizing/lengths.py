"""How long each frame is along a padded axis: counted in the source, or seen in its padding, or full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Column
from atomloom.data.bounded import bounded
from atomloom.data.columns import Array, Indices, whole_lengths
from atomloom.errors import DataError
from atomloom.harmonizing.checks import looked_at
from atomloom.harmonizing.choices import IGNORE
from atomloom.harmonizing.findings import Finding

COUNTS = {"atom": "N", "grid": "n_grid"}
"""The field that says the length of each frame along an axis."""

FAR_AWAY = 1000.0
"""A grid point with all coordinates beyond this, in whatever unit of length, is padding; 10000 is customary."""

_BLOCK = 4096
_PROBES = 100


def lengths_along(axis: str, shaped: dict[str, Column], column: Column) -> tuple[Indices, Finding]:
    """The length of each frame along a padded axis, and how it was found.

    Args:
        shaped: all recognised columns by field, their padding included.
        column: one that has the axis.
    """
    longest = column.item[0]
    count = COUNTS.get(axis, "")
    if count in shaped:
        lengths = whole_lengths(shaped[count].take(_all(column)), count)
        _check_within(lengths, longest, count)
        if axis == "atom":
            _check_agree(lengths, shaped)
        return lengths, Finding(count, count, "counted", _range(lengths, axis))
    if axis == "atom" and "Z" in shaped and shaped["Z"].lengths is None:
        lengths = _unpadded(shaped["Z"])
        return lengths, Finding("Z", "Z", "padding", f"atoms with Z = 0 are padding; {_range(lengths, axis)}")
    if axis == "grid" and "vdw_surface" in shaped and _ends_in_padding(shaped["vdw_surface"]):
        lengths = _real_points(shaped["vdw_surface"])
        note = f"points far away or at the origin are padding; {_range(lengths, axis)}"
        return lengths, Finding("vdw_surface", "vdw_surface", "padding", note)
    full = np.broadcast_to(np.int64(longest), column.frames)
    return full, Finding(f"{axis} axis", "", "shape", f"{longest} in every frame")


def _unpadded(numbers: Column) -> Indices:
    """Atoms of each frame, where Z is above zero up to there, and zero or -1 from there on."""
    counts = []
    for frames in bounded([numbers], range(numbers.frames), _BLOCK):
        block = numbers.take(frames)
        _check_padding(block, frames)
        real = block > 0
        count = real.sum(axis=1)
        holes = np.flatnonzero((real != (np.arange(real.shape[1]) < count[:, None])).any(axis=1))
        if holes.size:
            found = f"in frame {int(frames[holes[0]])} atoms with Z = 0 stand between others"
            raise DataError("tell padding from atoms", found, "Move padding to the end, or give the field N")
        counts.append(count)
    return np.concatenate(counts).astype(np.int64) if counts else np.zeros(0, dtype=np.int64)


def _check_padding(block: Array, frames: Indices) -> None:
    """Stops at atomic numbers below what stands for padding, and at frames that would be left without any atom."""
    below = np.flatnonzero((block < -1).any(axis=1))
    if below.size:
        found = (
            f"frame {int(frames[below[0]])} holds {int(block[below[0]].min())}, which is neither an element nor padding"
        )
        raise DataError("use Z as atomic numbers", found, "Correct it, or say what it is with --as NAME=FIELD")
    empty = np.flatnonzero(~(block > 0).any(axis=1))
    if empty.size:
        found = f"Z is 0 throughout frame {int(frames[empty[0]])}"
        raise DataError("tell padding from atoms", found, "Leave that frame out, or give the field N")


def _check_agree(lengths: Indices, shaped: dict[str, Column]) -> None:
    """Stops where N and the padding of Z contradict each other."""
    numbers = shaped.get("Z")
    if numbers is None or numbers.lengths is not None or numbers.dtype.kind not in "iuf":
        return
    for frames in bounded([numbers], looked_at(numbers.frames), _BLOCK):
        real, counted = numbers.take(frames) > 0, lengths[frames]
        wrong = np.flatnonzero((real != (np.arange(real.shape[1]) < counted[:, None])).any(axis=1))
        if wrong.size:
            odd = int(wrong[0])
            found = f"N of frame {int(frames[odd])} is {int(counted[odd])} and Z is above 0 for {int(real[odd].sum())}"
            todo = f"Correct one of them, or leave N out with --as N={IGNORE}"
            raise DataError("use N as the length of each frame", f"{found} atoms, not the first {counted[odd]}", todo)


def _ends_in_padding(points: Column) -> bool:
    """Whether the last point of some frames, looked at here and there, is padding."""
    probed = np.unique(np.linspace(0, max(points.frames - 1, 0), _PROBES).astype(np.int64))[: points.frames]
    block = points.take(probed)
    return bool(block.size) and not bool(_is_point(block)[:, -1].all())


def _real_points(points: Column) -> Indices:
    """Points of each frame up to the last one that is no padding."""
    counts = []
    for frames in bounded([points], range(points.frames), _BLOCK):
        real = _is_point(points.take(frames))
        counts.append(np.where(real.any(axis=1), real.shape[1] - np.argmax(real[:, ::-1], axis=1), 0))
    return np.concatenate(counts).astype(np.int64)


def _is_point(block: Array) -> NDArray[np.bool_]:
    far, at_origin = (np.abs(block) >= FAR_AWAY).all(axis=-1), (block == 0).all(axis=-1)
    real: NDArray[np.bool_] = ~(far | at_origin)
    return real


def _all(column: Column) -> Indices:
    return np.arange(column.frames, dtype=np.int64)


def _check_within(lengths: Indices, longest: int, count: str) -> None:
    wrong = np.flatnonzero((lengths < 0) | (lengths > longest))
    if wrong.size:
        found = f"{count} of frame {int(wrong[0])} is {int(lengths[wrong[0]])} and the arrays hold 0 to {longest}"
        raise DataError(f"use {count} as the length of each frame", found, f"Correct {count}, or leave it out")


def _range(lengths: Indices, axis: str) -> str:
    if not len(lengths):
        return "no frames"
    low, high = int(lengths.min()), int(lengths.max())
    return f"{low} {axis}s a frame" if low == high else f"{low} to {high} {axis}s a frame"
