"""Shuffle, packing to budgets, all pairs and flat batches of one shape: the loader beside `jraph.dynamically_batch`."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tables import Limit, table

from atomloom.batching import Shape
from memmap import graphs, ours
from memmap.contenders import PackedEpoch
from memmap.measuring import alternating, rate, ratio
from memmap.molecules import Molecules

SHAPE = Shape(frames=64, atoms=1024, pairs=18_300)
"""As `memmap.packing` finds it to waste at most 2 % of atoms and 3.5 % of pairs."""

LIMIT = 25.0
_CHECKED = 3
_OURS, _JRAPH = "atomloom-memmap", "jraph.dynamically_batch"
_KEPT = "the same, pairs kept by size"


def run(molecules: Molecules, folder: Path, rounds: int) -> list[Limit]:
    """Print the table."""
    ours.write(molecules, folder)
    opened = ours.loader(folder)
    epochs: dict[str, PackedEpoch] = {_OURS: lambda _: ours.packed(opened, SHAPE)}
    notes = [] if find_spec("jraph") else ["jraph: skipped, no module jraph"]
    if not notes:
        epochs[_JRAPH] = lambda order: graphs.batches(molecules, order, SHAPE, graphs.all_pairs)
        epochs[_KEPT] = lambda order: graphs.batches(molecules, order, SHAPE, graphs.kept_pairs)
    for name, epoch in epochs.items():
        check(name, epoch, molecules)
    rng = np.random.default_rng(4)
    rates = alternating({name: partial(rate, epoch, len(molecules), rng) for name, epoch in epochs.items()}, rounds)
    ratios = {name: ratio(rates[_OURS], measured) for name, measured in rates.items()}
    rows = [(name, f"{median(found):,.0f}", f"{ratios[name]:.1f}") for name, found in rates.items()]
    table(f"Packed to {SHAPE.atoms} atoms and {SHAPE.pairs} pairs", ("", "mol/s", "ours / this"), rows, notes)
    return [Limit(f"ours / {_JRAPH}", ratios[_JRAPH], LIMIT)] if _JRAPH in ratios else []


def check(name: str, epoch: PackedEpoch, molecules: Molecules) -> None:
    """Stops unless the first batches hold their molecules one behind the other, with all of their pairs."""
    order = np.random.default_rng(1).permutation(len(molecules))
    for number, batch in enumerate(islice(epoch(order), _CHECKED)):
        chosen = molecules.numbers(batch.E)
        lengths = molecules.lengths[chosen]
        starts = np.cumsum(lengths) - lengths
        rows = zip(*(molecules.one(index)[:3] for index in chosen.tolist()), strict=True)
        held = zip((batch.Z, batch.R, batch.F), map(np.concatenate, rows), strict=True)
        whole = all(_begins_with(values, expected) for values, expected in held)
        pairs = zip(batch.destination[batch.pair_mask], batch.source[batch.pair_mask], strict=True)
        expected = {
            (start + one, start + other)
            for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
            for one in range(length)
            for other in range(length)
            if one != other
        }
        if not whole or sorted(pairs) != sorted(expected):
            raise AssertionError(f"{name}: batch {number} is not what was stored")


def _begins_with(values: NDArray[Any], rows: NDArray[Any]) -> bool:
    return np.array_equal(values[: len(rows)], rows) and not values[len(rows) :].any()
