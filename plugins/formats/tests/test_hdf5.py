"""HDF5: the shapes of SPICE, AIMNet2 and ANI, their units, and the files that we write."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import atomloom
from atomloom.pipeline import load_paths
from atomloom_formats.hdf5_reading import example, read
from atomloom_formats.hdf5_writing import write

BOHR = 0.529177210903
HARTREE = 27.211386245988


@pytest.fixture
def rule(data: Path) -> Any:
    """The rules by which the files of this plugin were made."""
    sys.path.insert(0, str(data))
    try:
        import make
    finally:
        sys.path.remove(str(data))
    return make


def test_spice(data: Path, rule: Any) -> None:
    """Groups of molecules are one data set in angstrom and eV; forces are the negative gradient."""
    loaded = load_paths([str(data / "spice.hdf5")])
    dataset = loaded.dataset
    expected = [rule.positions(3, 2).reshape(-1, 3), rule.positions(6, 3).reshape(-1, 3)]
    assert dataset["Z"].tolist() == [*rule.WATER * 2, *rule.METHANOL * 3]
    assert np.allclose(dataset["R"], np.concatenate(expected), atol=1e-6)
    assert np.allclose(dataset["E"], np.concatenate([rule.energies(3, 2), rule.energies(6, 3)]), rtol=1e-12)
    assert np.allclose(dataset["F"], -0.01 * HARTREE / BOHR)
    assert np.allclose(dataset["D"], BOHR)
    assert dataset["mono"].shape == (24,)
    assert dataset["group"].tolist() == ["WATER"] * 2 + ["methanol"] * 3
    assert dataset["smiles"].tolist()[-1] == "smiles of methanol"


def test_units_say_where_they_are_from(data: Path) -> None:
    """A unit attribute comes before what the makers document, and the data set says which of them it was."""
    dataset = read(data / "spice.hdf5")
    assert dataset.fields["conformations"].unit == "bohr"
    assert "conformations" not in dataset.meta["unit_rules"]
    assert dataset.meta["unit_rules"]["dft_total_energy"] == "SPICE's documentation"


def test_ani(data: Path, rule: Any) -> None:
    """Symbols become atomic numbers, letters a SMILES; conformations of high energy, another number, stay out."""
    dataset = load_paths([str(data / "ani.h5")]).dataset
    assert dataset["Z"].tolist() == [*rule.WATER * 3, *rule.AMMONIA * 2]
    assert np.allclose(dataset["E"], np.concatenate([rule.energies(3, 3), rule.energies(4, 2)]), rtol=1e-12)
    assert dataset["smiles"].tolist() == ["[OH2]"] * 5
    assert dataset["group"].tolist()[0] == "gdb11_s01/gdb11_s01-0"
    assert not [name for name in dataset.columns if name.endswith("HE")]


def test_ani_1x_levels(data: Path, rule: Any) -> None:
    """Several levels stay apart until one is chosen; frames that were not computed at it are left out."""
    both = read(data / "ani_1x.h5")
    assert {"wb97x_dz.energy", "ccsd(t)_cbs.energy"} <= set(both.columns)
    coupled = read(data / "ani_1x.h5", level="ccsd(t)_cbs")
    assert len(both) == 8
    assert np.allclose(coupled["energy"] * HARTREE, np.concatenate([rule.energies(3, 2), rule.energies(4, 2)]))
    dataset, _ = atomloom.harmonize(read(data / "ani_1x.h5", level="wb97x_dz"))
    assert np.allclose(dataset["F"], 0.01 * HARTREE)
    with pytest.raises(atomloom.DataError, match=r"it has ccsd\(t\)_cbs, wb97x_dz"):
        read(data / "ani_1x.h5", level="b3lyp")


def test_level_by_choice(data: Path) -> None:
    """On the command line ``--as`` chooses a level, whose unit is known."""
    choices = atomloom.harmonize(read(data / "ani_1x.h5"), {"as": {"wb97x_dz.energy": "E"}})[0]
    assert choices.fields["E"].unit == "eV"


def test_aimnet2(shared_data: Path) -> None:
    """AIMNet2's own test data: 195 frames of 7 to 20 atoms, everything recognised, charges and parity consistent."""
    dataset = load_paths([str(shared_data / "charge_spin_aimnet" / "dataset.h5")]).dataset
    atoms = dataset.sizes["atom"]
    assert (len(dataset), atoms.min(), atoms.max()) == (195, 7, 20)
    assert {"Z", "R", "E", "F", "D", "quadrupole", "mono", "total_charge", "total_spin"} <= set(dataset.columns)
    assert dataset["quadrupole"].shape == (195, 3, 3)
    frames = np.repeat(np.arange(195), atoms)
    assert np.allclose(np.bincount(frames, dataset["mono"]), dataset["total_charge"], atol=1e-3)
    electrons = np.bincount(frames, dataset["Z"]) - dataset["total_charge"]
    assert not ((electrons - dataset["total_spin"] + 1) % 2).any()


def test_aimnet2_quadrupoles(shared_data: Path) -> None:
    """Every component of AIMNet2's quadrupoles agrees with that of the charges beside them, by its place."""
    dataset = read(shared_data / "charge_spin_aimnet" / "dataset.h5")
    expected = []
    for index in range(len(dataset)):
        frame = dataset.take([index]).frame(0)
        matrix = np.einsum("a,ai,aj->ij", frame["charges"], frame["coord"], frame["coord"])
        expected.append(matrix - np.eye(3) * np.trace(matrix) / 3)
    theirs, ours = dataset["quadrupole"].reshape(-1, 9), np.array(expected).reshape(-1, 9)
    correlation = [np.corrcoef(theirs[:, place], ours[:, place])[0, 1] for place in range(9)]
    assert min(correlation) > 0.9


