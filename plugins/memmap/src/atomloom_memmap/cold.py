"""Reading a store that lies on a disk and not in memory yet.

The system reads ahead what lies behind a place that is touched, which for single frames here and there is hundreds of
times more than is wanted. Here it is told which bytes the coming batches need, so that a disk works on many of them at
once and on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from atomloom.batching import Planned
from atomloom_memmap.store import Store

ASKED = 1 << 13
"""Frames that are asked for at a time, two such stretches ahead of what is read."""


def advised(store: Store, planned: Iterator[Planned], names: Sequence[str], *, scattered: bool) -> Iterator[Planned]:
    """The same batches; the system is asked for their fields before they are handed on.

    Args:
        scattered: whether frames lie here and there, so that nothing around them is worth reading.
    """
    stored = [name for name in names if name in store.manifest.fields]
    if scattered:
        for shard in store.shards:
            for array in (*shard.offsets.values(), *(shard.fields[name] for name in stored)):
                array.scatter()
    before: list[Planned] = []
    while coming := _stretch(planned):
        _ask(store, coming, stored)
        yield from before
        before = coming
    yield from before


def _stretch(planned: Iterator[Planned]) -> list[Planned]:
    found: list[Planned] = []
    frames = 0
    while frames < ASKED and (more := list(islice(planned, 1))):
        found += more
        frames += len(more[0].frames)
    return found


def _ask(store: Store, planned: Sequence[Planned], names: Sequence[str]) -> None:
    frames = np.sort(np.concatenate([each.frames for each in planned]))
    axes = {name: store.manifest.fields[name].axis for name in names}
    for shard in store.shards:
        mine = frames[(frames >= shard.first) & (frames < shard.first + shard.frames)] - shard.first
        for axis in dict.fromkeys(axes.values()):
            if axis:
                shard.offsets[axis].advise(mine, 2)
            starts, lengths = shard.spans(axis, mine)
            for name in (name for name in names if axes[name] == axis):
                shard.fields[name].advise(starts, lengths)
