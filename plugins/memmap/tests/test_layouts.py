"""Foreign memory-mapped layouts: what their programs write comes back, and nothing that is not there."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset, harmonize
from atomloom.arrays.place import File
from atomloom.errors import DataError
from atomloom_memmap import write_store
from atomloom_memmap.layouts import first_design, openqdc, torchmdnet
from atomloom_memmap.reading import read as read_store

ATOMS = np.array([3, 1, 5, 2])
"""Atoms of the frames that the programs below write."""

STARTS = np.array([0, 3, 4, 9, 11])
KCAL = 0.0433641042
"""eV."""

UNITS = {"E": "kcal/mol", "R": "angstrom", "F": "kcal/mol/angstrom"}

READERS = {"first-design": first_design, "openqdc": openqdc, "torchmd-net": torchmdnet}
INDICES = {
    "first-design": {"n_atoms.npy", "offsets.npy"},
    "openqdc": {"position_idx_range.mmap"},
    "torchmd-net": {"Ours.idx.mmap"},
}


def mapped(path: Path, values: Any, dtype: str) -> None:
    """Writes an array as these programs do, through numpy.memmap."""
    array = np.asarray(values, dtype=dtype)
    out = np.memmap(path, mode="w+", dtype=array.dtype, shape=array.shape)
    out[:] = array
    out.flush()


@pytest.fixture
def packed(arrays: dict[str, Any], tmp_path: Path) -> Path:
    """A folder as the converters of the first design write it."""
    folder = tmp_path / "ours_packed"
    folder.mkdir()
    np.save(folder / "offsets.npy", STARTS)
    np.save(folder / "n_atoms.npy", ATOMS.astype(np.int32))
    arrays["Z"].astype(np.int32).tofile(folder / "Z_pack.int32")
    arrays["R"].tofile(folder / "R_pack.f32")
    arrays["F"].tofile(folder / "F_pack.f32")
    arrays["E"].tofile(folder / "E.f64")
    arrays["Q"].astype(np.float64).tofile(folder / "Qtot.f64")
    return folder


@pytest.fixture
def properties(arrays: dict[str, Any], tmp_path: Path) -> Path:
    """A folder as TorchMD-Net writes it."""
    folder = tmp_path / "root" / "processed"
    folder.mkdir(parents=True)
    values = {
        "idx": (STARTS, "i8"),
        "z": (arrays["Z"], "i1"),
        "pos": (arrays["R"], "f4"),
        "y": (KCAL * arrays["E"], "f8"),
        "neg_dy": (arrays["F"], "f4"),
        "q": (arrays["Q"], "i1"),
        "pq": (np.zeros(11), "f4"),
        "dp": (np.ones((4, 3)), "f4"),
    }
    for name, (array, dtype) in values.items():
        mapped(folder / f"Ours.{name}.mmap", array, dtype)
    return folder


@pytest.fixture(params=list(READERS))
def layout(request: pytest.FixtureRequest) -> tuple[str, Path, dict[str, Any]]:
    """Each layout: its name, a folder of it and the options to read that with."""
    folders = {"first-design": "packed", "openqdc": "quantum", "torchmd-net": "properties"}
    options = {"method": "0"} if request.param == "openqdc" else {}
    return request.param, request.getfixturevalue(folders[request.param]), options


def opened(layout: tuple[str, Path, dict[str, Any]]) -> Dataset:
    """The data set in a layout."""
    name, folder, options = layout
    found: Dataset = READERS[name].read(folder, **options)
    return found


def test_what_was_written_comes_back(layout: Any, arrays: dict[str, Any]) -> None:
    """Bit for bit, in any order of frames, under names that harmonising knows; units that nothing says are chosen."""
    dataset, _ = harmonize(opened(layout), {"unit": {} if layout[0] == "torchmd-net" else UNITS})
    expected = {"Z": arrays["Z"], "R": arrays["R"]}
    for frames in ([0, 1, 2, 3], [2, 0, 2]):
        batch = dataset.take(frames)
        rows = np.concatenate([np.arange(STARTS[frame], STARTS[frame + 1]) for frame in frames])
        for name, values in expected.items():
            assert np.array_equal(batch[name], values[rows]), name
    force = 1.0 if layout[0] == "torchmd-net" else KCAL
    np.testing.assert_allclose(dataset["E"], KCAL * arrays["E"], rtol=1e-8)
    np.testing.assert_allclose(dataset["F"], force * arrays["F"], rtol=1e-6)
    assert {name: dataset.fields[name].unit for name in "REF"} == {"R": "angstrom", "E": "eV", "F": "eV/angstrom"}


def test_a_store_is_written_from_it(layout: Any, tmp_path: Path) -> None:
    """Harmonising and packing take each layout as it is."""
    dataset, _ = harmonize(opened(layout), {"unit": {} if layout[0] == "torchmd-net" else UNITS})
    write_store(dataset, tmp_path / "ours.packed")
    stored = read_store(tmp_path / "ours.packed")
    assert set(stored.columns) == set(dataset.columns)
    for name in stored.columns:
        np.testing.assert_array_equal(stored[name], dataset[name])


def test_only_sizes_are_read_on_opening(layout: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all files only those that say how many atoms each frame has."""
    read: set[str] = set()
    original = File.read

    def noted(self: File, at: int, out: Any, place: Any) -> None:
        read.add(self.path.name)
        original(self, at, out, place)

    monkeypatch.setattr(File, "read", noted)
    monkeypatch.setattr(File, "mapping", lambda *given: pytest.fail("mapped"))
    monkeypatch.setattr("atomloom.inert.load", lambda *given: pytest.fail("the pickle was read"))
    dataset = opened(layout)
    assert read == INDICES[layout[0]]
    assert dataset.sizes
    assert len(dataset) == 4
    assert read == INDICES[layout[0]]


