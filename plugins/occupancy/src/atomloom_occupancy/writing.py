"""Writes a model again with other occupancies and nothing else changed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom.errors import DataError
from atomloom.runs.atomic import atomic_file

_PDB_PLACE = slice(54, 60)
_TOKEN = re.compile(r"'(?:[^']|'(?=\S))*'|\"(?:[^\"]|\"(?=\S))*\"|\S+")


def write_models(source: Path, structure: gemmi.Structure, values: Array, folder: Path, stem: str) -> tuple[Path, Path]:
    """The model with these occupancies as mmCIF and as PDB.

    The file of the format that the model came in is its text with occupancies replaced; the other is gemmi's.

    Args:
        source: the file that the model was read from.
        structure: what was read.
        values: (atoms,) with two decimals.
        folder: where they go.
        stem: of their names.
    """
    changed, text = _with_occupancies(structure, values), _text(source)
    is_pdb = structure.input_format == gemmi.CoorFormat.Pdb
    pdb = _in_pdb(text, values, source) if is_pdb else changed.make_pdb_string()
    cif = changed.make_mmcif_document().as_string() if is_pdb else _in_cif(text, values, source)
    return _saved(cif, pdb, folder, stem)


def write_anew(structure: gemmi.Structure, values: Array, folder: Path, stem: str) -> tuple[Path, Path]:
    """The model with these occupancies as mmCIF and as PDB, both as gemmi writes them: for models that changed further.

    Args:
        structure: the model.
        values: (atoms,) with two decimals.
        folder: where they go.
        stem: of their names.
    """
    changed = _with_occupancies(structure, values)
    return _saved(changed.make_mmcif_document().as_string(), changed.make_pdb_string(), folder, stem)


def _with_occupancies(structure: gemmi.Structure, values: Array) -> gemmi.Structure:
    changed = structure.clone()
    for cra, value in zip(changed[0].all(), values, strict=True):
        cra.atom.occ = float(value)
    return changed


def _saved(cif: str, pdb: str, folder: Path, stem: str) -> tuple[Path, Path]:
    paths = folder / f"{stem}.cif", folder / f"{stem}.pdb"
    for path, content in zip(paths, (cif, pdb), strict=True):
        with atomic_file(path, "w") as file:
            file.write(content)
    return paths


def _text(source: Path) -> str:
    raw = source.read_bytes()
    return (gzip.decompress(raw) if source.suffix == ".gz" else raw).decode("utf-8", "surrogateescape")


def _in_pdb(text: str, values: Array, source: Path) -> str:
    """The lines of a PDB file, those of the atoms of its first model with their occupancies."""
    lines, number, inside = text.splitlines(keepends=True), 0, True
    for place, line in enumerate(lines):
        inside = inside and not line.startswith("ENDMDL")
        if inside and line.startswith(("ATOM", "HETATM")):
            _check(number, values, source)
            field = f"{values[number]:6.2f}"
            if line[_PDB_PLACE].strip() and float(line[_PDB_PLACE]) != float(field):
                lines[place] = line[: _PDB_PLACE.start] + field + line[_PDB_PLACE.stop :]
            number += 1
    _check_all(number, values, source)
    return "".join(lines)


def _in_cif(text: str, values: Array, source: Path) -> str:
    """The lines of an mmCIF file, those of the atoms of its first model with their occupancies."""
    lines = text.splitlines(keepends=True)
    tags = [place for place, line in enumerate(lines) if line.lstrip().startswith("_atom_site.")]
    names = [lines[place].split()[0].removeprefix("_atom_site.") for place in tags]
    if "occupancy" not in names:
        raise DataError(f"write the occupancies of '{source}'", "it has no _atom_site.occupancy", "Add that item to it")
    column, number = names.index("occupancy"), 0
    model = names.index("pdbx_PDB_model_num") if "pdbx_PDB_model_num" in names else None
    first = None
    for place in range(tags[-1] + 1, len(lines)):
        tokens = list(_TOKEN.finditer(lines[place]))
        if len(tokens) != len(names) or lines[place].startswith(("#", "loop_", "_")):
            break
        first = first if first is not None or model is None else tokens[model].group()
        if model is not None and tokens[model].group() != first:
            break
        _check(number, values, source)
        lines[place] = _replaced(lines[place], tokens[column], float(values[number]))
        number += 1
    _check_all(number, values, source)
    return "".join(lines)


def _replaced(line: str, token: re.Match[str], value: float) -> str:
    """The line with one number replaced, in the width that it had where that suffices."""
    old = token.group()
    if old not in ".?" and np.isclose(float(old), value, rtol=0, atol=1e-9):
        return line
    return line[: token.start()] + f"{value:.2f}".ljust(len(old)) + line[token.end() :]


def _check(number: int, values: Array, source: Path) -> None:
    if number >= len(values):
        _check_all(number + 1, values, source)


def _check_all(number: int, values: Array, source: Path) -> None:
    if number != len(values):
        found = f"its text has {number} atoms where gemmi reads {len(values)}"
        raise DataError(f"write the occupancies of '{source}'", found, "Write it anew with `gemmi convert` first")
