"""Frames that look unlike all others: atoms on top of each other, energies and forces far from the rest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Batch, Dataset
from atomloom.data.columns import Indices
from atomloom.data.references import composition
from atomloom.harmonizing.elements import RADIUS
from atomloom.harmonizing.findings import Finding, counted
from atomloom.specs import UNRESOLVED

MOST_FRAMES = 20_000
"""How many frames are looked at; of a larger data set as many evenly spaced ones."""

MOST_PAIRS = 20_000_000
"""How many distances are looked at; of larger frames as many fewer."""

CLOSE = 0.6
"""Atoms nearer than this share of the sum of their covalent radii are too close."""

FAR = 5.0
"""Energies further from the median than this many times what 95 of 100 frames keep within are far."""

STRONG = 30.0
"""A largest force above this many times the median one is strong."""

_BLOCK = 4096
_FEWEST = 20
_NAMED = 5
_LARGEST = 500  # atoms; contacts in larger frames are not looked at


def outliers(dataset: Dataset) -> list[Finding]:
    """A finding for each kind of outlier that there is."""
    looked = np.unique(np.linspace(0, len(dataset) - 1, min(MOST_FRAMES, len(dataset))).astype(np.int64))
    return [
        Finding(
            field,
            field,
            "outliers",
            f"{why} in {len(frames)} of {counted(len(looked), 'frame')} ({_named(frames)})",
            "warning",
        )
        for field, why, frames in _kinds(dataset, looked)
        if len(frames)
    ]


def _kinds(dataset: Dataset, looked: Indices) -> Iterator[tuple[str, str, Indices]]:
    if {"R", "Z"} <= set(dataset.columns) and dataset.fields["R"].unit != UNRESOLVED:
        yield "R", "atoms are on top of each other", _close_contacts(dataset, looked)
    if {"E", "Z"} <= set(dataset.columns) and len(looked) >= _FEWEST:
        yield "E", "energies are far from those of like frames", _far_energies(dataset, looked)
    if "F" in dataset and len(looked) >= _FEWEST:
        yield "F", "forces are far above the usual", _strong_forces(dataset, looked)


def _close_contacts(dataset: Dataset, looked: Indices) -> Indices:
    found = []
    work = int((dataset.sizes["atom"][looked] ** 2).sum())
    for frames, batch in dataset.stretches(looked[:: max(1, work // MOST_PAIRS)], _BLOCK, ["Z", "R"]):
        for frame, (start, stop) in zip(frames, pairwise(batch.offsets["atom"]), strict=True):
            positions, radii = batch["R"][start:stop], RADIUS[batch["Z"][start:stop]]
            if 1 < len(positions) <= _LARGEST:
                first, second = np.triu_indices(len(positions), 1)
                apart = np.linalg.norm(positions[first] - positions[second], axis=-1)
                if np.any(apart < CLOSE * (radii[first] + radii[second])):
                    found.append(frame)
    return np.array(found, dtype=np.int64)


def _far_energies(dataset: Dataset, looked: Indices) -> Indices:
    """Far from the median of its composition."""
    kinds: dict[bytes, int] = {}
    kind, energies = np.zeros(len(looked), dtype=np.int64), np.zeros(len(looked))
    done = 0
    for frames, batch in dataset.stretches(looked, _BLOCK, ["Z", "E"]):
        stretch = slice(done, done + len(frames))
        kind[stretch] = [kinds.setdefault(composed, len(kinds)) for composed in _compositions(batch)]
        energies[stretch] = batch["E"]
        done = stretch.stop
    usable = np.isfinite(energies)
    if usable.sum() < _FEWEST:
        return looked[:0]
    # A median of each composition withstands outliers, which a fit to all frames would follow.
    left = energies.copy()
    for each in kinds.values():
        mine = kind == each
        left[mine] -= np.nanmedian(energies[mine])
    return looked[usable & (np.abs(left) > FAR * _bulk(left[usable]))]


def _compositions(batch: Batch) -> Iterator[bytes]:
    """What each frame is made of, in bytes that frames of equal composition share."""
    elements = np.unique(batch["Z"])
    for row in composition(batch["Z"], batch.segments(), batch.frames, elements.tolist()):
        present = row > 0
        yield elements[present].tobytes() + row[present].tobytes()


def _strong_forces(dataset: Dataset, looked: Indices) -> Indices:
    largest = []
    for _, batch in dataset.stretches(looked, _BLOCK, ["F"]):
        sizes = np.linalg.norm(batch["F"].astype(np.float64), axis=-1)
        of_frames = np.zeros(batch.frames)
        np.maximum.at(of_frames, batch.segments(), np.nan_to_num(sizes))
        largest.append(of_frames)
    every = np.concatenate(largest)
    return looked[every > STRONG * max(float(np.median(every)), np.finfo(np.float64).tiny)]


def _bulk(values: NDArray[np.float64]) -> float:
    """How far 95 of 100 values are from zero at the most; infinite where they do not vary."""
    return float(np.percentile(np.abs(values), 95)) or np.inf


def _named(frames: Indices) -> str:
    return ", ".join(map(str, frames[:_NAMED])) + (", ..." if len(frames) > _NAMED else "")
