"""Stores that the tests of this package share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atomloom import Dataset
from atomloom_memmap import write_store


def molecules(frames: int, seed: int = 0, longest: int = 7, *, grids: bool = False) -> Dataset:
    """Frames of one atom and more, with values that tell where they belong."""
    rng = np.random.default_rng(seed)
    atoms = rng.integers(1, longest + 1, frames)
    total = int(atoms.sum())
    arrays = {
        "Z": rng.choice(np.array([1, 6, 8], dtype=np.uint8), total),
        "R": rng.normal(scale=2.0, size=(total, 3)),
        "F": rng.normal(size=(total, 3)).astype(np.float32),
        "E": np.arange(frames) - 1000.25,
        "total_charge": rng.integers(-1, 2, frames),
        "protein_id": np.array([f"p{number % 5}" for number in range(frames)]),
    }
    lengths = {"atom": atoms}
    if grids:
        lengths["grid"] = rng.integers(0, 9, frames)
        arrays["esp"] = rng.normal(size=int(lengths["grid"].sum()))
    return Dataset.from_arrays(arrays, lengths=lengths, meta={"level_of_theory": "none"})


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Two hundred molecules."""
    return molecules(200, grids=True)


@pytest.fixture(scope="session")
def store(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of them."""
    path = tmp_path_factory.mktemp("stores") / "molecules.packed"
    write_store(dataset, path)
    return path
