"""Extended XYZ: what is written is what is read, by us and by ASE, and large files are not parsed to be opened."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import atomloom
from atomloom.pipeline import load_paths
from atomloom_formats import xyz_index
from atomloom_formats.xyz_comment import keys_of, number
from atomloom_formats.xyz_index import Index, scan
from atomloom_formats.xyz_reading import example, read
from atomloom_formats.xyz_writing import write

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


def harmonised(path: Path) -> atomloom.Dataset:
    """A file as a canonical data set."""
    return load_paths([str(path)]).dataset


def assert_same(one: atomloom.Dataset, other: atomloom.Dataset) -> None:
    """All fields of `other` are in `one`, bit for bit."""
    for name in other.columns:
        assert np.array_equal(one[name], other[name]), name
    assert one.sizes["atom"].tolist() == other.sizes["atom"].tolist()


def test_round_trip(molecules: atomloom.Dataset, tmp_path: Path) -> None:
    """Every field comes back with every digit and its unit."""
    write(molecules, tmp_path / "it.xyz")
    back = harmonised(tmp_path / "it.xyz")
    assert_same(back, molecules)
    assert {name: back.fields[name] for name in molecules.columns} == molecules.fields


@st.composite
def datasets(draw: st.DrawFn) -> atomloom.Dataset:
    """One to four frames of one to five atoms, some of them periodic."""
    frames: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 4))):
        atoms = draw(st.integers(1, 5))
        frame: dict[str, Any] = {"Z": draw(arrays(np.int64, atoms, elements=st.integers(0, 118)))}
        for name in ("R", "F"):
            frame[name] = draw(arrays(np.float64, (atoms, 3), elements=NUMBERS))
        frame["E"] = draw(NUMBERS)
        frame["cell"] = draw(arrays(np.float64, (3, 3), elements=NUMBERS))
        frame["pbc"] = draw(arrays(np.bool_, 3)) if frame["cell"].any() else np.zeros(3, dtype=bool)
        frame["quadrupole"] = draw(arrays(np.float64, (3, 3), elements=NUMBERS))
        frames.append(frame)
    return atomloom.Dataset.from_frames(frames)


@given(dataset=datasets())
def test_round_trip_of_anything(dataset: atomloom.Dataset, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever finite numbers a frame holds, they come back; the raw reader gives them under ASE's names."""
    target = tmp_path_factory.mktemp("xyz") / "it.xyz"
    write(dataset, target)
    raw = read(target)
    names = {"Z": "numbers", "R": "positions", "F": "forces", "E": "energy", "quadrupole": "quadrupole"}
    if dataset["cell"].any():
        names |= {"cell": "cell", "pbc": "pbc"}
    for name, called in names.items():
        assert np.array_equal(raw[called], dataset[name]), name


def test_ase_reads_what_we_write(molecules: atomloom.Dataset, tmp_path: Path) -> None:
    """ASE finds energies, forces, dipoles and charges as results of a calculator."""
    write(molecules, tmp_path / "it.xyz")
    for index, atoms in enumerate(ase.io.read(tmp_path / "it.xyz", ":")):
        frame = molecules.take([index]).frame(0)
        assert atoms.numbers.tolist() == frame["Z"].tolist()
        assert np.array_equal(atoms.positions, frame["R"])
        assert atoms.get_potential_energy() == frame["E"]
        assert np.array_equal(atoms.get_forces(), frame["F"])
        assert np.array_equal(atoms.get_dipole_moment(), frame["D"])
        assert np.array_equal(atoms.get_charges(), frame["mono"])
        assert atoms.info["multiplicity"] == frame["total_spin"]


def test_we_read_what_ase_writes(tmp_path: Path) -> None:
    """A periodic structure with results that ASE wrote has ASE's cell, forces, charges and stress."""
    atoms = Atoms("NaCl", [[0, 0, 0], [2.8, 0, 0]], cell=[[5.6, 0, 0], [0.1, 5.7, 0], [0.2, 0.3, 5.8]], pbc=[1, 1, 0])
    results = {"energy": -3.5, "forces": np.ones((2, 3)), "charges": np.array([0.9, -0.9])}
    atoms.calc = SinglePointCalculator(atoms, **results, stress=np.arange(6.0), dipole=np.array([1.0, 2.0, 3.0]))
    ase.io.write(tmp_path / "it.xyz", [atoms, atoms], format="extxyz")
    dataset = harmonised(tmp_path / "it.xyz")
    assert np.allclose(dataset["cell"], atoms.cell.array)
    assert dataset["pbc"].tolist() == [[True, True, False]] * 2
    assert np.allclose(dataset["mono"], [0.9, -0.9] * 2)
    assert np.allclose(dataset["D"], [[1, 2, 3]] * 2)
    assert dataset["stress"].shape == (2, 3, 3)


@pytest.mark.parametrize(
    "comment",
    [
        'energy=-1.5 pbc="T T F" name=bulk',
        "energy=-1.5 made by hand virial='1 2 3 4 5 6 7 8 9'",
        'a=1 b={1 2 3} note="a=b" flag=T list="1, 2, 3"',
        'tensor="_JSON [[1, 2], [3, 4]]" x = 3',
    ],
)
def test_comment_lines_are_those_of_ase(comment: str) -> None:
    """Numbers in a comment line are what ASE's own parser makes of them."""
    from ase.io.extxyz import key_val_str_to_dict

    expected = {key: value for key, value in key_val_str_to_dict(comment).items() if not isinstance(value, str)}
    found = {key: number(key, text) for key, text in keys_of(comment).items()}
    for key, value in found.items():
        if value is not None:
            assert np.array_equal(value, expected[key]), key
    words = {key for key, value in expected.items() if value is True and f"{key}=" not in comment}
    assert {key for key, value in found.items() if value is not None} == set(expected) - words


