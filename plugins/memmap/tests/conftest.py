"""Stores that the tests of this package share."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.harmonizing import Choices
from atomloom_memmap import write_store
from atomloom_memmap.converting import Conversion, convert


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


UNITS = {"R": "angstrom", "E": "eV"}
"""Of padded molecules, which do not say them."""


def padded_molecules(seed: int, frames: int = 5000, longest: int = 12) -> dict[str, Any]:
    """Padded molecules; those of the default number make a file and a store of more than a MiB each."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(longest // 2, longest + 1, frames)
    real = np.arange(longest) < lengths[:, None]
    sites = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3)[:longest] * 1.5
    positions = (sites + rng.normal(scale=0.05, size=(frames, longest, 3))) * real[..., None]
    return {"Z": np.where(real, 6, 0), "R": positions, "E": rng.normal(size=frames), "N": lengths}


@pytest.fixture(scope="session")
def padded() -> Callable[..., dict[str, Any]]:
    """Makes padded molecules; see `padded_molecules`."""
    return padded_molecules


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Three files, each of which makes a shard."""
    folder = tmp_path_factory.mktemp("sources")
    for number in range(3):
        np.savez(folder / f"part-{number}.npz", **padded_molecules(number))
    return tuple(str(folder / f"part-{number}.npz") for number in range(3))


@pytest.fixture(scope="session")
def whole(paths: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of these files, made by one process."""
    target = tmp_path_factory.mktemp("whole") / "a.packed"
    convert(Conversion(paths, target, choices=Choices(units=UNITS), shard_mib=1))
    return target


@pytest.fixture
def arrays() -> dict[str, Any]:
    """Values to be written, by field."""
    rng = np.random.default_rng(7)
    return {
        "Z": np.array([8, 1, 1, 10, 6, 1, 1, 1, 1, 1, 1]),
        "R": (2.0 * np.arange(11)[:, None] + rng.normal(scale=0.1, size=(11, 3))).astype("f4"),
        "F": rng.normal(size=(11, 3)).astype("f4"),
        "E": np.array([-47950.3, -80850.7, -25400.2, -730.1]),
        "Q": np.array([0, 0, 0, 0]),
    }


@pytest.fixture
def quantum(arrays: dict[str, Any], tmp_path: Path) -> Path:
    """A folder as openQDC writes it, of a data set that it does not know: two methods, the second without forces."""
    folder = tmp_path / "ours" / "preprocessed"
    folder.mkdir(parents=True)
    starts = np.array([0, 3, 4, 9, 11])

    def mapped(path: Path, values: Any, dtype: str) -> None:
        out = np.memmap(path, mode="w+", dtype=dtype, shape=np.shape(values))
        out[:] = np.asarray(values, dtype=dtype)
        out.flush()

    inputs = np.concatenate([arrays["Z"][:, None], np.zeros((11, 1)), arrays["R"]], axis=-1)
    mapped(folder / "atomic_inputs.mmap", inputs, "f4")
    mapped(folder / "position_idx_range.mmap", np.stack([starts[:-1], starts[1:]], axis=-1), "i4")
    mapped(folder / "energies.mmap", np.stack([arrays["E"], arrays["E"] + 1], axis=-1), "f8")
    mapped(folder / "forces.mmap", np.stack([arrays["F"], np.full((11, 3), np.nan)], axis=-1), "f4")
    props = {
        "name": np.unique(np.array(["O", "[Ne]", "C", "[H][H]"]), return_inverse=True),
        "subset": np.unique(np.array(["a", "b", "a", "b"]), return_inverse=True),
        "n_atoms": np.diff(starts).astype(np.int32),
    }
    (folder / "props.pkl").write_bytes(pickle.dumps(props))
    return folder
