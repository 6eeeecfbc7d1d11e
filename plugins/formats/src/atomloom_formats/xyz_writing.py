"""Writes extended XYZ, frame by frame, with as many digits as it takes to read the same numbers back.

Names are ASE's, units too: ``energy`` in eV, ``forces`` in eV/angstrom, ``dipole`` in e*angstrom, ``charges`` in e, the
cell as ``Lattice``. Other fields keep their names: one value an atom becomes a column, one a frame a key.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.data import Batch, Dataset
from atomloom.elements import SYMBOLS
from atomloom.errors import DataError
from atomloom.runs.atomic import atomic_file
from atomloom_formats.frames_out import batches, check

NAMES = {
    "R": "pos",
    "E": "energy",
    "F": "forces",
    "D": "dipole",
    "mono": "charges",
    "total_charge": "charge",
    "total_spin": "multiplicity",
}
"""What canonical fields are called in the file."""

_KINDS = {"f": "R", "i": "I", "u": "I", "b": "L", "U": "S"}
_FORTRAN_ORDER = frozenset({"stress", "virial"})
_UNFIT = re.compile(r"""[\s="'{}\[\]\\:]""")


def write(dataset: Dataset, target: str | Path, /) -> None:
    """Write `dataset` to `target`; the file appears under its name only once it is whole."""
    names = check(dataset, target)
    atoms = [name for name in names if dataset.columns[name].lengths is not None and name != "Z"]
    ordered = ["R", *(name for name in atoms if name != "R")]
    frames = [name for name in names if dataset.columns[name].lengths is None]
    with atomic_file(target, "w") as file:
        for batch in batches(dataset, names, target):
            file.writelines(_frame(batch, index, ordered, frames) for index in range(batch.frames))


def _frame(batch: Batch, index: int, atoms: list[str], frames: list[str]) -> str:
    values = batch.frame(index)
    columns: list[list[Any]] = [_symbols(values["Z"].tolist())]
    properties, form = "species:S:1", ["%-2s"]
    for name in atoms:
        rows = values[name].reshape(len(values["Z"]), -1) if len(values["Z"]) else values[name].reshape(0, 1)
        kind = _KINDS[rows.dtype.kind]
        properties += f":{_called(name)}:{kind}:{rows.shape[1]}"
        columns += _words(rows, kind)
        form += ["%s"] * rows.shape[1]
    line = " ".join(form) + "\n"
    body = "".join([line % row for row in zip(*columns, strict=True)])
    head = " ".join([*_lattice(values), f"Properties={properties}", *_keys(values, frames)])
    return f"{len(values['Z'])}\n{head}\n{body}"


def _symbols(numbers: list[int]) -> list[str]:
    unknown = [number for number in numbers if not 0 <= number < len(SYMBOLS)]
    if unknown:
        raise DataError("write extended XYZ", f"there is no element {unknown[0]}", "Correct Z")
    return [SYMBOLS[number] for number in numbers]


def _words(rows: np.ndarray[Any, Any], kind: str) -> list[list[Any]]:
    columns: list[list[Any]] = rows.T.tolist()
    if kind == "L":
        return [["T" if value else "F" for value in column] for column in columns]
    if kind == "S":
        return [[_UNFIT.sub("_", value) or "_" for value in column] for column in columns]
    return [[repr(value) for value in column] for column in columns]


def _lattice(values: dict[str, np.ndarray[Any, Any]]) -> list[str]:
    out = []
    if "cell" in values and values["cell"].any():
        out.append(f'Lattice="{" ".join(map(repr, values["cell"].ravel().tolist()))}"')
    if "pbc" in values:
        out.append(f'pbc="{" ".join("T" if each else "F" for each in values["pbc"])}"')
    return out


def _keys(values: dict[str, np.ndarray[Any, Any]], frames: list[str]) -> list[str]:
    return [f"{_called(name)}={_value(name, values[name])}" for name in frames if name not in {"cell", "pbc"}]


def _value(name: str, value: np.ndarray[Any, Any]) -> str:
    plain = np.asarray(value)
    if plain.dtype.kind == "U" and plain.ndim == 0:
        text = re.sub(r"\s", " ", str(plain))
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if name in _FORTRAN_ORDER and plain.shape == (3, 3):
        plain = plain.ravel(order="F")
    if plain.ndim > 1 or plain.dtype.kind == "U":
        return f'"_JSON {json.dumps(plain.tolist())}"'
    words = ["T" if each else "F" for each in plain.ravel()] if plain.dtype.kind == "b" else None
    text = " ".join(words or map(repr, plain.ravel().tolist()))
    return text if plain.ndim == 0 else f'"{text}"'


def _called(name: str) -> str:
    return NAMES.get(name, _UNFIT.sub("_", name))
