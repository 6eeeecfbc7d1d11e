"""Writes HDF5 in the shape of AIMNet2's data sets: a group for each number of atoms, named by it, without padding.

Names are AIMNet2's (``coord``, ``numbers``, ``energy``, ``forces``, ``charge``, ``mult``, ``charges``, ``dipole``,
``quadrupole`` as xx yy zz xy yz xz), and every dataset has its unit as the attribute ``units``. Frames are sorted by
their number of atoms and keep their order within it; ``frame`` is the place that each had, by which our reader
restores the order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from atomloom.data import Batch, Dataset
from atomloom.data.columns import Array, segments
from atomloom.runs.atomic import atomic_path
from atomloom_formats.frames_out import BLOCK, batches, check
from atomloom_formats.quadrupoles import components

NAMES = {
    "Z": "numbers",
    "R": "coord",
    "E": "energy",
    "F": "forces",
    "D": "dipole",
    "total_charge": "charge",
    "total_spin": "mult",
    "mono": "charges",
}
"""What canonical fields are called in the file."""

PLACE = "frame"
"""The dataset that holds the place of each frame in the data set that was written."""

ORDER = "order"
"""The attribute of the file that names it."""

_CHUNK = 1 << 16


def write(dataset: Dataset, target: str | Path, /) -> None:
    """Write `dataset` to `target`; the file appears under its name only once it is whole."""
    names = check(dataset, target)
    with atomic_path(target) as temporary, h5py.File(temporary, "w") as file:
        file.attrs[ORDER] = PLACE
        for number, batch in enumerate(batches(dataset, names, target)):
            _append(file, batch, number * BLOCK)


def _append(file: Any, batch: Batch, first: int) -> None:
    sizes = batch.sizes["atom"]
    for atoms in np.unique(sizes).tolist():
        mine = np.flatnonzero(sizes == atoms)
        group = file.require_group(f"{atoms:03d}")
        rows = segments(batch.offsets["atom"][mine], sizes[mine])
        for name, field in batch.fields.items():
            if name == PLACE:
                continue
            values = batch[name]
            ragged = bool(batch.axis(name))
            block = values[rows].reshape(len(mine), atoms, *values.shape[1:]) if ragged else values[mine]
            _extend(group, NAMES.get(name, name), components(block) if name == "quadrupole" else block, field.unit)
        _extend(group, PLACE, first + mine, "")


def _extend(group: Any, name: str, block: Array, unit: str) -> None:
    text = block.dtype.kind == "U"
    if name not in group:
        row = max(1, int(np.prod(block.shape[1:], dtype=np.int64)) * block.dtype.itemsize)
        dtype = h5py.string_dtype() if text else block.dtype
        chunks = (max(1, min(len(block), _CHUNK // row)), *(max(1, size) for size in block.shape[1:]))
        shape = (0, *block.shape[1:])
        dataset = group.create_dataset(name, shape, dtype, maxshape=(None, *block.shape[1:]), chunks=chunks)
        if unit:
            dataset.attrs["units"] = unit
    dataset = group[name]
    start = dataset.shape[0]
    dataset.resize(start + len(block), axis=0)
    dataset[start:] = block.astype(object) if text else block
