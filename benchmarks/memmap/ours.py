"""The store and the loader of atomloom-memmap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.batching import Shape
from memmap.contenders import Contender, Epoch
from memmap.molecules import FRAMES, SLOTS, Indices, Molecules, Packed, Padded

STORE = "data.packed"


def write(molecules: Molecules, folder: Path) -> None:
    """A store."""
    from atomloom_memmap import write_store

    write_store(molecules.dataset(), folder / STORE)


def shards(folder: Path) -> Iterator[dict[str, NDArray[Any]]]:
    """The arrays of every shard of a store, which any numpy maps."""
    parts = (folder / STORE / "shards").iterdir()
    for part in sorted(parts, key=lambda path: [int(number) for number in path.name.split(".")]):
        named = {"offsets": "offsets-atom", **{name: name for name in Padded._fields}}
        yield {name: np.load(part / f"{file}.npy", mmap_mode="r") for name, file in named.items()}


def loader(folder: Path, **options: Any) -> Any:
    """What reads batches of a store; without a thread, for there is no step of a fit during which it could work."""
    from atomloom_memmap import PackedMemmapLoader

    return PackedMemmapLoader(folder / STORE, batch_size=FRAMES, prefetch=0, **options)


def open_padded(folder: Path) -> Epoch:
    """Epochs of the loader with all that it puts into a batch but pairs, which no other of these makes."""
    return padded(loader(folder))


def padded(opened: Any) -> Epoch:
    """Batches of a loader that shuffles by itself."""

    grid, space = (FRAMES, SLOTS), (FRAMES, SLOTS, 3)

    def epoch(_: Indices) -> Iterator[Padded]:
        for batch in opened.batches(num_atoms=SLOTS, pairs=False):
            Z, R, F, E = batch["Z"].reshape(grid), batch["R"].reshape(space), batch["F"].reshape(space), batch["E"]
            real = batch["frame_mask"]
            yield Padded(Z, R, F, E) if real[-1] else Padded(Z[real], R[real], F[real], E[real])

    return epoch


def packed(opened: Any, shape: Shape) -> Iterator[Packed]:
    """An epoch of the same loader packed to budgets, with all pairs."""
    for batch in opened.batches(atoms=shape.atoms, pairs=shape.pairs, frames=shape.frames):
        real = int(batch["frame_mask"].argmin()) or shape.frames  # the first slot that is not
        pairs = batch["dst_idx"], batch["src_idx"], batch["pair_mask"]
        yield Packed(batch["Z"], batch["R"], batch["F"], batch["E"][:real], *pairs)


CONTENDERS = (Contender("atomloom-memmap", write, open_padded, ("atomloom_memmap",), own_order=True),)
