"""What a store holds, and what plans of batches would make of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from atomloom.batching import Order, Sizes, dense_pairs
from atomloom.data.columns import Indices
from atomloom.report import Axis, Counts, Histogram
from atomloom_memmap import batch_plans, manifest
from atomloom_memmap.batch_plans import Wanted
from atomloom_memmap.building import SHARDS
from atomloom_memmap.edges import cached_cutoff, pair_counts
from atomloom_memmap.manifest import FieldEntry, Manifest
from atomloom_memmap.store import Store

MOST_FRAMES = 50_000
"""Frames that plans are tried on; of a larger store as many, picked at random."""

_BATCH = 32
_BUCKETS = 3
_ATOMS = 1024
_LONGEST = 4  # a packed batch holds so many of the longest frames, where that is more than _ATOMS
_BARS = 24


class Space(NamedTuple):
    """Bytes on the disk: of the store, and of what its manifest does not name any more."""

    used: int
    unused: int


class Tried(NamedTuple):
    """A plan of batches and what it costs.

    Args:
        plan: the arguments of `PackedMemmapLoader.batches` that ask for it.
        batches: how many an epoch has.
        shapes: how many of them differ in shape.
        atoms, pairs: share of the slots that are empty, 0 to 1.
    """

    plan: str
    batches: int
    shapes: int
    atoms: float
    pairs: float


def facts(store: Store) -> dict[str, Any]:
    """All of it as plain data."""
    described, space = store.manifest, space_of(store.path, store.manifest)
    return {
        "frames": len(store),
        "shards": len(store.shards),
        "bytes": space.used,
        "unused_bytes": space.unused,
        "payload_bytes": described.payload,
        "fields": {name: _said(described, entry) for name, entry in described.fields.items()},
        "counted": described.counts,
        "axes": msgspec.to_builtins(described.axes),
        "meta": described.meta,
        "sources": msgspec.to_builtins(described.sources),
        "cutoff": cached_cutoff(store),
        "written_by": described.written_by,
        "plans": [each._asdict() for each in tried(store)],
        "planned_frames": min(len(store), MOST_FRAMES),
    }


def space_of(path: Path, described: Manifest) -> Space:
    """What the store in the folder `path` takes."""
    named = {part.folder for shard in described.shards for part in shard.parts}
    used = (path / manifest.NAME).stat().st_size + sum(_bytes((path / folder).iterdir()) for folder in named)
    others = (each for each in (path / SHARDS).iterdir() if f"{SHARDS}/{each.name}" not in named)
    return Space(used, sum(_bytes(each.rglob("*")) for each in others))


def bytes_of(described: Manifest, entry: FieldEntry) -> int:
    """Bytes of the values of a field."""
    rows = described.axes[entry.axis].rows if entry.axis else described.frames
    return rows * math.prod(entry.item) * np.dtype(entry.dtype).itemsize


def histogram(store: Store) -> Histogram | None:
    """Frames by their number of atoms; None for a store without atoms."""
    entry = store.manifest.axes.get("atom")
    if entry is None or not entry.longest:
        return None
    sizes, counts = np.array(entry.histogram, dtype=np.int64).reshape(-1, 2).T
    if not len(sizes):  # so many different ones that the manifest does not count them
        sizes, counts = np.unique(store.lengths("atom"), return_counts=True)
    first, last = int(sizes[0]), int(sizes[-1])
    step = math.ceil((last - first + 1) / _BARS)
    edges = np.arange(first, last + step + 1, step) - 0.5
    series = (Counts("", np.bincount((sizes - first) // step, weights=counts)),)
    title = "Frames by their number of atoms"
    return Histogram(title=title, edges=edges, series=series, x=Axis("atoms"), y=Axis("frames"))


def tried(store: Store) -> list[Tried]:
    """Plans that a loader can make, counted over an epoch of the store or of `MOST_FRAMES` of its frames."""
    entry = store.manifest.axes.get("atom")
    if entry is None or not entry.longest:
        return []
    atoms = store.lengths("atom")
    cutoff = cached_cutoff(store)
    chosen = _some(atoms)
    pairs = dense_pairs(atoms[chosen]) if cutoff is None else pair_counts(store)[chosen]
    sizes, order = Sizes(atoms[chosen], pairs), Order(len(chosen), 0)
    found = []
    for how in _ways(sizes):
        waste = batch_plans.make(how, sizes, order, _BATCH, 1).waste()
        given = how if cutoff is None else {**how, "cutoff": cutoff}
        plan = ", ".join(f"{name}={value:g}" for name, value in given.items() if isinstance(value, int | float))
        batches = round(waste.batches * len(store) / len(chosen))
        found.append(Tried(plan, batches, waste.shapes, waste.atoms, waste.pairs))
    return found


def _ways(sizes: Sizes) -> Iterable[Wanted]:
    longest = sizes.longest("atoms")
    atoms = max(_ATOMS, _LONGEST * longest)
    assert sizes.pairs is not None
    usual = math.ceil(atoms * int(sizes.pairs.sum()) / max(int(sizes.atoms.sum()), 1))
    yield {"num_atoms": longest}
    yield {"buckets": _BUCKETS}
    yield {"atoms": atoms}
    yield {"atoms": atoms, "pairs": max(usual, sizes.longest("pairs"))}


def _some(atoms: Indices) -> Indices:
    """The frames that plans are tried on, the longest among them: all have to fit."""
    if len(atoms) <= MOST_FRAMES:
        return np.arange(len(atoms), dtype=np.int64)
    chosen = np.random.default_rng(0).choice(len(atoms), MOST_FRAMES, replace=False)
    return np.unique(np.append(chosen, np.argmax(atoms)))


def _said(described: Manifest, entry: FieldEntry) -> dict[str, Any]:
    size = bytes_of(described, entry)
    return {"dims": list(entry.dims), "unit": entry.unit, "dtype": entry.dtype, "item": entry.item, "bytes": size}


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())
