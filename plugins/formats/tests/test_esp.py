"""Potentials on grids: cube files and ESP records, against closed forms."""

from __future__ import annotations

from pathlib import Path

import ase.io.cube
import numpy as np
import pytest

import atomloom
from atomloom.pipeline import load_paths
from atomloom_formats.cube_reading import example, read
from atomloom_formats.cube_writing import write

BOHR = 0.529177210903


def test_potential_of_water(shared_data: Path) -> None:
    """Gaussian's cube file of water: far away the potential is that of a dipole of 1.8 to 2.4 debye along its axis."""
    dataset = load_paths([str(shared_data / "esp_cubes_water" / "h2o-pot.cube")]).dataset
    frame = dataset.take([0]).frame(0)
    assert frame["Z"].tolist() == [8, 1, 1]
    assert np.allclose(np.linalg.norm(frame["R"][1] - frame["R"][0]), 0.96, atol=0.01)
    assert frame["esp"].shape == (64000,)
    points = frame["vdw_surface"] / BOHR
    distance = np.linalg.norm(points, axis=1)
    far = distance > 7
    # by least squares the dipole of phi = mu . r / r^3, in e bohr
    design = points[far] / distance[far, None] ** 3
    dipole, *_ = np.linalg.lstsq(design, frame["esp"][far], rcond=None)
    assert np.abs(dipole[:2]).max() < 0.01
    assert -2.4 < dipole[2] * 2.541746 < -1.8  # the hydrogens, which are positive, are at negative z
    assert np.corrcoef(design @ dipole, frame["esp"][far])[0, 1] > 0.99


def test_cube_is_what_ase_reads(shared_data: Path) -> None:
    """Points and values come in the order in which ASE has them in three axes."""
    path = shared_data / "esp_cubes_water" / "h2o-pot.cube"
    with open(path) as file:
        other = ase.io.cube.read_cube(file)
    frame = load_paths([str(path)]).dataset.take([0]).frame(0)
    assert np.array_equal(frame["esp"].reshape(40, 40, 40), other["data"])
    assert np.allclose(frame["R"], other["atoms"].positions, atol=1e-6)
    expected = other["origin"] + np.array([3, 5, 7]) @ other["spacing"]
    assert np.allclose(frame["vdw_surface"].reshape(40, 40, 40, 3)[3, 5, 7], expected, atol=1e-6)


def test_point_charge(tmp_path: Path) -> None:
    """The potential of a charge of 1 e at distance r is 1/r hartree/e, at the points that the lattice has."""
    frame = load_paths([str(example(tmp_path))]).dataset.take([0]).frame(0)
    distance = np.linalg.norm(frame["vdw_surface"] - frame["R"][0], axis=1) / BOHR
    assert np.allclose(frame["esp"], 1 / distance, rtol=1e-4)


def test_lengths_in_angstrom(data: Path) -> None:
    """Negative numbers of voxels mean angstrom; a density is recognised by the comment."""
    dataset = load_paths([str(data / "density.cube")]).dataset
    assert np.allclose(dataset["R"][1], [0, 0, 0.74])
    assert np.allclose(dataset["vdw_surface"][1], [0, 0, 0.5])
    assert dataset["density"].tolist() == list(range(8))


def test_orbitals(data: Path) -> None:
    """Interleaved data sets come apart under their numbers, on a lattice that need not be square."""
    dataset = read(data / "orbitals.cube")
    assert np.allclose(dataset["values_5"], 5 + np.arange(24) / 100)
    assert np.allclose(dataset["values_6"], 6 + np.arange(24) / 100)
    assert np.allclose(dataset["vdw_surface"][-1], [1 + 1.5, 2, 3])


def test_choice_of_quantity(tmp_path: Path) -> None:
    """What the comment does not say, the option or ``--as`` does; nothing is guessed."""
    source = example(tmp_path)
    source.write_text(source.read_text().replace("electrostatic potential", "run 7"))
    assert "values" in read(source)
    assert read(source, quantity="potential").fields["esp"].unit == "hartree/e"
    settled, _ = atomloom.harmonize(read(source), {"as": {"values": "esp"}, "unit": {"esp": "eV/e"}})
    assert np.allclose(settled["esp"] * 27.211386245988, read(source)["values"])
    with pytest.raises(atomloom.ConfigError, match="none of potential, density, other"):
        read(source, quantity="pressure")


