"""Reads a folder of length buckets as one data set: the union of all of them, without their padding.

Priors, constants of elements and normalisations that are fitted to it are those of all buckets, and the batching of an
experiment puts frames into buckets of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from atomloom.data import Column, Constant, Dataset, PerFrame, concatenate
from atomloom.data import Padded as PaddedColumn
from atomloom.data.schema import declared
from atomloom.errors import DataError
from atomloom_residues.combining import combine_and_pad_npz_bucketed
from atomloom_residues.protein_source import PER_FRAME, Source

UNITS: Final = {"R": "angstrom", "F": "kcal/mol/angstrom", "F_mean": "kcal/mol/angstrom", "E": "kcal/mol"}
"""The units of this layout."""

_NAME = re.compile(r"bucket_N(\d+)\.npz")


def bucket_files(folder: str | Path) -> list[tuple[int, Path]]:
    """The width and the file of each bucket in a folder, the shortest first."""
    found = [(int(match[1]), path) for path in Path(folder).glob("*.npz") if (match := _NAME.fullmatch(path.name))]
    if not found:
        raise DataError(f"read the buckets in '{folder}'", "it has no bucket_N*.npz", "Make them by `residues bucket`")
    return sorted(found)


def read(source: str | Path, /) -> Dataset:
    """The frames of all buckets in a folder, the shortest bucket first."""
    return union([path for _, path in bucket_files(source)]).with_meta(source=Path(source).name)


def union(paths: Sequence[str | Path]) -> Dataset:
    """The frames of several bucket files, lazily."""
    sources = [Source.open(path) for path in paths]
    numbers = sources[0].aa_to_id
    for source in sources:
        if source.aa_to_id != numbers:
            found = f"'{source.path.name}' numbers amino acids otherwise than '{sources[0].path.name}'"
            raise DataError("join the buckets", found, "Make all of them in one call")
    return concatenate([_dataset(source) for source in sources]).with_meta(aa_to_id=dict(numbers))


def _dataset(source: Source) -> Dataset:
    columns: dict[str, Column] = {}
    for name, rows in source.rows.items():
        if name in PER_FRAME:
            columns[name] = PerFrame(rows) if rows.shape == (source.frames,) else _repeated(rows[...], source.frames)
        elif source.is_once(name):
            columns[name] = Constant(np.asarray(rows[...]), source.frames, ragged=True)
        else:
            columns[name] = PaddedColumn(PerFrame(rows), source.lengths)
    fields = {name: declared(name).replace(unit=UNITS.get(name, "")) for name in columns}
    return Dataset(columns, fields)


def _repeated(value: Any, frames: int) -> Column:
    return Constant(np.asarray(value).reshape(-1)[0], frames)


def example(folder: Path) -> Path:
    """A folder of two buckets with three short proteins."""
    random = np.random.default_rng(0)
    paths = []
    for name, beads in (("A", 4), ("B", 6), ("C", 9)):
        R = random.normal(scale=4.0, size=(3, beads, 3))
        Z = np.full(beads, 6)
        np.savez(
            folder / f"{name}.npz", R=R, F=-R, Z=Z, resid=np.arange(beads), resname=["GLY", *["ALA"] * (beads - 1)]
        )
        paths.append(folder / f"{name}.npz")
    combine_and_pad_npz_bucketed(paths, folder / "buckets", n_buckets=2)
    return folder / "buckets"
