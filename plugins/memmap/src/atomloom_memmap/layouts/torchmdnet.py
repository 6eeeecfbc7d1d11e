"""The layout of TorchMD-Net's ``MemmappedDataset``: a file for each property, called ``NAME.PROPERTY.mmap``.

==========  =======  ============  ===========  ===============
property    dtype    shape         unit         called here
==========  =======  ============  ===========  ===============
``idx``     int64    [frames + 1]  -            -
``z``       int8     [atoms]       -            z
``pos``     float32  [atoms, 3]    angstrom     pos
``y``       float64  [frames]      eV           energy
``neg_dy``  float32  [atoms, 3]    eV/angstrom  forces
``q``       int8     [frames]      e            total_charge
``pq``      float32  [atoms]       e            partial_charges
``dp``      float32  [frames, 3]   e*angstrom   dipole
==========  =======  ============  ===========  ===============

``idx`` is the first atom of each frame, and the number of all atoms. The units are those to which all data sets of
TorchMD-Net are converted when they are written. ``y`` is a total energy in those of ANI and COMP6; in SPICE, ACE and
QM9q it is one of formation, less that of isolated atoms.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from atomloom.arrays import open_raw
from atomloom.arrays.place import Place
from atomloom.data import Column, Dataset, PerFrame
from atomloom.errors import AmbiguousData
from atomloom.specs import Field
from atomloom_memmap.layouts import files
from atomloom_memmap.layouts.files import Count, Frames

WORDS = "TorchMD-Net's data sets"
"""By which rule units are known, as reports print it."""

_END = ".mmap"
_INDEX = f".idx{_END}"


class _Property(NamedTuple):
    """A property that has a file of its own."""

    name: str
    dtype: str
    item: tuple[int, ...] = ()
    per_atom: bool = False
    unit: str = ""


_PROPERTIES: Final = {
    "z": _Property("z", "i1", per_atom=True),
    "pos": _Property("pos", "<f4", (3,), per_atom=True, unit="angstrom"),
    "y": _Property("energy", "<f8", unit="eV"),
    "neg_dy": _Property("forces", "<f4", (3,), per_atom=True, unit="eV/angstrom"),
    "q": _Property("total_charge", "i1", unit="e"),
    "pq": _Property("partial_charges", "<f4", per_atom=True, unit="e"),
    "dp": _Property("dipole", "<f4", (3,), unit="e*angstrom"),
}
_NEEDED = ("z", "pos")


def read(source: str | Path, /) -> Dataset:
    """The frames of a set of such files as a raw data set; only ``idx`` is read.

    Args:
        source: the folder with them (or the one with a folder ``processed`` in it), one of the files, or their path up
            to the property: ``"folder/NAME"``.
    """
    folder, name = _found(Path(source))
    index = folder / f"{name}{_INDEX}"
    frames = _frames(index)
    there = [key for key in _PROPERTIES if key in _NEEDED or (folder / f"{name}.{key}{_END}").exists()]
    columns = {_PROPERTIES[key].name: _column(folder / f"{name}.{key}{_END}", key, frames, index.name) for key in there}
    units = {_PROPERTIES[key].name: _PROPERTIES[key].unit for key in there}
    fields = {called: Field(name=called, unit=unit) for called, unit in units.items()}
    return Dataset(columns, fields, {"source": name, **files.described(units, WORDS)})


def _found(source: Path) -> tuple[Path, str]:
    """The folder, and what the names of the files begin with."""
    if not source.is_dir():
        name = source.name
        if name.endswith(_END):
            name = name.removesuffix(_END).rpartition(".")[0]
        return source.parent, name
    folder = source if list(source.glob(f"*{_INDEX}*")) else source / "processed"
    indices = sorted(folder.glob(f"*{_INDEX}")) or sorted(folder.glob(f"*{_INDEX}.tmp"))
    if not indices:
        raise files.no_folder(source, "TorchMD-Net's layout", f"NAME{_INDEX}")
    names = [path.name.removesuffix(".tmp").removesuffix(_INDEX) for path in indices]
    if len(names) > 1:
        found = f"it holds {len(names)} data sets ({', '.join(names)})"
        raise AmbiguousData(f"read '{source}'", found, f"Name one of them, such as '{indices[0]}'")
    return folder, names[0]


def _frames(path: Path) -> Frames:
    files.check_finished(path)
    starts = np.asarray(open_raw(path, "<i8")[...])
    frames = Frames.of(np.diff(starts), path)
    if starts[0]:
        raise Place(path).error(f"its first frame begins at atom {int(starts[0])} and not at 0")
    return frames


def _column(path: Path, key: str, frames: Frames, index: str) -> Column:
    each = _PROPERTIES[key]
    count = Count(frames.atoms, "atoms", index) if each.per_atom else Count(len(frames.lengths), "frames", index)
    rows = files.raw(path, each.dtype, each.item, count)
    return frames.packed(rows) if each.per_atom else PerFrame(rows)


def example(folder: str | Path, /) -> Path:
    """Write a tiny set of files, for the conformance kit and for tests."""
    target = Path(folder) / "example_torchmdnet"
    target.mkdir()
    random = np.random.default_rng(0)
    values = {
        "z": np.array([8, 1, 1, 1, 1]),
        "pos": np.arange(5)[:, None] + random.normal(scale=0.05, size=(5, 3)),
        "y": np.array([-2079.2, -31.7]),
        "neg_dy": random.normal(size=(5, 3)),
        "q": np.zeros(2),
    }
    np.array([0, 3, 5], dtype="<i8").tofile(target / f"Example{_INDEX}")
    for key, array in values.items():
        array.astype(_PROPERTIES[key].dtype).tofile(target / f"Example.{key}{_END}")
    return target
