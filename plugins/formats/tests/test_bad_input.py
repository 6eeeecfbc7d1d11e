"""Bad input through the command line: a message of three parts, exit code 2, and nothing half-written."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest
from click.testing import Result

from atomloom_formats import cube_reading, esp_json, esp_text, hdf5_reading, xyz_reading

Make = Callable[[Path], Any]


class Case(NamedTuple):
    """A file that cannot be read.

    Args:
        name: of the file.
        make: writes it.
        message: what the message says of what was found, as a pattern.
    """

    name: str
    make: Make
    message: str


def text(content: str) -> Make:
    """Writes a text."""
    return lambda path: path.write_text(content)


def changed(example: Callable[[Path], Path], old: str, new: str) -> Make:
    """Writes the example of a format with a change."""

    def make(path: Path) -> None:
        source = example(path.parent)
        content = source.read_text()
        assert re.search(old, content)
        source.unlink()
        path.write_text(re.sub(old, new, content, count=1))

    return make


def cut(example: Callable[[Path], Path], kept: float) -> Make:
    """Writes the first part of the example of a format."""

    def make(path: Path) -> None:
        source = example(path.parent)
        content = source.read_bytes()
        source.unlink()
        path.write_bytes(content[: int(kept * len(content))])

    return make


def hdf5(**groups: dict[str, Any]) -> Make:
    """Writes groups of datasets."""

    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for group, datasets in groups.items():
                for name, values in datasets.items():
                    file[f"{group}/{name}"] = values

    return make


def units_disagree(path: Path) -> None:
    """Two groups in different units."""
    hdf5(a={"coord": np.zeros((2, 2, 3))}, b={"coord": np.zeros((2, 3, 3))})(path)
    with h5py.File(path, "a") as file:
        file["a/coord"].attrs["units"] = "bohr"


def not_ase(path: Path) -> None:
    """A database of something else."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")


