"""ASE databases: rows that ASE wrote, that we wrote, and that SchNetPack would write."""

from __future__ import annotations

from pathlib import Path

import ase.db
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator

import atomloom
from atomloom.pipeline import load_paths
from atomloom_formats.ase_reading import read
from atomloom_formats.ase_writing import write
from atomloom_formats.elements import SYMBOLS

BOHR = 0.529177210903


def with_results(atoms: Atoms, energy: float, **results: np.ndarray) -> Atoms:
    """A structure with results of a calculator."""
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.ones((len(atoms), 3)), **results)
    return atoms


def test_we_read_what_ase_writes(tmp_path: Path) -> None:
    """Rows of molecules and crystals: numbers, cells, results and key-value pairs are those of ASE."""
    structures = [with_results(molecule("H2O"), -14.2), with_results(bulk("NaCl", "rocksalt", a=5.64), -6.8)]
    with ase.db.connect(tmp_path / "it.db") as database:
        for number, atoms in enumerate(structures):
            database.write(atoms, run=number, label="text")
    dataset = load_paths([str(tmp_path / "it.db")]).dataset
    assert dataset["E"].tolist() == [-14.2, -6.8]
    assert dataset["run"].tolist() == [0, 1]
    assert dataset["pbc"].tolist() == [[False] * 3, [True] * 3]
    for index, atoms in enumerate(structures):
        frame = dataset.take([index]).frame(0)
        assert frame["Z"].tolist() == atoms.numbers.tolist()
        assert np.array_equal(frame["R"], atoms.positions)
        assert np.array_equal(frame["cell"], atoms.cell.array)
        assert (frame["F"] == 1).all()


def test_ase_reads_what_we_write(molecules: atomloom.Dataset, tmp_path: Path) -> None:
    """ASE finds our rows, and we find every field in them again."""
    write(molecules, tmp_path / "it.db")
    rows = list(ase.db.connect(tmp_path / "it.db").select())
    assert [row.energy for row in rows] == molecules["E"].tolist()
    assert np.array_equal(np.concatenate([row.forces for row in rows]), molecules["F"])
    assert [row.multiplicity for row in rows] == molecules["total_spin"].tolist()
    back = load_paths([str(tmp_path / "it.db")]).dataset
    for name in molecules.columns:
        assert np.array_equal(back[name], molecules[name]), name
        assert back.fields[name] == molecules.fields[name]


def test_schnetpack(tmp_path: Path) -> None:
    """Properties in ``data`` are fields, in the units that the metadata record."""
    with ase.db.connect(tmp_path / "it.db") as database:
        database.metadata = {
            "_property_unit_dict": {"energy": "kcal/mol", "forces": "kcal/mol/Bohr"},
            "_distance_unit": "Bohr",
        }
        for name in ("H2O", "NH3"):
            atoms = molecule(name)
            atoms.positions /= BOHR
            data = {"energy": np.array([-1.0]), "forces": np.ones((len(atoms), 3)), "note": "text"}
            database.write(atoms, data=data)
    dataset = load_paths([str(tmp_path / "it.db")]).dataset
    assert np.allclose(dataset["E"], -0.0433641042418)
    assert np.allclose(dataset["F"], 0.0433641042418 / BOHR)
    assert np.allclose(dataset["R"][:3], molecule("H2O").positions)


def test_unknown_units_stay_open(tmp_path: Path) -> None:
    """Properties in ``data`` of a database that records no units are not taken for ASE's."""
    with ase.db.connect(tmp_path / "it.db") as database:
        database.write(molecule("H2O"), data={"energy": np.array([-1.0])})
    assert read(tmp_path / "it.db").fields["energy"].unit == ""


def test_rows_that_differ(tmp_path: Path) -> None:
    """Results that some rows lack are left out with a warning; ``having`` leaves out these rows instead."""
    with ase.db.connect(tmp_path / "it.db") as database:
        database.write(with_results(molecule("H2O"), -14.2))
        database.write(molecule("NH3"))
    loaded = load_paths([str(tmp_path / "it.db")])
    assert "F" not in loaded.dataset
    assert loaded.report.about("forces")[0].note == "1 of 2 rows have it"
    assert read(tmp_path / "it.db", having=("forces",))["numbers"].tolist() == [8, 1, 1]


def test_deleted_rows(tmp_path: Path) -> None:
    """Ids with gaps are read in their order; a row that goes while the data set is open is an error."""
    with ase.db.connect(tmp_path / "it.db") as database:
        for charge in range(4):
            database.write(molecule("H2O"), number_of_run=charge)
    del ase.db.connect(tmp_path / "it.db")[2]
    dataset = read(tmp_path / "it.db")
    assert dataset.take([2, 0])["number_of_run"].tolist() == [3, 0]
    del ase.db.connect(tmp_path / "it.db")[4]
    with pytest.raises(atomloom.DataError, match="the row 4 is gone"):
        dataset.take([2])


def test_elements_are_those_of_ase() -> None:
    """Our table of symbols is ASE's."""
    from ase.data import chemical_symbols

    assert tuple(chemical_symbols) == SYMBOLS
