"""What other formats hold is in a packed store, and goes back from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from atomloom import Dataset, harmonize
from atomloom.cli.frame import atomloom
from atomloom.readers import read
from atomloom.writers import write

FORMATS = {"extxyz": "molecules.xyz", "hdf5": "molecules.h5", "ase-db": "molecules.db", "npz": "molecules.npz"}


def molecules(frames: int = 40) -> Dataset:
    """Grids of carbon atoms 1.5 angstrom apart, with charges, energies and forces."""
    rng = np.random.default_rng(4)
    atoms = rng.integers(2, 8, frames)
    sites = np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(-1, 3) * 1.5
    positions = np.concatenate([sites[:count] for count in atoms])
    arrays = {
        "Z": np.full(len(positions), 6),
        "R": positions + rng.normal(scale=0.01, size=positions.shape),
        "F": rng.normal(size=positions.shape),
        "E": rng.normal(size=frames) - 4e5,
        "total_charge": rng.integers(-1, 2, frames),
    }
    return Dataset.from_arrays(arrays, lengths={"atom": atoms})


def run(*arguments: object) -> None:
    """A command that must not fail."""
    done = CliRunner().invoke(atomloom, [str(each) for each in arguments])
    assert done.exit_code == 0, done.output


def check(path: Path, source: Path) -> None:
    """Stops unless one file holds the very values that the other does, by the same names."""
    (found, _), (expected, _) = (harmonize(read(each)) for each in (path, source))
    assert {"Z", "R", "E", "F", "N"} <= set(found.columns)
    for name in sorted(set(found.columns) & set(expected.columns)):
        assert np.array_equal(found[name], expected[name]), name
        assert found.fields[name].unit == expected.fields[name].unit, name
    assert set(expected.columns) <= set(found.columns)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("command", ["memmap", "core"])
def test_any_format_is_packed(format: str, command: str, tmp_path: Path) -> None:
    """To the last bit of what its reader gives, by either command, however it is called."""
    source = tmp_path / FORMATS[format]
    write(molecules(), source, writer=format)
    target = tmp_path / "packed"
    if command == "memmap":
        run("memmap", "convert", "-i", source, "-o", target)
    else:
        run("convert", source, target, "--to", "memmap")
    check(target, source)


@pytest.mark.parametrize("format", FORMATS)
def test_a_store_goes_back_to_any_format(format: str, tmp_path: Path) -> None:
    """The frames that another format gets from a store are those that it would have got without it."""
    write(molecules(), tmp_path / "a.packed")
    direct, by_store = tmp_path / f"direct-{FORMATS[format]}", tmp_path / FORMATS[format]
    write(molecules(), direct, writer=format)
    run("convert", tmp_path / "a.packed", by_store, "--to", format)
    check(by_store, direct)


def test_files_of_several_formats_make_one_store(tmp_path: Path) -> None:
    """As long as they hold the same fields."""
    data, formats = molecules().without("total_charge"), ("extxyz", "hdf5", "npz")
    sources = [tmp_path / FORMATS[format] for format in formats]
    for format, source in zip(formats, sources, strict=True):
        write(data, source, writer=format)
    run("memmap", "convert", *sources, "-o", tmp_path / "s")
    assert np.array_equal(read(tmp_path / "s")["E"], np.tile(data["E"], len(formats)))