XYZ = [
    Case("cut.xyz", cut(xyz_reading.example, 0.9), "frame 1 announces 2 atoms and 1 line follows"),
    Case("no.xyz", text("hello\nworld\n"), "line 1 should hold the number of atoms of frame 0 and holds 'hello'"),
    Case("blank.xyz", text("\n\n \n"), "it holds no frames"),
    Case("short.xyz", changed(xyz_reading.example, r"\n2\n", "\n3\n"), "frame 1 announces 3 atoms and 2 lines follow"),
    Case(
        "extra.xyz", changed(xyz_reading.example, r"^3\n", "2\n"), "line 5 should hold the number of atoms of frame 1"
    ),
    Case("word.xyz", changed(xyz_reading.example, "0.76", "zero"), "positions of some atom is no number .*'zero'"),
    Case("element.xyz", changed(xyz_reading.example, "O  ", "Oh "), "numbers of some atom is no element .*'Oh'"),
    Case("columns.xyz", changed(xyz_reading.example, " -0.2 0.0", " -0.2"), "atom 0 has 6 columns and 7 are announced"),
    Case("properties.xyz", changed(xyz_reading.example, "pos:R:3", "pos:R"), "not a list of name:kind:number"),
    Case(
        "nan.xyz", changed(xyz_reading.example, "0.76", "nan"), r"positions are NaN or infinite in 1 of 2 frames \(0\)"
    ),
]
HDF5 = [
    Case("text.h5", text("not HDF5"), "it does not begin as HDF5 files do"),
    Case("cut.h5", cut(hdf5_reading.example, 0.7), "truncated"),
    Case("empty.h5", hdf5(), "no group has positions .* there is nothing"),
    Case("none.h5", hdf5(a={"x": ["text"]}), "no group has positions .* there is a"),
    Case("zero.h5", hdf5(a={"coord": np.zeros((0, 2, 3))}), "it holds no frames"),
    Case(
        "frames.h5",
        hdf5(**{"002": {"coord": np.zeros((4, 2, 3)), "energy": np.zeros(5)}}),
        "in the group '/002' energy is 5, and its positions are 4 x 2 x 3",
    ),
    Case(
        "shapes.h5",
        hdf5(
            a={"coord": np.zeros((1, 2, 3)), "numbers": np.ones((1, 2)), "forces": np.zeros((1, 2, 3))},
            b={"coord": np.zeros((1, 3, 3)), "numbers": np.ones((1, 3)), "forces": np.zeros((1, 2))},
        ),
        "forces has shapes in each frame that do not fit together",
    ),
    Case("units.h5", units_disagree, "coord is in bohr in one group and in no unit in '/b'"),
    Case("element.h5", hdf5(a={"coordinates": np.zeros((2, 1, 3)), "species": [b"Oh"]}), "'Oh', which is no element"),
]
GRIDS = [
    Case("cut.cube", cut(cube_reading.example, 0.8), r"its head announces 27 values \(3 x 3 x 3\) and \d+ follow"),
    Case("head.cube", text("a\nb\n    1  0 0 0\n"), "its head is not that of one .it ends in its head"),
    Case("words.cube", text("some\nother\ntext\nfile\n"), "its head is not that of one"),
    Case("more.cube", changed(cube_reading.example, r"\Z", "1.0 2.0\n"), "announces 27 values .* and 29 follow"),
    Case("mixed.cube", changed(cube_reading.example, "    3  0.0 2.0", "   -3  0.0 2.0"), "the numbers of voxels are"),
    Case("word.json", text("{"), "it is not JSON"),
    Case("other.json", text('{"a": 1}'), "it has no tagged_smiles"),
    Case("list.json", text("[]"), "the list is empty"),
    Case("grid.json", changed(esp_json.example, r"\[-0.11\], ", ""), "esp has 2 values and there are 3 grid points"),
    Case("smiles.json", changed(esp_json.example, r"\[H:1\]", ""), "numbers 1 atoms and there are coordinates of 2"),
    Case("cut.esp", cut(esp_text.example, 0.85), "3 grid points are announced and 1 follow"),
    Case("atoms.esp", changed(esp_text.example, "#ATOMS =      2", "#ATOMS = 3"), "3 atoms are announced"),
    Case("word.esp", text("these are\nwords\n"), "stands where the numbers of atoms and of points should"),
]
DATABASES = [
    Case("text.db", text("not SQLite at all"), "SQLite says 'file is not a database'"),
    Case("songs.db", not_ase, "SQLite database with the tables songs"),
]
ALL = [*XYZ, *HDF5, *GRIDS, *DATABASES, *(Case(f"empty.{end}", text(""), "0 bytes") for end in ("xyz", "cube", "h5"))]


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_bad_input(case: Case, tmp_path: Path, command: Callable[..., Result]) -> None:
    """What was asked, what was found, what to do; exit code 2; and converting leaves nothing behind."""
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / case.name
    case.make(path)
    result = command("inspect", path)
    if not result.exit_code:  # what only shows in the values shows when they are read
        result = command("convert", path, tmp_path / "out.npz")
    message = " ".join(result.stderr.split())
    assert result.exit_code == 2, message
    assert re.search(rf"^atomloom: Cannot .*{case.message}.*\. [A-Z].*[.?]$", message), message
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("target", ["it.xyz", "it.h5", "it.db"])
def test_what_formats_cannot_hold(target: str, tmp_path: Path, command: Callable[..., Result]) -> None:
    """Grids do not fit into formats of atoms: the message says which field, and that it can be left out."""
    source = cube_reading.example(tmp_path)
    result = command("convert", source, tmp_path / target)
    assert result.exit_code == 2
    assert re.search(r"Cannot write (vdw_surface|esp) to", " ".join(result.stderr.split()))
    assert not (tmp_path / target).exists()


@pytest.mark.parametrize("target", ["it.xyz", "it.h5", "it.db", "it.cube"])
def test_open_units_are_not_written(target: str, tmp_path: Path, command: Callable[..., Result]) -> None:
    """A field of which nothing says the unit is not written in a unit that would be made up."""
    np.savez(tmp_path / "it.npz", Z=[[1, 1]], R=np.zeros((1, 2, 3)), esp=np.ones((1, 3)), grid=np.ones((1, 3, 3)))
    result = command("convert", tmp_path / "it.npz", tmp_path / target)
    assert result.exit_code == 2
    assert "in which unit" in " ".join(result.stderr.split())
    assert not (tmp_path / target).exists()
