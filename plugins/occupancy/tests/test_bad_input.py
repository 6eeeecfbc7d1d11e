"""What is refused, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest

from atomloom.errors import AtomloomError
from atomloom_occupancy import examples
from atomloom_occupancy.checking import problems
from atomloom_occupancy.free_flags import read_flags
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.job import Job, run
from atomloom_occupancy.reflection_files import load_reflections


def mtz(path: Path, value: np.ndarray, kind: str = "F", free: np.ndarray | None = None) -> Path:
    """A small MTZ file with these values."""
    out = gemmi.Mtz(with_base=True)
    out.spacegroup = gemmi.SpaceGroup("P 21 21 21")
    out.set_cell_for_all(gemmi.UnitCell(*examples.CELL))
    out.add_dataset("x")
    columns = [("X", kind), ("SIGX", "Q"), *([("FREE", "I")] if free is not None else [])]
    for label, each in columns:
        out.add_column(label, each)
    hkl = gemmi.make_miller_array(out.cell, out.spacegroup, 2.0)[: len(value)]
    flags = [free] if free is not None else []
    out.set_data(np.column_stack([hkl, value, np.ones(len(value)), *flags]).astype(np.float32))
    out.write_to_file(str(path))
    return path


@pytest.mark.parametrize(
    ("value", "kind", "labels", "found"),
    [
        (-np.ones(50), "J", "", "all intensities X are zero or negative"),
        (-np.ones(50), "F", "", "all amplitudes X are zero or negative"),
        (np.ones(50), "P", "", "no column of amplitudes or intensities"),
        (np.ones(50), "P", "X,SIGX", "the column X has the type P"),
        (np.ones(50), "F", "Y,SIGX", "'Y' is not among H K L X SIGX"),
    ],
)
def test_columns(tmp_path: Path, value: np.ndarray, kind: str, labels: str, found: str) -> None:
    """Wrong column types and values without any information are refused."""
    with pytest.raises(AtomloomError, match=found):
        load_reflections(mtz(tmp_path / "x.mtz", value, kind), labels=labels)


def test_truncated_mtz(tmp_path: Path) -> None:
    """A file that was cut short is refused."""
    whole = mtz(tmp_path / "x.mtz", np.ones(200))
    (tmp_path / "cut.mtz").write_bytes(whole.read_bytes()[:1500])
    with pytest.raises(AtomloomError, match=r"Cannot read '.*cut.mtz' as reflections"):
        load_reflections(tmp_path / "cut.mtz")


def test_intensities_become_amplitudes(tmp_path: Path) -> None:
    """Strong intensities become their square roots, which is said."""
    data = load_reflections(mtz(tmp_path / "x.mtz", np.full(300, 1e4), "J"))
    np.testing.assert_allclose(data.amplitude, 100, rtol=1e-3)
    assert "French and Wilson" in " ".join(data.notes)


@pytest.mark.parametrize(
    ("flags", "free"),
    [([0] * 95 + [1] * 5, 5), ([1] * 95 + [0] * 5, 5), (list(range(20)) * 5, 5), ([1] * 100, None)],
)
def test_polarity(flags: list[int], free: int | None) -> None:
    """The rarer of two flags is free, 0 of many; one value alone tells no set apart."""
    mask, _ = read_flags(np.array(flags, dtype=np.float64))
    assert (None if mask is None else int(mask.sum())) == free


def test_missing_flags_are_made(tmp_path: Path) -> None:
    """Without flags they are drawn, always the same, and that is said."""
    first, second = (load_reflections(mtz(tmp_path / "x.mtz", np.full(300, 9.0))) for _ in range(2))
    assert np.array_equal(first.free, second.free)
    assert "There were no free flags" in first.notes[-1]


def test_different_cells(tmp_path: Path) -> None:
    """Model and data of different crystals are refused before anything is written."""
    structure = examples.crystal()
    structure.cell = gemmi.UnitCell(21, 23, 27, 90, 90, 90)
    structure.write_pdb(str(tmp_path / "other.pdb"))
    with pytest.raises(AtomloomError, match="the cells of model and data differ"):
        run(Job(tmp_path / "other.pdb", examples.mtz_file(tmp_path), tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[states]\na = ["//Z/1"]\n', "read line 2 of .* names no atom"),
        ('[states]\na = ["//A/3/*:A"]\nb = ["//A/3/*:A"]\n', "is in 'a' and 'b'"),
        ('[states]\na = ["//A/3/*:A"]\n[[sets]]\nstates = ["a", "c"]\n', "read line 4 of .* no state 'c'"),
        ('[states]\na = ["//A/3/*:A"]\n[[sets]]\nstate = ["a"]\n', "Did you mean states"),
        ("[states\n", "at line 1"),
    ],
)
def test_group_files(tmp_path: Path, text: str, found: str) -> None:
    """Groups that name nothing, overlap or are misspelt are refused with the line."""
    (tmp_path / "groups.toml").write_text(text)
    with pytest.raises(AtomloomError, match=found):
        read_groups(tmp_path / "groups.toml", examples.crystal())


def test_check_names_what_does_not_fit() -> None:
    """Sums over one, lone letters and conformers in one place are found."""
    structure = examples.crystal({**examples.TRUTH, "near A": 0.9})
    for cra in structure[0].all():
        if cra.residue.seqid.num == 7 and cra.atom.altloc == "B":
            cra.atom.pos = next(a.pos for a in cra.residue if a.altloc == "A")
    found = {(each.where, each.what.split(":")[0]) for each in problems(structure)}
    assert ("A 3", "its altlocs add up to 1.18") in found
    assert ("A 7", "A and B have identical coordinates") in found
