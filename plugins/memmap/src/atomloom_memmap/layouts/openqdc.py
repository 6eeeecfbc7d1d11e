"""The layout of openQDC: ``atomic_inputs.mmap``, ``position_idx_range.mmap``, ``energies.mmap``, ``props.pkl``.

========================  ===============  ===================================================================
``position_idx_range``    [frames, 2]      int32, first atom of each frame and of the next
``atomic_inputs``         [atoms, 5]       float32: atomic number, formal charge, position
``energies``              [frames, m]      float64, float32 of PubChemQC and dimers: a column for each method
``forces``                [atoms, 3, k]    float32, for k of the methods; NaN in frames without; may be missing
``props``                                  a pickle of names and subsets, decoded by `atomloom.inert`
========================  ===============  ===================================================================

Nothing in these files says which methods there are and which units: that follows from the data set, and thus from the
name of the folder (``spice/preprocessed``) or from the option `dataset`. Values come as openQDC hands them out, so that
what it stores as gradients are forces here. openQDC puts zeros where it knows no formal charges: a total charge is
given only for the data sets in which it does know them, and of an unknown data set the formal charges as they are.
"""

from __future__ import annotations

import math
import pickle
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from atomloom.arrays import open_raw
from atomloom.arrays.place import AGAIN, Place
from atomloom.data import Column, Dataset, Mapped, PerFrame
from atomloom.data.columns import Array
from atomloom.errors import AmbiguousData, ConfigError
from atomloom.harmonizing.findings import counted
from atomloom.specs import Field
from atomloom_memmap.layouts import files
from atomloom_memmap.layouts.files import Count, Frames
from atomloom_memmap.layouts.openqdc_props import Props, Text
from atomloom_memmap.layouts.openqdc_sets import SETS, Known
from atomloom_memmap.layouts.summed import Summed

WORDS = "openQDC's documentation"
"""By which rule units are known, as reports print it."""

_ATOMS, _RANGES, _ENERGIES, _FORCES, _PROPS = (
    "atomic_inputs.mmap",
    "position_idx_range.mmap",
    "energies.mmap",
    "forces.mmap",
    "props.pkl",
)
_UNKNOWN: Final = Known("", "")
_SINGLE = "Check which data set it is, or set the option single if openQDC wrote float32, as it did in its beginnings"
_LISTED = 30
"""Methods that a message names at most."""


class _Chosen(NamedTuple):
    """The method to read: its number among the energies, of how many, and what it is called."""

    number: int
    methods: int
    name: str


def read(
    source: str | Path, /, *, dataset: str = "", method: str | int = "", names: bool = True, single: bool = False
) -> Dataset:
    """The frames of such a folder as a raw data set; only the ranges of atoms are read.

    Args:
        dataset: which of openQDC's data sets it is, where the folder is not called so.
        method: the level of theory to read, by its name or number, where there are several.
        names: whether to give the names and subsets of frames; all of them are in memory once one is asked for.
        single: whether energies are float32, as openQDC wrote them in its beginnings.
    """
    folder = _folder(Path(source))
    called, known = _known(folder, dataset)
    known = known._replace(single=known.single or single)
    frames = _frames(folder / _RANGES)
    chosen, energies = _energies(folder / _ENERGIES, len(frames.lengths), known, str(method))
    columns: dict[str, Column] = {**_atoms(folder, frames, known), known.holds: energies}
    if (forces := _forces(folder / _FORCES, frames, known, chosen)) is not None:
        columns["forces"] = forces
    if names and (folder / _PROPS).exists():
        props = Props(folder / _PROPS, frames.lengths)
        columns |= {"name": Text(props, "name"), "subset": Text(props, "subset")}
    units = {name: _units(known).get(name, "") for name in columns}
    fields = {name: Field(name=name, unit=unit) for name, unit in units.items()}
    meta = {"source": called, **files.described(units, WORDS)}
    return Dataset(columns, fields, meta | ({"level_of_theory": chosen.name} if chosen.name else {}))


def _folder(source: Path) -> Path:
    folder = source / "preprocessed" if (source / "preprocessed" / _RANGES).is_file() else source
    if not (folder / _RANGES).is_file():
        raise files.no_folder(source, "openQDC's layout", _RANGES)
    return folder


def _known(folder: Path, dataset: str) -> tuple[str, Known]:
    """The name of the data set, and what is known of it."""
    if dataset:
        if dataset not in SETS:
            found = f"openQDC's data sets are {', '.join(SETS)}"
            raise ConfigError(f"take '{folder}' for openQDC's {dataset!r}", found, "Name one of these")
        return dataset, SETS[dataset]
    absolute = folder.absolute()
    home = absolute.parent if absolute.name == "preprocessed" else absolute
    return home.name, SETS.get(home.name, _UNKNOWN)


def _units(known: Known) -> dict[str, str]:
    if not known.energy:
        return {}
    force = f"{known.energy}/{known.distance}"
    return {"positions": known.distance, "forces": force, "total_charge": "e", known.holds: known.energy}


