"""Plain ``.npy`` files: packed and read molecule by molecule, as the first design was, and padded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memmap.contenders import Contender, Epoch, by_batch
from memmap.molecules import FRAMES, SLOTS, Indices, Molecules, Padded, empty


def write_packed(molecules: Molecules, folder: Path) -> None:
    """The values of all molecules one behind the other, an array a field, and where each molecule begins."""
    for name in ("offsets", *Padded._fields):
        np.save(folder / f"{name}.npy", getattr(molecules, name))


def memmap(folder: Path, name: str) -> np.memmap[Any, Any]:
    """One of the arrays, mapped into memory."""
    array: np.memmap[Any, Any] = np.load(folder / f"{name}.npy", mmap_mode="r")
    return array


def mapped(folder: Path, name: str) -> NDArray[Any]:
    """The same without the class `numpy.memmap`, whose slices cost several times those of a plain array."""
    return memmap(folder, name).view(np.ndarray)


def loop(offsets: NDArray[Any], Z: NDArray[Any], R: NDArray[Any], F: NDArray[Any], E: NDArray[Any]) -> Epoch:
    """One step of Python a molecule."""

    def read(chosen: Indices) -> Padded:
        batch = empty(len(chosen))
        for row, index in enumerate(chosen.tolist()):
            start, stop = offsets[index], offsets[index + 1]
            atoms = stop - start
            batch.Z[row, :atoms] = Z[start:stop]
            batch.R[row, :atoms] = R[start:stop]
            batch.F[row, :atoms] = F[start:stop]
            batch.E[row] = E[index]
        return batch

    return by_batch(read)


def open_first_design(folder: Path) -> Epoch:
    """As the first design did it."""
    return loop(np.array(memmap(folder, "offsets")), *(memmap(folder, name) for name in Padded._fields))


def open_loop(folder: Path) -> Epoch:
    """The best that can be made of it."""
    return loop(np.array(memmap(folder, "offsets")), *(mapped(folder, name) for name in Padded._fields))


def write_dense(molecules: Molecules, folder: Path) -> None:
    """Every molecule in as many slots as the largest needs."""
    shapes = {"Z": (SLOTS,), "R": (SLOTS, 3), "F": (SLOTS, 3), "E": ()}
    for name, shape in shapes.items():
        dtype = getattr(molecules, name).dtype
        out = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (len(molecules), *shape))
        for start in range(0, len(molecules), FRAMES):
            chosen = np.arange(start, min(start + FRAMES, len(molecules)))
            out[chosen] = getattr(molecules.expected(chosen), name)
        out.flush()


def open_dense(folder: Path) -> Epoch:
    """One fancy index a field."""
    fields = [mapped(folder, name) for name in Padded._fields]
    return by_batch(lambda chosen: Padded(*(field[chosen] for field in fields)))


CONTENDERS = (
    Contender("loop over molecules (first design)", write_packed, open_first_design, limit=12.0),
    Contender("the same on plain arrays", write_packed, open_loop),
    Contender("padded npy", write_dense, open_dense),
)
