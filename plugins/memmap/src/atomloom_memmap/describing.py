"""What a store holds, and what plans of batches would make of it, as a report and as plain data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from atomloom.batching import BucketPlan, FixedPlan, Order, PackedPlan, Plan, Shape, Sizes, buckets, packed_shape
from atomloom.data.columns import Indices
from atomloom.report import Axis, Block, Column, Counts, Histogram, KeyFigure, KeyFigures, Report, Section, Table, Text
from atomloom_memmap.manifest import FieldEntry
from atomloom_memmap.store import Store

MOST_FRAMES = 1_000_000
"""Frames that plans are tried on; of a larger store as many evenly spaced ones."""

_BATCH = 32
_ATOMS = 1024
_BARS = 40


def report_on(store: Store) -> Report:
    """Everything that is worth knowing before the first training on a store."""
    sections = [Section("Store", (_figures(store), _fields(store)))]
    if "atom" in store.manifest.axes:
        sections.append(Section("Sizes", _sizes(store)))
    if store.manifest.sources:
        rows = [(each.name, each.bytes / 1e6, each.hash) for each in store.manifest.sources]
        columns = (Column("file", kind="text"), Column("size", "MB", precision=3), Column("hash", kind="text"))
        sections.append(Section("Sources", (Table(columns, tuple(rows)),)))
    return Report(store.path.name, tuple(sections))


def facts(store: Store) -> dict[str, Any]:
    """The same as plain data."""
    described = store.manifest
    return {
        "frames": len(store),
        "shards": len(store.shards),
        "payload_bytes": described.payload,
        "bytes": _bytes(store),
        "fields": {
            name: {"dims": list(entry.dims), "unit": entry.unit, "dtype": entry.dtype, "bytes": _size(store, entry)}
            for name, entry in described.fields.items()
        },
        "counted": described.counts,
        "axes": {
            axis: {"rows": entry.rows, "longest": entry.longest, "histogram": [list(pair) for pair in entry.histogram]}
            for axis, entry in described.axes.items()
        },
        "meta": described.meta,
        "sources": [{"name": each.name, "bytes": each.bytes, "hash": each.hash} for each in described.sources],
        "written_by": described.written_by,
        "plans": [dict(zip(("plan", "batches", "shapes", "empty"), row, strict=True)) for row in _tried(store)],
    }


def _figures(store: Store) -> KeyFigures:
    described, size = store.manifest, _bytes(store)
    level = described.meta.get("level_of_theory")
    return KeyFigures(
        (
            KeyFigure("Frames", len(store)),
            KeyFigure("Shards", len(store.shards)),
            KeyFigure("Size", size / 1e6, "MB", note=f"{size / max(described.payload, 1):.3f} times the values"),
            *([KeyFigure("Level of theory", level)] if isinstance(level, str) and level else []),
            KeyFigure("Written by", f"atomloom {described.written_by}"),
        )
    )


def _fields(store: Store) -> Table:
    described = store.manifest
    rows = [
        (name, " ".join(entry.dims) or entry.axis, entry.unit, np.dtype(entry.dtype).name, _size(store, entry) / 1e6)
        for name, entry in described.fields.items()
    ]
    rows += [(name, "frame", "", "counted", 0.0) for name in described.counts]
    texts = (Column(name, kind="text") for name in ("field", "axes", "unit", "type"))
    return Table((*texts, Column("size", "MB", precision=4)), tuple(rows))


def _sizes(store: Store) -> tuple[Block, ...]:
    entry = store.manifest.axes["atom"]
    shown: list[Block] = [_histogram(entry.histogram)] if entry.histogram and entry.longest else []
    columns = (
        Column("plan", kind="text"),
        Column("batches", kind="integer"),
        Column("shapes", kind="integer"),
        Column("empty atom slots", "%", precision=3),
    )
    rows = [(plan, batches, shapes, 100 * empty) for plan, batches, shapes, empty in _tried(store)]
    note = "" if len(store) <= MOST_FRAMES else f"Counted on {MOST_FRAMES} of {len(store)} frames, evenly spaced."
    return (*shown, Table(columns, tuple(rows), title="Plans of an epoch", caption=note), Text(_ADVICE))


_ADVICE = (
    "Every shape is compiled once. `loader.batches(num_atoms=...)`, `batches(buckets=3)` and `batches(atoms=...)` make "
    "these plans; `[batching]` of an experiment does the same."
)


def _histogram(counted: tuple[tuple[int, int], ...]) -> Histogram:
    """Frames by their number of atoms, in bars of whole numbers."""
    sizes, counts = (np.array(values, dtype=np.int64) for values in zip(*counted, strict=True))
    step = max(1, math.ceil((int(sizes[-1]) - int(sizes[0]) + 1) / _BARS))
    edges = np.arange(int(sizes[0]), int(sizes[-1]) + step + 1, step) - 0.5
    heights, _ = np.histogram(sizes, edges, weights=counts)
    series = (Counts("frames", heights.astype(np.int64)),)
    return Histogram(title="Atoms of a frame", edges=edges, series=series, x=Axis("atoms"), y=Axis("frames"))


def _tried(store: Store) -> list[tuple[str, int, int, float]]:
    """For each of some plans how many batches and shapes it has, and which share of the atom slots is empty."""
    if "atom" not in store.manifest.axes or not store.manifest.axes["atom"].longest:
        return []
    atoms = store.lengths("atom")
    if len(atoms) > MOST_FRAMES:
        atoms = atoms[np.linspace(0, len(atoms) - 1, MOST_FRAMES).astype(np.int64)]
    scale = len(store) / len(atoms)
    return [_cost(name, plan, scale) for name, plan in _plans(atoms).items()]


def _cost(name: str, plan: Plan, scale: float) -> tuple[str, int, int, float]:
    waste = plan.waste()
    return name, round(waste.batches * scale), waste.shapes, waste.atoms


def _plans(atoms: Indices) -> dict[str, Plan]:
    sizes, order = Sizes(atoms), Order(len(atoms), 0)
    budget = max(_ATOMS, 4 * sizes.longest("atoms"))
    cut = tuple(buckets.optimal(atoms, 3).tolist())
    usual = packed_shape(sizes, budget)
    return {
        f"num_atoms={sizes.longest('atoms')}, {_BATCH} frames": FixedPlan(sizes, order, _BATCH),
        f"buckets={list(cut)}, {_BATCH} frames": BucketPlan(sizes, order, cut, batch_size=_BATCH),
        f"atoms={budget}": PackedPlan(sizes, order, Shape(usual.frames, budget)),
    }


def _size(store: Store, entry: FieldEntry) -> int:
    axes = store.manifest.axes
    rows = axes[entry.axis].rows if entry.axis else len(store)
    return rows * math.prod(entry.item) * np.dtype(entry.dtype).itemsize


def _bytes(store: Store) -> int:
    return sum(path.stat().st_size for path in store.path.rglob("*") if path.is_file())
