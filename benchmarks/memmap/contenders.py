"""What a contender is: how it stores the molecules, and how it reads batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np

from memmap.molecules import FRAMES, Indices, Molecules, Packed, Padded

Epoch = Callable[[Indices], Iterator[Padded]]
"""Batches of the molecules of an order, `FRAMES` at a time."""

PackedEpoch = Callable[[Indices], Iterator[Packed]]
"""Batches of as many of them as fit into budgets."""

CHECKED = 3  # batches that are compared with the truth before anything is timed


@dataclass(frozen=True)
class Contender:
    """A way to store molecules and read them in batches.

    Args:
        name: for the table.
        write: stores molecules in a folder.
        open: opens such a folder; what it gives reads batches.
        needs: the modules that it imports.
        molecules: how many it stores, where all would take minutes; 0 for all.
        own_order: whether it shuffles by itself, whatever order it is given.
        limit: what the rate of ours over that of this one must reach; 0 where nothing is asked.
        missing: why it cannot run here, found by other means than an import; empty where it can.
    """

    name: str
    write: Callable[[Molecules, Path], None]
    open: Callable[[Path], Epoch]
    needs: tuple[str, ...] = ()
    molecules: int = 0
    own_order: bool = False
    limit: float = 0.0
    missing: Callable[[], str] = str

    @property
    def reason(self) -> str:
        """Why it is left out, or nothing."""
        absent = [module for module in self.needs if find_spec(module) is None]
        return f"no module {', '.join(absent)}" if absent else self.missing()

    def check(self, epoch: Epoch, molecules: Molecules) -> None:
        """Stops unless the first batches hold exactly what they should."""
        order = np.random.default_rng(1).permutation(len(molecules))
        for number, batch in enumerate(islice(epoch(order), CHECKED)):
            wanted = order[number * FRAMES : (number + 1) * FRAMES]
            chosen = molecules.numbers(batch.E) if self.own_order else wanted
            for name, found, expected in zip(Padded._fields, batch, molecules.expected(chosen), strict=True):
                if found.dtype != expected.dtype or not np.array_equal(found, expected):
                    raise AssertionError(f"{self.name}: {name} of batch {number} is not what was stored")


def by_batch(read: Callable[[Indices], Padded]) -> Epoch:
    """An epoch from a function that reads one batch."""
    return lambda order: (read(order[start : start + FRAMES]) for start in range(0, len(order), FRAMES))
