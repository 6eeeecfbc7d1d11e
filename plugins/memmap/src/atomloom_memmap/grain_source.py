"""Batches for grain: a random-access source whose record is a batch, so that grain's workers have nothing to put
together.

::

    source = BatchSource(loader, epoch=0, atoms=1024)
    for batch in grain.MapDataset.source(source).to_iter_dataset().mp_prefetch(grain.MultiprocessingOptions(2)):
        ...

Grain asks for records by number, in threads and in processes it spawns; each process opens the store for itself.
Nothing of grain is imported here: what it asks of a source are the three methods below.
"""

from __future__ import annotations

import operator
import threading
from functools import cached_property
from typing import Any, SupportsIndex, Unpack, final

import numpy as np

from atomloom.batching import FixedPlan, Plan, Planned
from atomloom.data.columns import Array, Indices, offsets
from atomloom_memmap.batch_plans import How
from atomloom_memmap.loader import PackedMemmapLoader

_KEPT = 4
"""Stretches of a plan that are remembered: readers in several threads are near each other."""


@final
class BatchSource:
    """The batches of one epoch by number: record i is batch i of the epoch's plan, a dict of arrays.

    Args:
        loader: of the store or a part of it; what grain itself does (hosts, prefetching) is left to grain.
        epoch: whose order the frames are in; make a source of each.
        num_atoms, how: as in `PackedMemmapLoader.batches`.

    It is the same for the same loader, epoch and plan in every process and thread. A fixed plan is counted without
    making it; other plans are made once, for the number of their batches.
    """

    def __init__(
        self, loader: PackedMemmapLoader, epoch: int = 0, num_atoms: int | None = None, **how: Unpack[How]
    ) -> None:
        self.loader, self.epoch = loader, epoch
        self._num_atoms, self._how = num_atoms, how
        self._bounds = offsets(self._counts())
        self._forget()

    def __len__(self) -> int:
        return int(self._bounds[-1])

    def __getitem__(self, number: SupportsIndex) -> dict[str, Array]:
        """Batch `number` of the epoch."""
        index = range(len(self))[operator.index(number)]
        stretch = int(np.searchsorted(self._bounds, index, side="right")) - 1
        planned = self._stretch(stretch)[index - int(self._bounds[stretch])]
        return next(self.loader.load(planned, cutoff=self._how.get("cutoff")))

    def __repr__(self) -> str:
        how = "".join(f", {name}={value!r}" for name, value in self._how.items())
        return f"BatchSource({self.loader!r}, epoch={self.epoch}, num_atoms={self._num_atoms}{how})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("loader", "epoch", "_num_atoms", "_how", "_bounds")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, list[Planned]] = {}

    @cached_property
    def _plan(self) -> Plan:
        return self.loader.plan(self._num_atoms, **self._how)

    def _counts(self) -> Indices:
        """How many batches each window of the plan has."""
        plan = self._plan
        if isinstance(plan, FixedPlan):
            steps = -(-len(plan.sizes) // plan.step)
            return np.diff(np.append(np.arange(0, steps, plan.steps), steps)) * plan.group
        return np.array([sum(1 for _ in window) for window in plan.windows(self.epoch)], dtype=np.int64)

    def _stretch(self, number: int) -> list[Planned]:
        """The batches of a window of the plan; the latest ones are remembered."""
        with self._lock:
            if number not in self._known:
                self._known[number] = list(next(self._plan.windows(self.epoch, number)))
                for oldest in list(self._known)[:-_KEPT]:
                    del self._known[oldest]
            return self._known[number]
