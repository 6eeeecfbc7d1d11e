"""What a data set must satisfy whatever it is used for: frames, and positions that are numbers."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset
from atomloom.data.columns import Indices
from atomloom.errors import DataError
from atomloom.harmonizing.findings import Finding, counted
from atomloom.specs import UNRESOLVED

MOST_FRAMES = 100_000
"""How many frames are looked at; of a larger data set as many evenly spaced ones."""

HEAVIEST = 118
"""The largest atomic number."""

FINITE = {"R": "positions", "E": "energies"}
"""Fields without which a frame is of no use."""

_BLOCK = 4096
_DIPOLE_ROUNDING = 2e-3  # e*angstrom, about the last digit of a dipole printed in debye
_NAMED = 5


def check_frames(dataset: Dataset, *, drop_bad: bool = False) -> tuple[Dataset, list[Finding]]:
    """Stops at an empty data set and at positions or energies that are NaN or infinite.

    Args:
        drop_bad: leave such frames out instead.
    """
    if not len(dataset):
        raise DataError("harmonise the data set", "it has no frames", "Check that the source holds what you expect")
    _check_elements(dataset)
    looked = looked_at(len(dataset), everything=drop_bad)
    bad = {name: _not_finite(dataset, looked, name) for name in FINITE if name in dataset}
    findings = []
    if bad and len(looked) < len(dataset):
        findings.append(Finding("R", "R", "check", f"looked at {len(looked)} of {len(dataset)} frames"))
    every = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *bad.values()]))
    for name, frames in bad.items():
        if frames.size and (not drop_bad or every.size == len(dataset)):
            found = f"{FINITE[name]} are NaN or infinite in {frames.size} of {counted(len(looked), 'frame')}"
            todo = "Repair these frames, or leave them out with --drop-bad"
            raise DataError(f"use the {FINITE[name]}", f"{found} ({_named(frames)})", todo)
        if frames.size:
            note = (
                f"{counted(int(frames.size), 'frame')} with NaN or infinite {FINITE[name]} left out ({_named(frames)})"
            )
            findings.append(Finding(name, name, "your choice", note, "warning"))
    kept = np.setdiff1d(np.arange(len(dataset), dtype=np.int64), every)
    return dataset[kept] if every.size else dataset, findings


def check_dipoles(dataset: Dataset) -> list[Finding]:
    """Whether the sizes of dipoles are those of their vectors, where a source holds both in known units."""
    if not {"D", "dipole_norm"} <= set(dataset.columns) or UNRESOLVED in (
        dataset.fields[name].unit for name in ("D", "dipole_norm")
    ):
        return []
    looked = looked_at(len(dataset))
    batch = dataset.take(looked, ["D", "dipole_norm"])
    lengths = np.linalg.norm(batch["D"].astype(np.float64), axis=1)
    wrong = looked[np.abs(lengths - batch["dipole_norm"]) > _DIPOLE_ROUNDING + 0.01 * lengths]
    if not wrong.size:
        return [Finding("D", "D", "check", "as long as dipole_norm says")]
    note = f"not as long as dipole_norm says in {wrong.size} of {counted(len(looked), 'frame')} ({_named(wrong)})"
    return [Finding("D", "D", "check", note, "warning")]


def missing(dataset: Dataset) -> list[Finding]:
    """Atomic charges that data for the electrostatic potential usually have, and these do not."""
    if "esp" not in dataset or "mono" in dataset:
        return []
    note = "the source has no atomic charges; they are never filled with zeros, and a loss on them stays off"
    return [Finding("mono", "", "missing", note, "warning")]


def looked_at(frames: int, *, everything: bool = False) -> Indices:
    """The frames that a check looks at: all, or `MOST_FRAMES` evenly spaced ones."""
    if everything or frames <= MOST_FRAMES:
        return np.arange(frames, dtype=np.int64)
    return np.linspace(0, frames - 1, MOST_FRAMES).astype(np.int64)


def check_finite(dataset: Dataset, name: str, frames: Indices) -> None:
    """Stops where a field is NaN or infinite in one of these frames."""
    bad = _not_finite(dataset, frames, name)
    if bad.size:
        found = f"it is NaN or infinite in {bad.size} of {counted(len(frames), 'frame')} ({_named(bad)})"
        raise DataError(f"use {name}", found, "Repair these frames, or leave them out with `atomloom convert --where`")


def _check_elements(dataset: Dataset) -> None:
    """Stops at atomic numbers that are none."""
    if "Z" not in dataset:
        return
    for frames, batch in dataset.stretches(looked_at(len(dataset)), _BLOCK, ["Z"]):
        wrong = np.flatnonzero((batch["Z"] < 1) | (batch["Z"] > HEAVIEST))
        if wrong.size:
            frame = int(frames[batch.segments()[wrong[0]]])
            found = f"an atom of frame {frame} has Z = {int(batch['Z'][wrong[0]])}, which is no element"
            raise DataError("use Z as atomic numbers", found, "Correct it, or say what it is with --as NAME=FIELD")


def _named(frames: Indices) -> str:
    return ", ".join(map(str, frames[:_NAMED])) + (", ..." if frames.size > _NAMED else "")


def _not_finite(dataset: Dataset, looked: Indices, name: str) -> Indices:
    bad = []
    for frames, batch in dataset.stretches(looked, _BLOCK, [name]):
        values = batch[name]
        rows = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        axis = batch.axis(name)
        within = np.unique(batch.segments(axis)[rows]) if axis else np.flatnonzero(rows)
        bad.append(frames[within])
    return np.concatenate(bad) if bad else np.zeros(0, dtype=np.int64)
