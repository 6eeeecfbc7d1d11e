"""Pairs of large frames by vesin's cell lists, whose cost grows with the atoms and not with their square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from atomloom.data import Batch

if TYPE_CHECKING:
    from atomloom.batching.pairs import Cells, PairList


def within_by_vesin(batch: Batch, cells: Cells, cutoff: float) -> PairList:
    """The same pairs as `atomloom.batching.within` gives, frame by frame."""
    from vesin import NeighborList  # type: ignore[import-untyped]  # its package has no py.typed

    from atomloom.batching.pairs import PairList, ordered

    found = []
    for frame, (start, stop) in enumerate(zip(batch.offsets["atom"], batch.offsets["atom"][1:], strict=False)):
        points = np.ascontiguousarray(batch["R"][start:stop], dtype=np.float64)
        if not len(points):
            continue
        search = NeighborList(cutoff=cutoff, full_list=True)
        first, second, steps = search.compute(points, cells.vectors[frame], cells.periodic[frame], quantities="ijS")
        found.append((first.astype(np.int64) + start, second.astype(np.int64) + start, steps))
    if not found:
        return PairList(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32))
    destination, source, steps = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return ordered(destination, source, steps, batch, cells)
