"""Reads a packed store as a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atomloom.data import Dataset
from atomloom_memmap.remote import local
from atomloom_memmap.store import Store
from atomloom_memmap.stored import Check
from atomloom_memmap.writing import write


def read(source: str | Path, /, *, check: Check = "touch") -> Dataset:
    """The frames of the store in the folder `source`, or at that address (see `atomloom_memmap.remote`), lazily.

    Args:
        check: ``"touch"`` compares every block with its checksum at its first use, ``"never"`` does not.
    """
    return Store(local(source), check).dataset()


def example(folder: str | Path, /) -> Path:
    """Writes a store of three molecules into `folder`."""
    water: Mapping[str, Any] = {
        "Z": [8, 1, 1],
        "R": [[0.0, 0.0, 0.0], [0.0, 0.76, 0.59], [0.0, -0.76, 0.59]],
        "E": -2079.2,
    }
    hydrogen: Mapping[str, Any] = {"Z": [1, 1], "R": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.74]], "E": -31.7}
    target = Path(folder) / "example.packed"
    write(Dataset.from_frames([water, hydrogen, water]), target)
    return target
