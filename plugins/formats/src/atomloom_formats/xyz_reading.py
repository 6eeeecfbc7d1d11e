"""Reads extended and plain XYZ files.

A file is scanned once for where its frames are; a frame is parsed when it is asked for. Fields are called as ASE calls
them: ``numbers``, ``positions``, ``cell``, ``pbc``, and the keys and columns of the file. Their units are ASE's (eV,
angstrom, e) where the comment lines name the columns; of a plain XYZ file only positions are known to be in angstrom.

Fields that only some frames have are left out with a warning (see `atomloom_formats.left_out`), except for the lattice:
frames without one get ASE's cell of zeros. With ``having=("forces",)`` the frames without forces are left out instead.
Text (``config_type=bulk``, ``resname:S:1``) is left out with a warning as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atomloom.data import Column, Dataset
from atomloom.errors import DataError
from atomloom_formats.lazy import Parsed
from atomloom_formats.left_out import KEY
from atomloom_formats.xyz_frames import Atoms, Comments
from atomloom_formats.xyz_index import Index, scan
from atomloom_formats.xyz_schema import Schema, schema_of

EXAMPLE = """\
3
Properties=species:S:1:pos:R:3:forces:R:3 energy=-2079.1 dipole="0.0 0.38 0.0" pbc="F F F"
O  0.0  0.0  0.0  0.0 -0.2 0.0
H  0.76 0.59 0.0  0.1  0.1 0.0
H -0.76 0.59 0.0 -0.1  0.1 0.0
2
Properties=species:S:1:pos:R:3:forces:R:3 energy=-31.7 dipole="0.0 0.0 0.0" pbc="F F F"
H 0.0 0.0 0.0  0.0 0.0 -0.3
H 0.0 0.0 0.74 0.0 0.0 0.3
"""
"""A tiny file."""


def read(source: str | Path, /, *, having: Sequence[str] = ()) -> Dataset:
    """The frames of an XYZ file as a raw data set.

    Args:
        having: names of fields; frames that lack one of them are left out.
    """
    path = Path(source)
    index = scan(path)
    if not len(index.atoms):
        raise DataError(f"read '{path}' as XYZ", "it holds no frames", "Check that this is the file you meant")
    schema = schema_of(index, having)
    whole = _dataset(index, schema)
    return whole if len(schema.picked) == len(whole) else whole[schema.picked]


def _dataset(index: Index, schema: Schema) -> Dataset:
    columns: dict[str, Column] = {}
    atoms, comments = Atoms(index, schema), Comments(index, schema)
    count = len(index.atoms)
    if schema.elements:
        columns["numbers"] = Parsed(atoms, "numbers", np.dtype(np.int64), (), index.atoms)
    for name, place in schema.columns.items():
        if place.dtype.kind != "U":
            columns[name] = Parsed(atoms, name, place.dtype, place.item, index.atoms)
    for name, (shape, dtype) in schema.keys.items():
        columns[name] = Parsed(comments, name, dtype, shape, count)
    if schema.periodic:
        columns["cell"] = Parsed(comments, "cell", np.dtype(np.float64), (3, 3), count)
        columns["pbc"] = Parsed(comments, "pbc", np.dtype(np.bool_), (3,), count)
    fields = {name: schema.field(name) for name in columns}
    rules = {name: schema.unit_rule(name) for name, field in fields.items() if field.unit}
    texts = {name: "it is text, which this reader does not read" for name in sorted(schema.texts)}
    meta = {"source": index.path.name, "unit_rules": rules, KEY: {**dict(schema.left_out), **texts}}
    return Dataset(columns, fields, {key: value for key, value in meta.items() if value})


def example(folder: str | Path, /) -> Path:
    """Write a tiny file of this format, for the conformance kit and for tests."""
    target = Path(folder) / "example.xyz"
    target.write_text(EXAMPLE, encoding="utf-8")
    return target
