"""Parts of a store to train and to validate on, as recipes that are small, repeatable and written down.

A loader of a part carries the recipe and not the frames, so that it travels to another process in a few hundred bytes;
the frames are worked out where they are needed, by the same code that splits the data of an experiment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from atomloom.data import Dataset
from atomloom.data.columns import Indices
from atomloom.errors import ConfigError, DataError
from atomloom.experiment import Split
from atomloom.pipeline.splitting import split
from atomloom.runs.atomic import atomic_file


@dataclass(frozen=True)
class Part:
    """Some frames of a data set, by the rule that picks them.

    Args:
        name: ``"train"`` or ``"valid"``.
        train: share of the frames that the part ``"train"`` has; the part ``"valid"`` has the rest.
        seed: of the random split.
        group: per-frame field whose equal values stay together, such as ``"protein_id"``.
        frames: the frames themselves, where they are given instead of a rule.
    """

    name: str
    train: float = 0.9
    seed: int = 0
    group: str = ""
    frames: tuple[int, ...] | None = None

    def of(self, dataset: Dataset) -> Indices:
        """The frames by number, ascending."""
        if self.frames is not None:
            return np.array(self.frames, dtype=np.int64)
        how = Split(train=self.train, valid=1.0 - self.train, seed=self.seed, group=self.group or None)
        found: Indices = getattr(split(dataset, how), self.name)
        return found

    def state(self) -> dict[str, Any]:
        """As plain data, for a file beside a run."""
        return asdict(self)


def two_parts(
    frames: int, train_fraction: float, seed: int, group: str, indices: Mapping[str, npt.ArrayLike] | None
) -> tuple[Part, Part]:
    """The recipes of a part to train on and one to validate on.

    Args:
        indices: ``{"train": ..., "valid": ...}`` instead of a share; they must not overlap.
    """
    if indices is None:
        if not 0 < train_fraction < 1:
            found = f"the share to train on is {train_fraction}"
            raise ConfigError("split the frames of the store", found, "Give a number between 0 and 1, such as 0.9")
        return Part("train", train_fraction, seed, group), Part("valid", train_fraction, seed, group)
    if set(indices) != {"train", "valid"}:
        found = f"indices are given for {', '.join(indices) or 'nothing'}"
        raise ConfigError("split the frames of the store", found, "Give them for 'train' and for 'valid'")
    train, valid = (_checked(name, indices[name], frames) for name in ("train", "valid"))
    if shared := set(train) & set(valid):
        found = f"frame {min(shared)} is both in 'train' and in 'valid'"
        raise DataError("split the frames of the store", found, "Put every frame into one part")
    return Part("train", frames=train), Part("valid", frames=valid)


def save_parts(path: str | Path, *parts: Part | None) -> None:
    """Write down how frames were split, as JSON, for instance into the folder of a run."""
    with atomic_file(path, "w") as file:
        json.dump([part.state() if part else None for part in parts], file, indent=1)


def _checked(name: str, given: npt.ArrayLike, frames: int) -> tuple[int, ...]:
    numbers = np.asarray(given)
    whole = numbers.ndim == 1 and numbers.size and numbers.dtype.kind in "iu"
    if not whole or numbers.min() < 0 or numbers.max() >= frames or len(np.unique(numbers)) < len(numbers):
        todo = f"Give different whole numbers from 0 to {frames - 1}"
        raise DataError(f"use the indices of {name!r}", "they do not number frames of the store, each once", todo)
    return tuple(np.sort(numbers).tolist())
