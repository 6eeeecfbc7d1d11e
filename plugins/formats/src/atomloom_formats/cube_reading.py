"""Reads Gaussian cube files: one frame of atoms and what is known on a lattice around them.

A potential is the field `esp` in hartree/e, a density `density` in e/bohr^3. Which of them it is the comment lines say
(Gaussian's do), or the option `quantity`; where nothing says it, and for orbitals, the values keep a name of their own
(``values``, or ``values_5`` for data set 5) and can be named by ``--as values=esp --unit esp=hartree/e``.

A glob of cube files is a data set of as many frames; points and values are computed and read when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from atomloom.data import Column, Dataset, Packed
from atomloom.data.columns import Array, Indices
from atomloom.data.schema import declared
from atomloom.errors import ConfigError, DataError
from atomloom.specs import Field
from atomloom_formats.cube_file import Head, check_complete, read_head, read_values
from atomloom_formats.lazy import Frames, Parsed

QUANTITIES = {"potential": ("esp", "hartree/e"), "density": ("density", "e/bohr^3"), "other": ("", "")}
"""What a cube file may hold: the field, and its unit in the file."""

RULE = "the cube format: atomic units"


def read(source: str | Path, /, *, quantity: str = "") -> Dataset:
    """A cube file as a data set of one frame.

    Args:
        quantity: ``"potential"``, ``"density"``, or ``"other"``, which keeps the values under a name of their own;
            without it the comment lines decide.
    """
    if quantity and quantity not in QUANTITIES:
        found = f"{quantity!r} is none of {', '.join(QUANTITIES)}"
        raise ConfigError(f"read '{source}' as a cube file", found, "Choose one of these as option 'quantity'")
    path = Path(source)
    head = read_head(path)
    check_complete(path, head)
    if not len(head.numbers):
        raise DataError(f"read '{path}' as a cube file", "it has no atoms", "Add them to its head")
    return _dataset(path, head, quantity or _quantity(head))


def _dataset(path: Path, head: Head, quantity: str) -> Dataset:
    lattice = _Lattice(path, head)
    atoms, points = np.array([len(head.numbers)]), np.array([head.points])
    name, unit = QUANTITIES[quantity]
    fields = {
        "Z": declared("Z"),
        "R": declared("R").replace(unit=head.unit),
        "vdw_surface": declared("vdw_surface").replace(unit=head.unit),
    }
    columns: dict[str, Column] = {
        "Z": Packed(head.numbers, atoms),
        "R": Packed(head.positions, atoms),
        "vdw_surface": Parsed(lattice, "vdw_surface", np.dtype(np.float64), (3,), points),
    }
    for column, label in enumerate(head.labels):
        own = name or ("values" if len(head.labels) == 1 else f"values_{label}")
        fields[own] = declared(own).replace(unit=unit) if name else Field(name=own)
        columns[own] = Parsed(lattice, str(column), np.dtype(np.float64), (), points)
    rules = {known: RULE for known, field in fields.items() if field.unit}
    meta = {"source": path.name, "comment": " / ".join(head.comments), "unit_rules": rules}
    return Dataset(columns, fields, meta)


def _quantity(head: Head) -> str:
    text = " ".join(head.comments).lower()
    if len(head.labels) > 1:
        return "other"
    if "potential" in text or "esp" in text.split():
        return "potential"
    return "density" if "density" in text else "other"


class _Lattice(Frames):
    """The one frame of a cube file: its points and the values there."""

    def __init__(self, path: Path, head: Head) -> None:
        super().__init__()
        self.path, self.head = path, head

    def values(self, name: str, frames: Indices) -> list[Array]:
        """See `Frames.values`; points are computed without reading the file."""
        if name == "vdw_surface":
            return [self.head.grid()] * len(frames)
        return super().values(name, frames)

    def parse(self, frames: Indices) -> Mapping[str, Array]:
        """See `Frames.parse`."""
        values = read_values(self.path, self.head)
        return {str(column): np.tile(values[:, column], len(frames)) for column in range(values.shape[1])}


def example(folder: str | Path, /) -> Path:
    """Write a tiny file of this format, for the conformance kit and for tests."""
    target = Path(folder) / "example.cube"
    lines = [" a point charge", " electrostatic potential", "    1   -2.0 -2.0 -2.0", "    3  2.0 0.0 0.0"]
    lines += ["    3  0.0 2.0 0.0", "    3  0.0 0.0 2.0", "    1  1.0  0.1 0.2 0.3"]
    points = np.stack(np.meshgrid(*[np.arange(-2.0, 3.0, 2.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    values = 1.0 / np.linalg.norm(points - [0.1, 0.2, 0.3], axis=1)
    lines += [" ".join(f"{value:13.5E}" for value in row) for row in values.reshape(-1, 3)]
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target