class Counting:
    """A file that counts the bytes read from it."""

    def __init__(self, file: Any, total: list[int]) -> None:
        self.file, self.total = file, total

    def read(self, size: int = -1) -> bytes:
        """What is read, counted."""
        data: bytes = self.file.read(size)
        self.total[0] += len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> Counting:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()


def test_large_files_are_not_parsed(
    molecules: atomloom.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening parses one comment line of each kind; taking frames reads the bytes of these frames and no others."""
    target = tmp_path / "it.xyz"
    write(molecules[np.arange(3000) % 3], target)
    total = [0]
    plain = Index.open
    monkeypatch.setattr(Index, "open", lambda index: Counting(plain(index), total))
    dataset = read(target)
    assert len(dataset) == 3000
    assert total[0] < 1000 < target.stat().st_size / 100
    assert np.array_equal(dataset.take([2999, 1])["energy"], molecules["E"][[2, 1]])
    assert total[0] < 5000


@pytest.mark.parametrize("chunk", [7, 50, 1 << 24])
def test_scan_in_pieces(
    molecules: atomloom.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Frames are found alike whatever pieces the file is scanned in."""
    monkeypatch.setattr(xyz_index, "CHUNK", chunk)
    write(molecules, tmp_path / "it.xyz")
    index = scan(tmp_path / "it.xyz")
    text = (tmp_path / "it.xyz").read_bytes()
    assert index.atoms.tolist() == [3, 2, 4]
    assert [text[start:].split(b"\n")[0] for start in index.starts[:-1]] == [b"3", b"2", b"4"]
    assert_same(harmonised(tmp_path / "it.xyz"), molecules)


def test_line_ends_and_blank_lines(tmp_path: Path) -> None:
    """Windows line ends, blank lines between frames and no newline at the end change nothing."""
    plain = example(tmp_path).read_bytes()
    blank = plain.replace(b"\n2\n", b"\n\n2\n").rstrip(b"\n").replace(b"\n", b"\r\n")
    (tmp_path / "blank.xyz").write_bytes(blank)
    one, other = read(tmp_path / "example.xyz"), read(tmp_path / "blank.xyz")
    for name in one.columns:
        assert np.array_equal(one[name], other[name])


def test_plain_xyz(tmp_path: Path) -> None:
    """Without named columns only positions have a unit, further columns are not read, and comments are words."""
    (tmp_path / "it.xyz").write_text("2\nmade by hand\nH 0 0 0 0.5\nh 0 0 0.74 0.5\n1\n\n2 0 0 0\n")
    dataset = read(tmp_path / "it.xyz")
    assert set(dataset.columns) == {"numbers", "positions"}
    assert dataset["numbers"].tolist() == [1, 1, 2]
    assert dataset.fields["positions"].unit == "angstrom"
    (tmp_path / "energy.xyz").write_text("1\nenergy=-0.5\nH 0 0 0\n")
    assert read(tmp_path / "energy.xyz").fields["energy"].unit == ""


def mixed(folder: Path) -> Path:
    """Three frames: one without forces, one with a lattice."""
    target = folder / "mixed.xyz"
    body = "Properties=species:S:1:pos:R:3:forces:R:3 energy=1.0 config_type=a\nH 0 0 0 1 2 3\n"
    bare = "Properties=species:S:1:pos:R:3 energy=2.0 config_type=b\nHe 0 0 1\n"
    cell = 'Lattice="2 0 0 0 3 0 0 0 4" Properties=pos:R:3:species:S:1:forces:R:3 energy=3.0\n0 0 2 Li 4 5 6\n'
    target.write_text(f"1\n{body}1\n{bare}1\n{cell}")
    return target


def test_differing_frames(tmp_path: Path) -> None:
    """What some frames lack is left out with a warning that counts them; a missing lattice is ASE's cell of zeros."""
    loaded = load_paths([str(mixed(tmp_path))])
    assert "F" not in loaded.dataset
    assert loaded.dataset["Z"].tolist() == [1, 2, 3]
    assert loaded.dataset["R"][:, 2].tolist() == [0, 1, 2]
    assert loaded.dataset["cell"][:, 2, 2].tolist() == [0, 0, 4]
    assert loaded.dataset["pbc"].all(axis=1).tolist() == [False, False, True]
    (finding,) = loaded.report.about("forces")
    assert (finding.note, finding.level) == ("2 of 3 frames have it", "warning")
    (text,) = loaded.report.about("config_type")
    assert (text.note, text.level) == ("it is text, which this reader does not read", "warning")


def test_frames_that_have_a_field(tmp_path: Path) -> None:
    """The option `having` leaves out the frames that lack a field, and the field is there."""
    dataset = read(mixed(tmp_path), having=("forces",))
    assert dataset["energy"].tolist() == [1, 3]
    assert dataset["forces"].tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(atomloom.DataError, match="no frame has charges"):
        read(mixed(tmp_path), having=("charges",))


def test_other_processes(tmp_path: Path) -> None:
    """A data set can be sent to a worker; one whose file has changed since says so."""
    target = example(tmp_path)
    dataset = pickle.loads(pickle.dumps(read(target)))
    assert dataset["energy"].tolist() == [-2079.1, -31.7]
    target.write_text(target.read_text() + "\n")
    with pytest.raises(atomloom.DataError, match="it has changed since it was opened"):
        dataset.take([1])


def test_several_files(tmp_path: Path, molecules: atomloom.Dataset) -> None:
    """A glob of files is one data set of all their frames."""
    for number_ in range(3):
        write(molecules[number_ : number_ + 1], tmp_path / f"{number_}.xyz")
    assert_same(load_paths([str(tmp_path / "*.xyz")]).dataset, molecules)
