"""What all frames of an XYZ file have in common, by one comment line of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from atomloom.data.columns import Indices
from atomloom.errors import DataError
from atomloom.specs import Field
from atomloom_formats.xyz_comment import PLAIN, Place, keys_of, number, places
from atomloom_formats.xyz_index import Index

UNITS = {
    "positions": "angstrom",
    "energy": "eV",
    "free_energy": "eV",
    "energies": "eV",
    "forces": "eV/angstrom",
    "force": "eV/angstrom",
    "stress": "eV/angstrom^3",
    "virial": "eV",
    "dipole": "e*angstrom",
    "quadrupole": "e*angstrom^2",
    "charges": "e",
    "initial_charges": "e",
    "charge": "e",
    "total_charge": "e",
    "cell": "angstrom",
}
"""The units of extended XYZ by ASE's convention."""

CONVENTION = "extended XYZ's convention, as ASE has it"
PLAIN_CONVENTION = "positions in XYZ files are in angstrom"

_HANDLED = frozenset({"Properties", "Lattice", "pbc"})


@dataclass(frozen=True)
class Layout:
    """What frames of one kind hold.

    Attributes:
        extended: whether their comment line names the columns.
        columns: where in an atom's line each property is.
        words: in an atom's line; plain XYZ may have more.
        keys: shape and dtype of each number in the comment line.
        texts: keys and columns that hold text.
        periodic: whether there is a lattice.
    """

    extended: bool
    columns: Mapping[str, Place]
    words: int
    keys: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]
    texts: frozenset[str]
    periodic: bool

    def has(self, name: str) -> bool:
        """Whether there is a field of that name."""
        return self.periodic if name in {"cell", "pbc"} else self.shape(name) is not None

    @property
    def symbols(self) -> Place | None:
        """Where the elements are, as symbols."""
        return self.columns.get("species")

    def shape(self, name: str) -> tuple[Any, ...] | None:
        """Something that two layouts agree in if they hold a field of that name alike; None if it is not there."""
        if name in self.columns:
            return "atoms", self.columns[name].item, self.columns[name].dtype
        return ("frame", *self.keys[name]) if name in self.keys else None


@dataclass(frozen=True)
class Schema:
    """The fields that every frame has, how each kind of frame holds them, and why others are left out.

    Attributes:
        layouts: of each kind of frame.
        picked: the frames that are wanted.
        columns: where the first of them has each property of its atoms.
        keys: shape and dtype of each number in the comment lines.
        left_out: name of a field -> why it is left out.
        texts: names of what is not read since it is text.
    """

    layouts: tuple[Layout, ...]
    picked: Indices
    columns: Mapping[str, Place]
    keys: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]
    left_out: Mapping[str, str]
    texts: tuple[str, ...]

    @property
    def extended(self) -> bool:
        """Whether ASE's convention for units holds."""
        return all(layout.extended for layout in self.layouts)

    @property
    def elements(self) -> bool:
        """Whether all frames name their elements by symbols."""
        return all(layout.symbols is not None for layout in self.layouts)

    @property
    def periodic(self) -> bool:
        """Whether some frame has a lattice."""
        return any(layout.periodic for layout in self.layouts)

    def field(self, name: str) -> Field:
        """The declaration of a raw field, with its unit where the convention fixes one."""
        known = self.extended or name == "positions"
        return Field(name=name, unit=UNITS.get(name, "") if known else "")

    def unit_rule(self, name: str) -> str:
        """In words, by which rule the unit of a field is known."""
        return CONVENTION if self.extended else PLAIN_CONVENTION


def schema_of(index: Index, having: Sequence[str] = ()) -> Schema:
    """The schema of the frames that have all of some fields; reads one comment line of each kind of frame."""
    with index.open() as file:
        layouts = tuple(_layout(index, file, frame) for frame in index.examples)
    kinds = [kind for kind, layout in enumerate(layouts) if all(layout.has(name) for name in having)]
    picked = np.flatnonzero(np.isin(index.kinds, kinds))
    if not picked.size:
        found = f"no frame has {' and '.join(having)}"
        raise DataError(f"read the frames of '{index.path}' that have them", found, "Leave out the option 'having'")
    kept = {kind: layouts[kind] for kind in kinds}
    counts = {kind: int(np.count_nonzero(index.kinds == kind)) for kind in kept}
    common, left_out = _compared(kept, counts)
    texts = tuple(sorted({name for layout in kept.values() for name in layout.texts}))
    first = next(iter(kept.values()))
    columns = {name: first.columns[name] for name in common if name in first.columns and name not in texts}
    keys = {name: first.keys[name] for name in common if name in first.keys}
    return Schema(layouts, picked, columns, keys, left_out, texts)


def _compared(layouts: Mapping[int, Layout], counts: Mapping[int, int]) -> tuple[list[str], dict[str, str]]:
    """The names that all layouts hold alike, and why others cannot be used."""
    frames = sum(counts.values())
    names = dict.fromkeys(name for layout in layouts.values() for name in (*layout.columns, *layout.keys))
    common, left_out = [], {}
    for name in names:
        shapes = {kind: layout.shape(name) for kind, layout in layouts.items()}
        having = sum(counts[kind] for kind, shape in shapes.items() if shape is not None)
        if having < frames:
            left_out[name] = f"{having} of {frames} frames have it"
        elif len(set(shapes.values())) > 1:
            left_out[name] = "its shape differs from frame to frame"
        else:
            common.append(name)
    return common, left_out


def _layout(index: Index, file: BinaryIO, frame: int) -> Layout:
    keys = keys_of(index.comment(file, frame))
    try:
        columns, words = places(keys.get("Properties", PLAIN))
    except ValueError as error:
        todo = "Correct it; it should read like species:S:1:pos:R:3"
        raise DataError(f"read frame {frame} of '{index.path}'", str(error), todo) from error
    if "positions" not in columns or columns["positions"].width != 3:
        found = f"its columns are {', '.join(columns)}, without pos:R:3"
        raise DataError(f"read frame {frame} of '{index.path}'", found, "Write positions as pos:R:3")
    values = {key: number(key, text) for key, text in keys.items() if key not in _HANDLED}
    texts = {key for key, value in values.items() if value is None}
    texts |= {name for name, place in columns.items() if place.dtype.kind == "U" and name != "species"}
    if "species" in columns:
        columns = {name: place for name, place in columns.items() if name != "numbers"}
    shapes = {key: (value.shape, value.dtype) for key, value in values.items() if value is not None}
    clear = {key: shape for key, shape in shapes.items() if key not in columns}
    return Layout("Properties" in keys, columns, words, clear, frozenset(texts), "Lattice" in keys)