def test_batches_are_slices_of_the_whole(data: Path) -> None:
    """Frames in any order, repeated, from any groups, are those of the whole."""
    dataset = read(data / "spice.hdf5")
    picked = [4, 0, 0, 3, 1]
    batch = dataset.take(picked)
    for name in dataset.columns:
        single = [dataset.take([index])[name] for index in picked]
        assert np.array_equal(batch[name], np.concatenate(single)), name


def test_nothing_is_read_on_opening(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening reads shapes and text, no array of numbers."""
    read_ = []
    plain = h5py.Dataset.__getitem__
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda d, key: [read_.append(d.name), plain(d, key)][1])
    dataset = read(data / "spice.hdf5")
    assert len(dataset) == 5
    assert not [name for name in read_ if "smiles" not in name and "subset" not in name]
    dataset.take([4], ["dft_total_energy"])
    assert read_[-1] == "/methanol/dft_total_energy"


def test_round_trip(molecules: atomloom.Dataset, tmp_path: Path) -> None:
    """What we write comes back in its order, and another program sees AIMNet2's names with units."""
    twice = molecules[[0, 1, 2, 1, 0]]
    write(twice, tmp_path / "it.h5")
    back = load_paths([str(tmp_path / "it.h5")]).dataset
    for name in twice.columns:
        assert np.array_equal(back[name], twice[name]), name
    with h5py.File(tmp_path / "it.h5") as file:
        assert list(file) == ["002", "003", "004"]
        assert file["003/coord"].shape == (2, 3, 3)
        assert file["003/energy"].attrs["units"] == "eV"
        assert np.array_equal(file["002/energy"][()], twice["E"][[1, 3]])
        assert file["004/mult"][0] == twice["total_spin"][2]


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(atoms=st.lists(st.integers(1, 5), min_size=1, max_size=6), draw=st.data())
def test_round_trip_of_anything(
    atoms: list[int], draw: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever numbers of atoms frames have, and whatever finite numbers, they come back in their order."""
    frames: list[dict[str, Any]] = [
        {
            "Z": draw.draw(arrays(np.int64, count, elements=st.integers(1, 118))),
            "R": draw.draw(arrays(np.float64, (count, 3), elements=NUMBERS)),
            "E": draw.draw(NUMBERS),
        }
        for count in atoms
    ]
    dataset = atomloom.Dataset.from_frames(frames)
    target = tmp_path_factory.mktemp("hdf5") / "it.h5"
    write(dataset, target)
    raw = read(target)
    assert np.array_equal(raw["energy"], dataset["E"])
    assert np.array_equal(raw["coord"].reshape(-1, 3), dataset["R"])
    assert np.array_equal(raw["numbers"].ravel(), dataset["Z"])


def test_symmetric_matrices(tmp_path: Path, molecules: atomloom.Dataset) -> None:
    """Quadrupoles are written as six components and read as the matrices that they were."""
    matrices = np.random.default_rng(1).normal(size=(3, 3, 3))
    matrices += matrices.swapaxes(1, 2)
    made = atomloom.Dataset.from_arrays({"quadrupole": matrices})
    write(molecules.with_columns(made.columns, made.fields), tmp_path / "it.h5")
    assert np.array_equal(load_paths([str(tmp_path / "it.h5")]).dataset["quadrupole"], matrices)


def test_arrays_without_groups(tmp_path: Path, molecules: atomloom.Dataset) -> None:
    """Arrays at the top of a file are read as those of an NPZ, with their unit attributes."""
    with h5py.File(tmp_path / "it.h5", "w") as file:
        file["R"] = np.arange(24.0).reshape(2, 4, 3)
        file["R"].attrs["unit"] = "bohr"
        file["Z"] = np.ones((2, 4), dtype=int)
    dataset = load_paths([str(tmp_path / "it.h5")]).dataset
    assert np.allclose(dataset["R"], np.arange(24.0).reshape(-1, 3) * BOHR)


def test_other_processes(tmp_path: Path) -> None:
    """A data set can be sent to a worker, which opens the file anew."""
    dataset = read(example(tmp_path))
    assert np.array_equal(pickle.loads(pickle.dumps(dataset))["coord"], dataset["coord"])


def test_fields_of_some_groups(tmp_path: Path) -> None:
    """What some groups lack is left out with a warning that counts them."""
    target = example(tmp_path)
    with h5py.File(target, "a") as file:
        del file["002/forces"]
    loaded = load_paths([str(target)])
    assert "F" not in loaded.dataset
    assert loaded.report.about("forces")[0].note == "1 of 2 groups have it"


def test_one_number_of_atoms(tmp_path: Path) -> None:
    """With three atoms throughout, vectors of frames and values of atoms are told apart by name, never by luck."""
    with h5py.File(tmp_path / "it.h5", "w") as file:
        group = file.create_group("003")
        group["coord"], group["numbers"] = np.random.default_rng(0).normal(size=(5, 3, 3)), np.tile([8, 1, 1], (5, 1))
        group["dipole"], group["charges"] = np.ones((5, 3)), np.zeros((5, 3))
    dataset, _ = atomloom.harmonize(read(tmp_path / "it.h5"), {"unit": {"D": "e*angstrom"}})
    assert dataset["D"].shape == (5, 3)
    assert dataset["mono"].shape == (15,)
