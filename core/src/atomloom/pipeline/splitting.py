"""Divides frames into train, valid and test, always the same way for the same experiment."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.arrays import open_arrays
from atomloom.data import Dataset
from atomloom.data.columns import Indices
from atomloom.errors import ConfigError, DataError
from atomloom.experiment import Split
from atomloom.harmonizing.findings import counted

PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Parts:
    """The frames of each part, by index into the data set, in ascending order."""

    train: Indices
    valid: Indices
    test: Indices

    def described(self) -> dict[str, int | str]:
        """Sizes and a digest, for provenance: the same digest means the same split."""
        digest = hashlib.blake2b(digest_size=16)
        for name in PARTS:
            digest.update(name.encode() + getattr(self, name).astype("<i8").tobytes())
        return {**{name: len(getattr(self, name)) for name in PARTS}, "digest": digest.hexdigest()}


def split(dataset: Dataset, how: Split) -> Parts:
    """The parts that `how` asks for; stops if the part to train on is empty, or one that was asked for."""
    if how.field is not None:
        parts = _by_field(dataset, how.field)
    elif any(isinstance(share, str) for share in how.shares.values()):
        parts = {name: _from_file(str(path), len(dataset)) for name, path in how.shares.items()}
        _check_disjoint(parts)
    else:
        shares, units = {name: float(share) for name, share in how.shares.items()}, _units(dataset, how)
        parts = _by_strata(units, _strata(dataset, how.stratify or ()), shares, how.seed)
    for name in dict.fromkeys(("train", *how.shares)):
        if not len(parts.get(name, ())):
            found = f"{_counted(dataset, how)} leave none for {name!r}"
            raise DataError("split the data", found, "Give that part a larger share, or bring more frames")
    return Parts(**{name: np.sort(parts.get(name, np.zeros(0, dtype=np.int64))) for name in PARTS})


def _counted(dataset: Dataset, how: Split) -> str:
    """How many frames there are, and in how many groups where some of them stay together."""
    frames = f"{len(dataset)} frames"
    if not how.group:
        return frames
    groups = len(np.unique(_units(dataset, how)))
    return f"{frames} in {counted(groups, 'group')} by {how.group}"


def _units(dataset: Dataset, how: Split) -> Indices:
    """For each frame the number of the unit that must stay together: itself, its group or its block."""
    frames = np.arange(len(dataset), dtype=np.int64)
    if how.group is not None:
        if how.group not in dataset or dataset.columns[how.group].lengths is not None:
            found = f"the data has no value of {how.group!r} for each frame"
            raise DataError("split the data by group", found, f"Group by one of {', '.join(_per_frame(dataset))}")
        _, units = np.unique(dataset[how.group], return_inverse=True)
        return units.astype(np.int64).reshape(-1)
    if how.blocks is not None:
        return frames * how.blocks // max(len(dataset), 1)
    return frames


def _strata(dataset: Dataset, fields: Sequence[str]) -> Indices:
    """For each frame the number of its combination of values of these fields; the rarest has the least."""
    for name in fields:
        if name not in dataset or dataset.columns[name].lengths is not None or dataset.columns[name].item:
            found = f"the data has no value of {name!r} for each frame"
            raise DataError("stratify the split", found, f"Name some of {', '.join(_per_frame(dataset))}")
    if not fields:
        return np.zeros(len(dataset), np.int64)
    numbers = np.stack([np.unique(dataset[name], return_inverse=True)[1].reshape(-1) for name in fields])
    _, strata, frames = np.unique(numbers, axis=1, return_inverse=True, return_counts=True)
    by_rarity = np.argsort(np.argsort(frames, kind="stable"), kind="stable")
    found_numbers: Indices = by_rarity[strata.reshape(-1)]
    return found_numbers


def _by_strata(units: Indices, strata: Indices, shares: dict[str, float], seed: int) -> dict[str, Indices]:
    """Each stratum divided by itself; a unit is of the rarest stratum of its frames.

    What is too rare for all parts is trained on first: a stratum of a single unit is in the first part.
    """
    rarest = np.full(int(units.max(initial=-1)) + 1, len(strata))
    np.minimum.at(rarest, units, strata)
    parts: dict[str, list[Indices]] = {name: [] for name in shares}
    for stratum in np.unique(rarest):
        frames = np.flatnonzero(rarest[units] == stratum)
        _, own = np.unique(units[frames], return_inverse=True)
        for name, some in _by_share(own.reshape(-1), shares, seed).items():
            parts[name].append(frames[some])
    return {name: np.concatenate(some) for name, some in parts.items()}


def _by_share(units: Indices, shares: dict[str, float], seed: int) -> dict[str, Indices]:
    """Shuffled units go to the parts in turn until each has its share of the frames."""
    sizes = np.bincount(units)
    order = np.random.default_rng(seed).permutation(len(sizes))
    middle = np.cumsum(sizes[order]) - sizes[order] / 2
    middle[:1] = 0.0  # the first part gets a unit, however few there are
    bounds = np.cumsum(list(shares.values())) * len(units)
    bounds[-1] += 0.5 if np.isclose(sum(shares.values()), 1.0) else 0.0
    part_of = np.empty(len(sizes), dtype=np.int64)
    part_of[order] = np.searchsorted(bounds, middle, side="right")
    return {name: np.flatnonzero(part_of[units] == number) for number, name in enumerate(shares)}


def _by_field(dataset: Dataset, field: str) -> dict[str, Indices]:
    """The parts that a field says.

    One that divides the rows of each frame, as ``free_flag`` does, has all frames fitted to: a model that reads it
    keeps the flagged rows out.
    """
    if field in dataset and dataset.fields[field].ragged and dataset.fields[field].dtype == "bool":
        return {"train": np.arange(len(dataset))}
    if field not in dataset or dataset.columns[field].lengths is not None:
        found = f"the data has no value of {field!r} for each frame"
        todo = f"Choose one of {', '.join(_per_frame(dataset)) or 'the parts by fractions'}"
        raise DataError(f"split the data by {field!r}", found, todo)
    values = dataset[field]
    known: tuple[Any, ...] = PARTS if values.dtype.kind in "US" else (0, 1)
    odd = np.flatnonzero(~np.isin(values, known))
    if odd.size:
        found = f"it holds {values[odd[0]].item()!r} in frame {int(odd[0])}"
        todo = "Give it true for frames kept for the test part and false for others, or train, valid and test"
        raise DataError(f"split the data by {field!r}", found, todo)
    if known is PARTS:
        return {name: np.flatnonzero(values == name) for name in PARTS}
    return {"train": np.flatnonzero(values == 0), "test": np.flatnonzero(values == 1)}


def _from_file(name: str, frames: int) -> Indices:
    """Indices from a ``.npy`` file, or from a text file with one number a line."""
    path = Path(name)
    if not path.is_file():
        raise ConfigError(
            "split the data", f"there is no file '{name}'", "Check the path, which is relative to the TOML"
        )
    try:
        values = (
            next(iter(open_arrays(path).values()))[:] if path.suffix == ".npy" else np.loadtxt(path, dtype=np.int64)
        )
    except ValueError as error:
        raise DataError(f"read the indices in '{name}'", str(error), "Write one whole number a line") from error
    indices = np.atleast_1d(np.asarray(values))
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        found = f"it holds {indices.dtype} values of shape {indices.shape}"
        raise DataError(f"read the indices in '{name}'", found, "Write a list of whole numbers")
    indices = indices.astype(np.int64)
    wrong = indices[(indices < 0) | (indices >= frames)]
    if wrong.size:
        found = f"it holds {int(wrong[0])} and the frames are numbered 0 to {frames - 1}"
        raise DataError(f"use the indices in '{name}'", found, "Count frames from 0")
    if len(np.unique(indices)) < len(indices):
        raise DataError(f"use the indices in '{name}'", "some occur twice", "Name every frame once")
    return indices


def _check_disjoint(parts: dict[str, Indices]) -> None:
    names = list(parts)
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            shared = np.intersect1d(parts[name], parts[other])
            if shared.size:
                found = f"frame {int(shared[0])} is both in {name!r} and in {other!r}"
                raise DataError("split the data", found, "Put every frame into one part")


def _per_frame(dataset: Dataset) -> list[str]:
    return [name for name, column in dataset.columns.items() if column.lengths is None and not column.item]