def test_a_data_set_goes_to_another_process(layout: Any) -> None:
    """Its pickle is the paths and numbers of atoms; the values stay where they are."""
    dataset = opened(layout)
    for name in dataset.columns:
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(dataset))[name], dataset[name])


def _grown(folder: Path, files: dict[str, int]) -> None:
    """Lets files grow, with zeros that take no room on the disk."""
    for name, size in files.items():
        os.truncate(folder / name, size)


def test_a_frame_of_a_billion_atoms_is_not_touched_by_its_neighbours(packed: Path) -> None:
    """Reading costs what is asked for, whatever lies beside it: here 4 GB and 12 GB."""
    huge = 10**9
    np.save(packed / "n_atoms.npy", np.array([3, huge, 2]))
    np.save(packed / "offsets.npy", np.array([0, 3, huge + 3]))
    rows = huge + 5
    _grown(packed, {"Z_pack.int32": 4 * rows, "R_pack.f32": 12 * rows, "F_pack.f32": 12 * rows})
    for name in ("E.f64", "Qtot.f64"):
        os.truncate(packed / name, 24)
    batch = first_design.read(packed).take([2, 0])
    assert batch["Z"].tolist() == [0, 0, 8, 1, 1]
    assert batch["R"].shape == (5, 3)


REFUSED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "positions cut off between atoms": (
        "packed",
        lambda folder: os.truncate(folder / "R_pack.f32", 120),
        "R_pack.f32': it holds 10 atoms, and n_atoms.npy says 11. Check that it was written and copied completely",
    ),
    "positions cut off within an atom": (
        "packed",
        lambda folder: os.truncate(folder / "R_pack.f32", 131),
        "R_pack.f32': it has 131 bytes, which is no whole number of rows of 12 bytes (float32 [3])",
    ),
    "an energy too many": (
        "packed",
        lambda folder: os.truncate(folder / "E.f64", 40),
        "E.f64': it holds 5 frames, and n_atoms.npy says 4",
    ),
    "no elements": (
        "packed",
        lambda folder: (folder / "Z_pack.int32").unlink(),
        "Z_pack.int32': there is no such file",
    ),
    "no numbers of atoms": (
        "packed",
        lambda folder: (folder / "n_atoms.npy").unlink(),
        "as the first packed layout: there is no n_atoms.npy in it. Check the path, or name another reader",
    ),
    "offsets of fewer frames": (
        "packed",
        lambda folder: np.save(folder / "offsets.npy", STARTS[:3]),
        "offsets.npy': it holds 3 numbers, and n_atoms.npy speaks of 4 frames",
    ),
    "offsets that overflowed": (
        "packed",
        lambda folder: np.save(folder / "offsets.npy", np.array([0, 3, 4, -9, -7], dtype=np.int32)),
        "offsets.npy': frame 3 begins at atom -9, and those before it have 9",
    ),
    "a negative number of atoms": (
        "packed",
        lambda folder: np.save(folder / "n_atoms.npy", np.array([3, -1, 5, 4])),
        "n_atoms.npy': by it frame 1 has -1 atoms",
    ),
    "numbers of atoms that are objects": (
        "packed",
        lambda folder: np.save(folder / "n_atoms.npy", np.array([3, 1, 5, 2], dtype=object), allow_pickle=True),
        "n_atoms.npy': it holds object of shape [4], and whole numbers for each frame are expected",
    ),
    "no frames": (
        "packed",
        lambda folder: np.save(folder / "n_atoms.npy", np.zeros(0, dtype=np.int64)),
        "n_atoms.npy': it says that there are no frames",
    ),
    "inputs cut off": (
        "quantum",
        lambda folder: os.truncate(folder / "atomic_inputs.mmap", 200),
        "atomic_inputs.mmap': it holds 10 atoms, and position_idx_range.mmap says 11",
    ),
    "ranges cut off": (
        "quantum",
        lambda folder: os.truncate(folder / "position_idx_range.mmap", 24),
        "energies.mmap': its 64 bytes are no float64 of methods for each of the 3 frames in position_idx_range.mmap. C",
    ),
    "ranges with a hole": (
        "quantum",
        lambda folder: mapped(folder / "position_idx_range.mmap", [[0, 3], [3, 4], [5, 9], [9, 11]], "i4"),
        "position_idx_range.mmap': frame 2 begins at atom 5, and the one before it ends at 4",
    ),
    "ranges that begin elsewhere": (
        "quantum",
        lambda folder: mapped(folder / "position_idx_range.mmap", [[1, 3], [3, 4], [4, 9], [9, 12]], "i4"),
        "position_idx_range.mmap': its first frame begins at atom 1 and not at 0",
    ),
    "energies cut off": (
        "quantum",
        lambda folder: os.truncate(folder / "energies.mmap", 60),
        "energies.mmap': its 60 bytes are no float64 of methods for each of the 4 frames in position_idx_range.mmap. C",
    ),
    "forces cut off": (
        "quantum",
        lambda folder: os.truncate(folder / "forces.mmap", 260),
        "forces.mmap': its 260 bytes are no forces on each of the 11 atoms in position_idx_range.mmap",
    ),
    "forces of nobody knows which method": (
        "quantum",
        lambda folder: os.truncate(folder / "forces.mmap", 132),
        "it has 1 method and energies.mmap 2, and nothing says which are which. Say which of openQDC's",
    ),
    "no ranges": (
        "quantum",
        lambda folder: (folder / "position_idx_range.mmap").unlink(),
        "as openQDC's layout: there is no position_idx_range.mmap in it",
    ),
    "no energies": (
        "quantum",
        lambda folder: (folder / "energies.mmap").unlink(),
        "energies.mmap': there is no such file. Check the path",
    ),
    "elements cut off": (
        "properties",
        lambda folder: os.truncate(folder / "Ours.z.mmap", 9),
        "Ours.z.mmap': it holds 9 atoms, and Ours.idx.mmap says 11",
    ),
    "dipoles of fewer frames": (
        "properties",
        lambda folder: os.truncate(folder / "Ours.dp.mmap", 36),
        "Ours.dp.mmap': it holds 3 frames, and Ours.idx.mmap says 4",
    ),
    "an index that goes back": (
        "properties",
        lambda folder: mapped(folder / "Ours.idx.mmap", [0, 3, 4, 2, 11], "i8"),
        "Ours.idx.mmap': by it frame 2 has -2 atoms",
    ),
    "an index that begins elsewhere": (
        "properties",
        lambda folder: mapped(folder / "Ours.idx.mmap", [1, 3, 4, 9, 12], "i8"),
        "Ours.idx.mmap': its first frame begins at atom 1 and not at 0",
    ),
    "an index of nothing": (
        "properties",
        lambda folder: os.truncate(folder / "Ours.idx.mmap", 0),
        "Ours.idx.mmap': it says that there are no frames",
    ),
    "positions not finished": (
        "properties",
        lambda folder: (folder / "Ours.pos.mmap").rename(folder / "Ours.pos.mmap.tmp"),
        "Ours.pos.mmap': there is only 'Ours.pos.mmap.tmp', which was not finished. Let the program that writes it run",
    ),
    "two data sets": (
        "properties",
        lambda folder: mapped(folder / "Theirs.idx.mmap", STARTS, "i8"),
        "it holds 2 data sets (Ours, Theirs). Name one of them, such as '",
    ),
    "no index": (
        "properties",
        lambda folder: (folder / "Ours.idx.mmap").unlink(),
        "as TorchMD-Net's layout: there is no NAME.idx.mmap in it",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_together_is_refused(case: str, request: pytest.FixtureRequest) -> None:
    """A file that is missing, cut off or of another data set is named, with what was found and what to do."""
    fixture, damage, message = REFUSED[case]
    folder = request.getfixturevalue(fixture)
    damage(folder)
    name = {"packed": "first-design", "quantum": "openqdc", "properties": "torchmd-net"}[fixture]
    with pytest.raises(DataError) as caught:
        opened((name, folder, {"method": "0"} if fixture == "quantum" else {}))
    assert message in str(caught.value)


def test_a_file_that_shrinks_while_it_is_in_use_is_an_error(layout: Any) -> None:
    """Nothing is read past the end of a file, and no zeros are made up."""
    dataset = opened(layout)
    dataset.take([3])
    for path in layout[1].iterdir():
        os.truncate(path, path.stat().st_size // 2)
    for name in ("R", "positions", "pos"):
        if name in dataset:
            with pytest.raises(DataError, match=r"the file shrank from 132 to 66|the file shrank from 220 to 110"):
                dataset.take([3], [name])


def test_fields_that_are_not_there_are_left_out(packed: Path, properties: Path, quantum: Path) -> None:
    """Forces and charges may be missing, and offsets may lack the last end."""
    for name in ("F_pack.f32", "Qtot.f64"):
        (packed / name).unlink()
    np.save(packed / "offsets.npy", STARTS[:-1])
    assert list(first_design.read(packed).columns) == ["Z", "R", "E"]
    for name in ("neg_dy", "q", "pq", "dp"):
        (properties / f"Ours.{name}.mmap").unlink()
    assert list(torchmdnet.read(properties).columns) == ["z", "pos", "energy"]
    for name in ("forces.mmap", "props.pkl"):
        (quantum / name).unlink()
    columns = list(openqdc.read(quantum, method="1").columns)
    assert columns == ["atomic_numbers", "positions", "formal_charges", "energies"]


@pytest.mark.parametrize("source", ["..", ".", "Ours", "Ours.z.mmap", "Ours.neg_dy.mmap"])
def test_torchmd_net_by_any_of_its_paths(source: str, properties: Path) -> None:
    """The root of the data set, the folder, a file or the beginning of the files' names."""
    dataset = torchmdnet.read(properties / source)
    assert len(dataset) == 4
    assert dataset.meta["source"] == "Ours"
    known, _ = harmonize(dataset)
    units = {name: known.fields[name].unit for name in ("R", "E", "F", "total_charge", "mono", "D")}
    assert list(units.values()) == ["angstrom", "eV", "eV/angstrom", "e", "e", "e*angstrom"]


@pytest.mark.parametrize("name", READERS)
def test_a_folder_is_known_by_what_it_holds(name: str, tmp_path: Path) -> None:
    """Nobody has to name the reader, whose example and options fit together."""
    from atomloom.readers.opening import read

    dataset = read(READERS[name].example(tmp_path))
    assert dataset.meta["reader"] == name
    known, _ = harmonize(dataset, {"unit": UNITS | {"E": "eV"}})
    assert {"Z", "R", "E", "F", "total_charge"} <= set(known.columns)


def test_one_file_stands_for_its_data_set(properties: Path) -> None:
    """A file of TorchMD-Net is known by its name."""
    from atomloom.readers.opening import read

    assert read(properties / "Ours.pos.mmap").meta["reader"] == "torchmd-net"