def _frames(path: Path) -> Frames:
    """The number of atoms of each frame, whose ranges must lie one behind the other.

    Ranges are int32 and turn negative behind 2147483647 atoms. Counted modulo 2^32 they are right nevertheless.
    """
    ranges = np.asarray(open_raw(path, "<u4", (2,))[...])
    frames = Frames.of((ranges[:, 1] - ranges[:, 0]).view(np.int32).astype(np.int64), path)
    apart = np.flatnonzero(ranges[1:, 0] != ranges[:-1, 1]) + 1
    if apart.size:
        frame = int(apart[0])
        found = f"frame {frame} begins at atom {ranges[frame, 0]}, and the one before it ends at {ranges[frame - 1, 1]}"
        raise Place(path).error(found)
    if ranges[0, 0]:
        raise Place(path).error(f"its first frame begins at atom {ranges[0, 0]} and not at 0")
    return frames


def _atoms(folder: Path, frames: Frames, known: Known) -> dict[str, Column]:
    rows = frames.packed(files.raw(folder / _ATOMS, "<f4", (5,), Count(frames.atoms, "atoms", _RANGES)))
    charges = Mapped(rows, _charges)
    columns: dict[str, Column] = {"atomic_numbers": Mapped(rows, _numbers), "positions": Mapped(rows, _positions)}
    if not known.energy:
        columns["formal_charges"] = charges
    return columns | ({"total_charge": Summed(charges)} if known.charged else {})


def _numbers(rows: Array) -> Array:
    return rows[:, 0].astype(np.int32)


def _charges(rows: Array) -> Array:
    return rows[:, 1].astype(np.int32)


def _positions(rows: Array) -> Array:
    return np.ascontiguousarray(rows[:, 2:])


def _energies(path: Path, frames: int, known: Known, method: str) -> tuple[_Chosen, Column]:
    files.check_finished(path)
    size, width = len(open_raw(path, "u1")), 4 if known.single else 8
    count = known.columns or size // (width * frames)
    if not count or size != width * count * frames:
        methods = counted(count, "method") if known.columns else "methods"
        found = f"its {size} bytes are no float{8 * width} of {methods} for each of the {frames} frames in {_RANGES}"
        raise Place(path).error(found, _SINGLE if size == 4 * count * frames else AGAIN)
    chosen = _chosen(path, count, known, method)
    rows = open_raw(path, f"<f{width}", (count,))
    return chosen, Mapped(PerFrame(rows), partial(_one, number=chosen.number, scale=1.0))


def _chosen(path: Path, count: int, known: Known, method: str) -> _Chosen:
    called = known.methods or ("",) * count
    if not method and count == 1:
        return _Chosen(0, count, called[0])
    fitting = [number for number, name in enumerate(called) if method and method.casefold() in (name, str(number))]
    if len(fitting) == 1:
        return _Chosen(fitting[0], count, called[fitting[0]])
    listed = [f"{number} ({name})" if name else str(number) for number, name in enumerate(called)][:_LISTED]
    found = f"it holds {counted(count, 'method')}: {', '.join(listed)}{', ...' if count > _LISTED else ''}"
    todo = "Choose one by name or number with the option method"
    if method:
        raise ConfigError(f"read the method {method!r} of '{path}'", found, todo)
    raise AmbiguousData(f"read '{path}'", found, todo)


def _forces(path: Path, frames: Frames, known: Known, chosen: _Chosen) -> Column | None:
    """The forces at the chosen method, or None where there are none."""
    atoms = frames.atoms
    if not path.exists() or (known.methods and chosen.number not in known.forces):
        return None
    size = len(open_raw(path, "u1"))
    count = len(known.forces) or size // max(1, 12 * atoms)
    if not count or size != 12 * count * atoms:
        of = f"forces of {counted(count, 'method')}" if known.forces else "forces"
        raise Place(path).error(f"its {size} bytes are no {of} on each of the {atoms} atoms in {_RANGES}")
    if not known.forces and count != chosen.methods:
        found = f"it has {counted(count, 'method')} and {_ENERGIES} {chosen.methods}, and nothing says which are which"
        raise AmbiguousData(f"read '{path}'", found, "Say which of openQDC's data sets it is with the option dataset")
    rows = frames.packed(open_raw(path, "<f4", (3, count)))
    number = known.forces.index(chosen.number) if known.forces else chosen.number
    return Mapped(rows, partial(_one, number=number, scale=known.scale))


def _one(values: Array, number: int, scale: float) -> Array:
    """One method's values out of those of all."""
    own = np.ascontiguousarray(values[..., number])
    return own if math.isclose(scale, 1.0) else own * np.asarray(scale, own.dtype)


def example(folder: str | Path, /) -> Path:
    """Write a tiny data set called like SPICE, for the conformance kit and for tests."""
    target = Path(folder) / "spice" / "preprocessed"
    target.mkdir(parents=True)
    random = np.random.default_rng(0)
    atoms = np.zeros((5, 5), dtype="<f4")
    atoms[:, 0] = [8, 1, 1, 1, 1]
    atoms[:, 2:] = 2.0 * np.arange(5)[:, None] + random.normal(scale=0.1, size=(5, 3))
    atoms.tofile(target / _ATOMS)
    np.array([[0, 3], [3, 5]], dtype="<i4").tofile(target / _RANGES)
    np.array([[-76.4], [-1.16]], dtype="<f8").tofile(target / _ENERGIES)
    random.normal(size=(5, 3, 1)).astype("<f4").tofile(target / _FORCES)
    named = {key: np.unique(np.array(["O", "[H][H]"]), return_inverse=True) for key in ("name", "subset")}
    (target / _PROPS).write_bytes(pickle.dumps({**named, "n_atoms": np.array([3, 2], dtype=np.int32)}))
    return target
