"""The layout of the first packed loader: raw arrays of all atoms one behind the other.

==================  =============================================================
``n_atoms.npy``     atoms of each of n frames
``offsets.npy``     where each frame begins, with or without where the last ends
``Z_pack.int32``    atomic numbers of all atoms
``R_pack.f32``      their positions
``F_pack.f32``      the forces on them; may be missing
``E.f64``           energy of each frame
``Qtot.f64``        total charge of each frame; may be missing
==================  =============================================================

Nothing says in which units they are: the converters that write such folders keep what their NPZ had, whether kcal/mol
or eV. Where that had no forces or charges, these converters write zeros, which no reader can tell from measured ones:
leave such fields out with ``--as F=ignore``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from atomloom.arrays.place import Place
from atomloom.data import Column, Dataset, PerFrame
from atomloom.specs import Field
from atomloom_memmap.layouts import files
from atomloom_memmap.layouts.files import Count, Frames

OFFSETS, LENGTHS = "offsets.npy", "n_atoms.npy"


class _File(NamedTuple):
    """One array of the layout."""

    name: str
    dtype: str
    item: tuple[int, ...] = ()
    per_atom: bool = False
    needed: bool = True


_FILES: Final = {
    "Z": _File("Z_pack.int32", "<i4", per_atom=True),
    "R": _File("R_pack.f32", "<f4", (3,), per_atom=True),
    "F": _File("F_pack.f32", "<f4", (3,), per_atom=True, needed=False),
    "E": _File("E.f64", "<f8"),
    "Qtot": _File("Qtot.f64", "<f8", needed=False),
}


def read(source: str | Path, /) -> Dataset:
    """The frames of a folder as a raw data set; only the numbers of atoms are read."""
    folder = Path(source)
    if not (folder / LENGTHS).is_file():
        raise files.no_folder(folder, "the first packed layout", LENGTHS)
    frames = Frames.of(files.whole_numbers(folder / LENGTHS), folder / LENGTHS)
    _check_offsets(folder / OFFSETS, frames)
    columns = {
        name: _column(folder, file, frames)
        for name, file in _FILES.items()
        if file.needed or (folder / file.name).exists()
    }
    return Dataset(columns, {name: Field(name=name) for name in columns}, {"source": folder.name})


def _check_offsets(path: Path, frames: Frames) -> None:
    """The offsets must be those of frames one behind the other; with the end of the last frame or without it."""
    starts = files.whole_numbers(path)
    count = len(frames.lengths)
    if len(starts) not in (count, count + 1):
        found = f"it holds {len(starts)} numbers, and {LENGTHS} speaks of {count} frames"
        raise Place(path).error(found)
    files.check_starts(starts, frames, path)


def _column(folder: Path, file: _File, frames: Frames) -> Column:
    count = Count(frames.atoms, "atoms", LENGTHS) if file.per_atom else Count(len(frames.lengths), "frames", LENGTHS)
    rows = files.raw(folder / file.name, file.dtype, file.item, count)
    return frames.packed(rows) if file.per_atom else PerFrame(rows)


def example(folder: str | Path, /) -> Path:
    """Write a tiny folder, for the conformance kit and for tests."""
    target = Path(folder) / "example_packed"
    target.mkdir()
    random = np.random.default_rng(0)
    lengths = np.array([3, 2, 3], dtype=np.int32)
    atoms = int(lengths.sum())
    np.save(target / LENGTHS, lengths)
    np.save(target / OFFSETS, np.array([0, 3, 5, 8], dtype=np.int64))
    values = {
        "Z": np.array([8, 1, 1, 1, 1, 8, 1, 1]),
        "R": np.arange(atoms)[:, None] + random.normal(scale=0.05, size=(atoms, 3)),
        "F": random.normal(size=(atoms, 3)),
        "E": np.array([-2079.2, -31.7, -2079.1]),
        "Qtot": np.zeros(3),
    }
    for name, file in _FILES.items():
        values[name].astype(file.dtype).tofile(target / file.name)
    return target
