"""The demo: pack molecules, verify, and stream shuffled batches, beside the padded NPZ that they came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from atomloom.batching import Waste, dense_pairs
from atomloom.data.columns import Array, Indices
from atomloom.harmonizing import Choices
from atomloom.pipeline import load_paths
from atomloom.progress import track
from atomloom.report import Report
from atomloom.runs import origin
from atomloom_memmap import PackedMemmapLoader, Store, write_store
from atomloom_memmap.batch_plans import How
from atomloom_memmap.demo import molecules
from atomloom_memmap.demo.measuring import Timed, allocated, in_turn, timed

FRAMES = 200_000
BATCH = 256
ATOMS = 1024
REPEATS = 3
_SPARE = 1.01  # slots for pairs of what a batch has on average

PLAIN, PADDED, PACKED = "padded NPZ", "store, padded", "store, packed"
"""How batches are made: as people do it, who load everything and pick rows; from the store alike; without padding."""

WAYS: dict[str, How] = {
    PADDED: {"pairs": False},
    "store, 3 buckets": {"pairs": False, "buckets": 3},
    PACKED: {"pairs": False, "atoms": ATOMS},
    "store, packed, all pairs": {"atoms": ATOMS},
}
"""Ways to stream an epoch from the store."""

LARGEST, BY_ATOMS, BY_PAIRS = "slots of the largest", f"{ATOMS} atoms", f"{ATOMS} atoms, pairs"
"""Plans of which the padding is counted, beside length buckets."""


@dataclass(frozen=True)
class Measured:
    """What one run of the demo has measured.

    Args:
        atoms: of each molecule.
        making, saving, packing, verifying: seconds.
        npz, store, payload: bytes of the NPZ, of the store, and of the values in it.
        first: from nothing to the first batch, by source.
        memory: bytes allocated until then.
        epochs: one epoch, by way.
        wastes: padding, by plan.
    """

    atoms: Indices
    making: float
    saving: float
    packing: float
    verifying: float
    npz: int
    store: int
    payload: int
    first: dict[str, Timed]
    memory: dict[str, int]
    epochs: dict[str, Timed]
    wastes: dict[str, Waste]


def run(folder: Path, /, *, frames: int = FRAMES, repeats: int = REPEATS) -> Report:
    """Make molecules, pack them, verify, stream, and report it all; the store stays in `folder`, the NPZ does not."""
    from atomloom_memmap.demo.page import page

    return page(measure(folder, frames, repeats))


def measure(folder: Path, frames: int, repeats: int) -> Measured:
    """Everything that the report shows."""
    npz, store = folder / "molecules.npz", folder / "molecules.packed"
    made: dict[str, Array] = {}
    making = timed(lambda: made.update(molecules.make(frames)))
    saving = timed(lambda: np.savez(npz, **made))  # type: ignore[arg-type]  # its stub takes a flag among the arrays
    atoms = made.pop("N")
    made.clear()
    packing = timed(lambda: pack(npz, store))
    verifying = timed(lambda: _verify(store))
    firsts: dict[str, Callable[[], object]] = {
        "NPZ": lambda: next(plain_batches(load(npz))),
        "store": lambda: _first(store),
    }
    first = in_turn(firsts, repeats)
    memory = {name: allocated(way) for name, way in firsts.items()}
    epochs = _epochs(npz, store, repeats)
    sizes = [path.stat().st_size for path in store.rglob("*") if path.is_file()]
    found = Measured(
        atoms,
        making,
        saving,
        packing,
        verifying,
        npz.stat().st_size,
        sum(sizes),
        Store(store).manifest.payload,
        first,
        memory,
        epochs,
        {name: PackedMemmapLoader(store, BATCH).plan(**how).waste() for name, how in _plans(atoms).items()},
    )
    npz.unlink()
    return found


def pack(npz: Path, target: Path) -> None:
    """What `atomloom memmap convert` does."""
    units = {"E": "eV", "R": "angstrom", "F": "eV/angstrom"}
    read = load_paths([str(npz)], choices=Choices.of({"unit": units}))
    write_store(read.dataset.with_meta(converted_from=[origin(path) for path in read.files]), target)


def load(npz: Path) -> dict[str, Array]:
    """All arrays of an NPZ, in memory."""
    with np.load(npz) as file:
        return {name: file[name] for name in file.files}


def plain_batches(arrays: dict[str, Array], seed: int = 0) -> Iterator[dict[str, Array]]:
    """Shuffled batches of padded arrays, as people make them: rows picked by an array of indices, then laid flat."""
    order = np.random.default_rng(seed).permutation(len(arrays["E"]))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        yield {name: _flat(values[rows]) for name, values in arrays.items()}


def _flat(values: Array) -> Array:
    return values.reshape(-1, *values.shape[2:]) if values.ndim > 1 else values


def _plans(atoms: Indices) -> dict[str, How]:
    """Plans; one with slots for the pairs of an average batch and little more."""
    pairs = int(_SPARE * ATOMS * dense_pairs(atoms).sum() / atoms.sum())
    return {
        LARGEST: {},
        "3 buckets": {"buckets": 3},
        "4 buckets": {"buckets": 4},
        BY_ATOMS: {"atoms": ATOMS},
        BY_PAIRS: {"atoms": ATOMS, "pairs": pairs},
    }


def _epochs(npz: Path, store: Path, repeats: int) -> dict[str, Timed]:
    arrays = load(npz)
    ways: dict[str, Callable[[], object]] = {PLAIN: lambda: _drained(plain_batches(arrays))}
    for name, how in WAYS.items():
        ways[name] = partial(_streamed, PackedMemmapLoader(store, BATCH), how)
    rounds = [in_turn(ways, 1) for _ in track(range(repeats), total=repeats, label="streaming epochs")]
    return {name: Timed(tuple(each[name].seconds[0] for each in rounds)) for name in ways}


def _drained(batches: Iterator[object]) -> int:
    return sum(1 for _ in batches)


def _streamed(loader: PackedMemmapLoader, how: How) -> int:
    """The next epoch of a loader; its number of batches."""
    return _drained(loader.batches(**how))


def _first(store: Path) -> object:
    batches = PackedMemmapLoader(store, BATCH).batches(pairs=False)
    first = next(batches)
    batches.close()
    return first


def _verify(store: Path) -> None:
    damages = Store(store).verify()
    assert not damages, f"a store that was just written is damaged: {damages[0]}"