def test_cube_round_trip(data: Path, tmp_path: Path) -> None:
    """A cube file that we write has the atoms, points and values of the one that we read, on a skewed lattice too."""
    source = load_paths([str(data / "density.cube")]).dataset
    write(source, tmp_path / "it.cube")
    back = load_paths([str(tmp_path / "it.cube")]).dataset
    for name in ("Z", "R", "vdw_surface"):
        assert np.allclose(back[name], source[name], atol=1e-8)
    skewed, _ = atomloom.harmonize(read(data / "orbitals.cube"), {"as": {"values_5": "density", "values_6": "ignore"}})
    with pytest.raises(atomloom.UnitError):
        write(skewed, tmp_path / "skewed.cube")
    settled, _ = atomloom.harmonize(
        read(data / "orbitals.cube"),
        {"as": {"values_5": "density", "values_6": "ignore"}, "unit": {"density": "e/bohr^3"}},
    )
    write(settled, tmp_path / "skewed.cube")
    with open(tmp_path / "skewed.cube") as file:
        other = ase.io.cube.read_cube(file)
    assert other["data"].shape == (2, 3, 4)
    assert np.allclose(other["spacing"][2], [0.5 * BOHR, 0, BOHR])


@pytest.mark.parametrize(
    ("frames", "message"), [(2, "has 2 frames"), (1, "not those of a regular lattice")], ids=["two", "scattered"]
)
def test_cube_of_what_is_none(tmp_path: Path, frames: int, message: str) -> None:
    """Several frames or scattered points are refused, and nothing is left behind."""
    frame = {
        "Z": [1],
        "R": [[0.0, 0, 0]],
        "esp": np.ones(7),
        "vdw_surface": np.random.default_rng(0).normal(size=(7, 3)),
    }
    with pytest.raises(atomloom.DataError, match=message):
        write(atomloom.Dataset.from_frames([frame] * frames), tmp_path / "it.cube")
    assert not list(tmp_path.iterdir())


def test_many_cubes_are_one_data_set(tmp_path: Path, data: Path) -> None:
    """A glob of cube files is a data set with a frame for each."""
    for name in "ab":
        (tmp_path / f"{name}.cube").write_bytes((data / "density.cube").read_bytes())
    assert len(load_paths([str(tmp_path / "*.cube")]).dataset) == 2


def test_openff_record(shared_data: Path) -> None:
    """CHBr3: elements by the tagged SMILES, units as openff-recharge documents them, a neutral far field."""
    dataset = load_paths([str(shared_data / "esp_msk_cbr3" / "molecule-esp-record-cbr3.json")]).dataset
    frame = dataset.take([0]).frame(0)
    assert frame["Z"].tolist() == [1, 6, 35, 35, 35]
    assert frame["total_charge"] == 0
    assert frame["esp"].shape == (844,)
    assert np.allclose(np.linalg.norm(frame["R"][2:] - frame["R"][1], axis=1), 1.93, atol=0.05)  # C-Br
    nearest = np.linalg.norm(frame["vdw_surface"][:, None] - frame["R"], axis=2).min(axis=1)
    assert 1.4 < nearest.min() < nearest.max() < 5
    assert np.allclose(frame["electric_field"].shape, (844, 3))
    assert dataset.meta["level_of_theory"] == "hf/6-31g*"


def test_resp_file(data: Path) -> None:
    """Structures one behind the other; the potential of +1 and -1 is that of point charges in atomic units."""
    dataset = load_paths([str(data / "resp.esp")]).dataset
    assert len(dataset) == 2
    for index in range(2):
        frame = dataset.take([index]).frame(0)
        distance = np.linalg.norm(frame["vdw_surface"][:, None] - frame["R"], axis=2) / BOHR
        assert np.allclose(frame["esp"], 1 / distance[:, 0] - 1 / distance[:, 1], atol=1e-6)
        assert (frame["total_charge"], frame["total_spin"]) == (0, 1)


def test_gaussian_esp_file(tmp_path: Path) -> None:
    """Elements, fitted charges, dipole, charge and multiplicity of Gaussian's file, whose numbers have a D."""
    from atomloom_formats.esp_text import example as esp_example

    frame = load_paths([str(esp_example(tmp_path))]).dataset.take([0]).frame(0)
    assert frame["Z"].tolist() == [1, 9]
    assert np.allclose(frame["R"][:, 2], [0.87 * BOHR, -0.87 * BOHR])
    assert frame["mono"].tolist() == [0.4, -0.4]
    assert np.allclose(frame["D"], frame["mono"] @ frame["R"])
    assert frame["esp"].tolist() == [0.043, -0.043, 0]
