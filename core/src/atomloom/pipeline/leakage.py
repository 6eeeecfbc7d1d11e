"""Frames of one part of a split that another part has as good as seen.

Two signs are looked for. Neighbouring frames that are far more alike than frames at large are steps of one trajectory:
divided at random, every step of the test part lies between two of the training part. And single frames may have a near
duplicate in the other part, wherever it stands: the same atoms at the same distances from each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Batch, Dataset
from atomloom.data.columns import Indices
from atomloom.experiment import Split
from atomloom.pipeline.splitting import Parts

SAMPLE = 300
"""Frames of the test part that are compared with the training part, and neighbours that are compared."""

COMPARED = 20_000
"""Frames of the training part that each of them is compared with."""

ALIKE = 0.5
"""Neighbours count as steps of a trajectory where they differ less than this share of what frames at large do."""

DUPLICATE = 0.005
"""Near duplicates differ in their distances by less than this in the root mean square, in angstrom, ..."""

CHANCE = 0.03
"""... and by less than this share of what other frames differ from the nearest one: few atoms are alike by chance."""

_LARGEST = 120  # atoms; the distances of larger frames are not compared


def warnings(dataset: Dataset, parts: Parts, how: Split) -> list[str]:
    """What somebody who trusts the test part should know, in sentences."""
    if "R" not in dataset or "Z" not in dataset:
        return []
    said = []
    divided_at_random = how.blocks is None and how.group is None and how.field is None and len(parts.test)
    if divided_at_random and is_trajectory(dataset):
        said.append(
            "Neighbouring frames are steps of one trajectory, and a random split puts them into different parts: "
            "errors on the test part flatter the model. Split into contiguous blocks: `blocks = 10` in [data.split]."
        )
    copies, looked = near_duplicates(dataset, parts)
    if copies:
        said.append(
            f"{copies} of {looked} test frames that were looked at have a near duplicate in the training part: "
            "errors on them say nothing about new frames."
        )
    return said


def is_trajectory(dataset: Dataset) -> bool:
    """Whether frames next to each other are far more alike than frames at large."""
    if len(dataset) < 20:
        return False
    random = np.random.default_rng(0)
    starts = np.linspace(0, len(dataset) - 2, min(SAMPLE, len(dataset) - 1)).astype(np.int64)
    near = _differences(dataset, starts, starts + 1)
    far = _differences(dataset, starts, random.integers(len(dataset), size=len(starts)))
    return bool(len(near) > len(starts) // 2 and len(far) and np.median(near) < ALIKE * np.median(far))


def near_duplicates(dataset: Dataset, parts: Parts) -> tuple[int, int]:
    """How many of a sample of test frames have a near duplicate in the training part, and how large the sample is."""
    random = np.random.default_rng(0)
    test, train = (_drawn(frames, count, random) for frames, count in ((parts.test, SAMPLE), (parts.train, COMPARED)))
    known: dict[bytes, list[NDArray[Any]]] = {}
    for composition, distances in _fingerprints(dataset, train):
        known.setdefault(composition, []).append(distances)
    stacked = {composition: np.stack(rows) for composition, rows in known.items()}
    nearest = np.full(len(test), np.inf)
    for place, (composition, distances) in enumerate(_fingerprints(dataset, test)):
        if composition in stacked and distances.size:
            nearest[place] = np.sqrt(((stacked[composition] - distances) ** 2).mean(axis=1)).min()
    apart = nearest[(nearest >= DUPLICATE) & np.isfinite(nearest)]
    limit = min(DUPLICATE, CHANCE * float(np.median(apart))) if apart.size else DUPLICATE
    return int((nearest < limit).sum()), len(test)


def _differences(dataset: Dataset, one: Indices, other: Indices) -> NDArray[Any]:
    """The root mean square difference of distances between pairs of frames of the same atoms in the same order."""
    first, second = (dataset.take(frames, ["Z", "R"]) for frames in (one, other))
    found = []
    for number in range(first.frames):
        a, b = first.frame(number), second.frame(number)
        if one[number] != other[number] and np.array_equal(a["Z"], b["Z"]) and 1 < len(a["Z"]) <= _LARGEST:
            found.append(float(np.sqrt(np.mean((_distances(a["R"]) - _distances(b["R"])) ** 2))))
    return np.array(found)


def _fingerprints(dataset: Dataset, frames: Indices) -> list[tuple[bytes, NDArray[Any]]]:
    """For each frame its elements, and the sorted distances between atoms of each pair of elements."""
    batch: Batch = dataset.take(frames, ["Z", "R"])
    return [_fingerprint(batch.frame(number)) for number in range(batch.frames)]


def _fingerprint(frame: dict[str, NDArray[Any]]) -> tuple[bytes, NDArray[Any]]:
    if len(frame["Z"]) > _LARGEST:
        return frame["R"].tobytes(), np.zeros(0)
    numbers = frame["Z"].astype(np.int64)
    first, second = np.triu_indices(len(numbers), 1)
    low, high = np.minimum(numbers[first], numbers[second]), np.maximum(numbers[first], numbers[second])
    distances = _distances(frame["R"])
    order = np.lexsort((distances, high, low))
    return np.sort(numbers).tobytes(), distances[order].astype(np.float32)


def _distances(positions: NDArray[Any]) -> NDArray[Any]:
    first, second = np.triu_indices(len(positions), 1)
    distances: NDArray[Any] = np.linalg.norm(positions[first].astype(np.float64) - positions[second], axis=-1)
    return distances


def _drawn(frames: Indices, count: int, random: np.random.Generator) -> Indices:
    return frames if len(frames) <= count else np.sort(random.choice(frames, count, replace=False))
