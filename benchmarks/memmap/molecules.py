"""The molecules that every contender stores, and what their batches must hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from bench_batching import QM9, qm9
from numpy.typing import NDArray

from atomloom import Dataset

Indices = NDArray[np.int64]
FRAMES = 256
"""Molecules of a batch."""

SLOTS = max(QM9)
"""Atoms of the largest molecule, 29."""


class Padded(NamedTuple):
    """``Z [frames, SLOTS]``, ``R`` and ``F [frames, SLOTS, 3]`` with zeros behind the atoms, ``E [frames]``."""

    Z: NDArray[np.uint8]
    R: NDArray[np.float32]
    F: NDArray[np.float32]
    E: NDArray[np.float64]


class Packed(NamedTuple):
    """Molecules one right behind the other, then zeros, and all pairs of different atoms of each."""

    Z: NDArray[np.uint8]
    R: NDArray[np.float32]
    F: NDArray[np.float32]
    E: NDArray[np.float64]
    destination: NDArray[np.integer[Any]]
    source: NDArray[np.integer[Any]]
    pair_mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Molecules:
    """Molecules in memory, the atoms of all one behind the other; no two have the same energy."""

    lengths: Indices
    Z: NDArray[np.uint8]
    R: NDArray[np.float32]
    F: NDArray[np.float32]
    E: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def offsets(self) -> Indices:
        """The first atom of every molecule, and behind them the number of all atoms."""
        return np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)

    @property
    def payload(self) -> int:
        """Bytes of the values, which every format adds something to."""
        return self.Z.nbytes + self.R.nbytes + self.F.nbytes + self.E.nbytes

    def first(self, count: int) -> Molecules:
        """The first `count` of them."""
        atoms = int(self.offsets[count])
        return Molecules(self.lengths[:count], self.Z[:atoms], self.R[:atoms], self.F[:atoms], self.E[:count])

    def one(self, index: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], np.float64]:
        """Z, R, F and E of one molecule."""
        rows = slice(self.offsets[index], self.offsets[index + 1])
        return self.Z[rows], self.R[rows], self.F[rows], self.E[index]

    def dataset(self) -> Dataset:
        """The same as a data set of atomloom."""
        values: dict[str, NDArray[Any]] = {"Z": self.Z, "R": self.R, "F": self.F, "E": self.E}
        return Dataset.from_arrays(values, lengths={"atom": self.lengths}, meta={"level_of_theory": "none"})

    def numbers(self, energies: NDArray[np.float64]) -> Indices:
        """Which molecules have these energies."""
        order = np.argsort(self.E)
        places = np.minimum(np.searchsorted(self.E[order], energies), len(self) - 1)
        found: Indices = order[places]
        if not np.array_equal(self.E[found], energies):
            raise AssertionError("a batch holds energies that no molecule has")
        return found

    def expected(self, chosen: Indices) -> Padded:
        """The batch of these molecules, one by one."""
        batch = empty(len(chosen))
        for row, index in enumerate(chosen.tolist()):
            Z, R, F, E = self.one(index)
            batch.Z[row, : len(Z)], batch.R[row, : len(Z)], batch.F[row, : len(Z)], batch.E[row] = Z, R, F, E
        return batch


def made(count: int, seed: int = 0) -> Molecules:
    """Molecules with the sizes of QM9 in random order; total energies of some -10 keV."""
    rng = np.random.default_rng(seed)
    lengths = rng.permutation(np.tile(qm9(), -(-count // len(qm9()))))[:count]
    atoms = int(lengths.sum())
    elements = rng.choice(np.array([1, 6, 7, 8, 9], dtype=np.uint8), atoms)
    positions, forces = (rng.standard_normal((atoms, 3), dtype=np.float32) for _ in range(2))
    energies = -10_000.0 - rng.permutation(count) / 3.0
    return Molecules(lengths, elements, positions, forces, energies)


def empty(frames: int) -> Padded:
    """A batch with nothing in it yet."""
    return Padded(
        np.zeros((frames, SLOTS), dtype=np.uint8),
        np.zeros((frames, SLOTS, 3), dtype=np.float32),
        np.zeros((frames, SLOTS, 3), dtype=np.float32),
        np.zeros(frames, dtype=np.float64),
    )


def bytes_in(folder: Path) -> int:
    """The sizes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
