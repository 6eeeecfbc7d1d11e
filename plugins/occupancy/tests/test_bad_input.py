"""What is refused, and what is said about it."""

from __future__ import annotations

import subprocess
import sys
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
from atomloom_occupancy.reflections import Reflections
from atomloom_occupancy.structure_factors import Calculator
from atomloom_occupancy.twinning import check_twinning, look_for_twinning


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


def friedel(path: Path, plus: np.ndarray, minus: np.ndarray, kinds: str) -> Path:
    """An MTZ file that holds pairs alone."""
    out = gemmi.Mtz(with_base=True)
    out.spacegroup = gemmi.SpaceGroup("P 21 21 21")
    out.set_cell_for_all(gemmi.UnitCell(*examples.CELL))
    out.add_dataset("x")
    for label, kind in zip(("X(+)", "SIGX(+)", "X(-)", "SIGX(-)"), kinds, strict=True):
        out.add_column(label, kind)
    hkl = gemmi.make_miller_array(out.cell, out.spacegroup, 2.0)[: len(plus)]
    ones = np.ones(len(plus))
    out.set_data(np.column_stack([hkl, plus, ones, minus, ones]).astype(np.float32))
    out.write_to_file(str(path))
    return path


@pytest.mark.parametrize(("kinds", "value"), [("GLGL", 12.0), ("KMKM", 12.0**2)])
def test_anomalous_pairs_are_averaged(tmp_path: Path, kinds: str, value: float) -> None:
    """Pairs of amplitudes or intensities alone are averaged, one of them missing or not, and that is said."""
    minus = np.full(300, value * 1.1)
    minus[0] = np.nan
    data = load_reflections(friedel(tmp_path / "x.mtz", np.full(300, value * 0.9), minus, kinds))
    assert len(data) == 300
    np.testing.assert_allclose(data.amplitude[1:], 12.0, rtol=0.01)
    assert data.amplitude[0] < 11.6
    assert "as Friedel mates: averaged" in " ".join(data.notes)


def sf_cif(path: Path, items: tuple[str, ...], rows: list[str], more: str = "") -> Path:
    """A small SF-mmCIF file."""
    few = examples.sf_file(path.parent).read_text().splitlines()
    head = [line for line in few if line.startswith(("data_", "_cell", "_symmetry"))]
    path.write_text("\n".join([*head, more, "loop_", *(f"_refln.{item}" for item in items), *rows, ""]))
    return path


def test_anomalous_pairs_in_mmcif(tmp_path: Path) -> None:
    """So are pairs in SF-mmCIF."""
    items = ("index_h", "index_k", "index_l", "status")
    pair = ("pdbx_F_plus", "pdbx_F_plus_sigma", "pdbx_F_minus", "pdbx_F_minus_sigma")
    indices = [(h, k) for h in (1, 2, 3) for k in (1, 2)]
    rows = [f"1 {h} {k} {'f' if h == 2 else 'o'} 10.0 1 {14.0 if h > 1 else '?'} 1" for h, k in indices]
    data = load_reflections(sf_cif(tmp_path / "a-sf.cif", (*items, *pair), rows))
    assert sorted(data.amplitude.round(6)) == [10, 10, 12, 12, 12, 12]
    assert data.free.sum() == 2


def test_unmerged_data(tmp_path: Path) -> None:
    """Unmerged MTZ and mmCIF files are refused."""
    whole = gemmi.read_mtz_file(str(mtz(tmp_path / "x.mtz", np.ones(200))))
    whole.batches.append(gemmi.Mtz.Batch())
    whole.write_to_file(str(tmp_path / "unmerged.mtz"))
    with pytest.raises(AtomloomError, match="its data are unmerged"):
        load_reflections(tmp_path / "unmerged.mtz")
    path = sf_cif(tmp_path / "u-sf.cif", ("index_h",), ["1"])
    path.write_text(path.read_text().replace("_refln.index_h", "_diffrn_refln.index_h"))
    with pytest.raises(AtomloomError, match="no table of merged reflections"):
        load_reflections(path)


def test_data_of_neutrons(tmp_path: Path) -> None:
    """A model or data of neutrons are refused."""
    rows = ["1 1 1 o 5.0 1.0"]
    items = ("index_h", "index_k", "index_l", "status", "F_meas_au", "F_meas_sigma_au")
    with pytest.raises(AtomloomError, match="the data are of neutron"):
        load_reflections(sf_cif(tmp_path / "n-sf.cif", items, rows, "_diffrn_radiation.probe neutron"))
    structure = examples.crystal()
    structure.info["_exptl.method"] = "NEUTRON DIFFRACTION"
    structure.make_mmcif_document().write_file(str(tmp_path / "n.cif"))
    with pytest.raises(AtomloomError, match="determined by neutron diffraction"):
        run(Job(tmp_path / "n.cif", examples.mtz_file(tmp_path), tmp_path / "out"))


def test_reflections_that_cannot_be(tmp_path: Path) -> None:
    """Data of nothing but reflections that symmetry forbids are refused."""
    items = ("index_h", "index_k", "index_l", "status", "F_meas_au", "F_meas_sigma_au")
    rows = [f"{h} 0 0 o 5.0 1.0" for h in (1, 3, 5)]
    with pytest.raises(AtomloomError, match="no value that can be used"):
        load_reflections(sf_cif(tmp_path / "a-sf.cif", items, rows))


def test_different_space_groups(tmp_path: Path) -> None:
    """Model and data of different space groups are refused."""
    structure = examples.crystal()
    structure.spacegroup_hm = "P 2 2 2"
    structure.write_pdb(str(tmp_path / "other.pdb"))
    with pytest.raises(AtomloomError, match=r"the space group P 2 2 2 and the data P 21 21 21"):
        run(Job(tmp_path / "other.pdb", examples.mtz_file(tmp_path), tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def random_crystal(twin: float) -> Reflections:
    """Data of random atoms in P 3, of which a share belongs to a twin by exchange of h and k."""
    rng = np.random.default_rng(7)
    structure = gemmi.Structure()
    structure.cell, structure.spacegroup_hm = gemmi.UnitCell(26, 26, 24, 90, 90, 120), "P 3"
    chain, residue = gemmi.Chain("A"), gemmi.Residue()
    residue.name, residue.seqid = "LIG", gemmi.SeqId(1, " ")
    for number in range(120):
        atom = gemmi.Atom()
        atom.name, atom.element, atom.b_iso, atom.occ = f"C{number}", gemmi.Element("C"), 12.0, 1.0
        atom.pos = structure.cell.orthogonalize(gemmi.Fractional(*rng.random(3)))
        residue.add_atom(atom)
    chain.add_residue(residue)
    structure.add_model(gemmi.Model(1))
    structure[0].add_chain(chain)
    structure.setup_cell_images()
    group = gemmi.SpaceGroup("P 3")
    hkl = gemmi.make_miller_array(structure.cell, group, 1.9)
    ours, theirs = (
        np.abs(Calculator(structure, each).of_atoms(range(120), np.ones(120))) ** 2
        for each in (hkl, hkl[:, [1, 0, 2]] * np.array([1, 1, -1]))
    )
    amplitude = np.sqrt((1 - twin) * ours + twin * theirs)
    return Reflections(structure.cell, group, hkl, amplitude, amplitude / 50, np.zeros(len(hkl), dtype=bool))


@pytest.mark.parametrize(("twin", "size", "moment"), [(0.0, 0.5, 2.0), (0.5, 0.375, 1.5)])
def test_twinning_is_found(twin: float, size: float, moment: float) -> None:
    """Both tests give what theory says for a crystal and its perfect twin; only the twin is refused."""
    data = random_crystal(twin)
    data = data.take(np.all(data.hkl[:, :2] != 0, axis=1))  # those that the twin law exchanges with others
    found = look_for_twinning(data)
    assert found.mean_l == pytest.approx(size, abs=0.03)
    assert found.moment == pytest.approx(moment, abs=0.15)
    assert found.is_likely == (twin > 0)
    if twin:
        with pytest.raises(AtomloomError, match="the data look twinned"):
            check_twinning(data, "refine")
    assert "twinned" in check_twinning(data, "refine", accepted=True).notes[-1]


def test_sums_over_one_are_told_and_left(tmp_path: Path) -> None:
    """`check` names sums over one and missing letters, exits 1, and changes nothing."""
    structure = examples.crystal({**examples.TRUTH, "near A": 0.9})
    residue = next(cra.residue for cra in structure[0].all() if cra.residue.seqid.num == 7)
    for letter in "BC":
        residue.remove_atom("OG", letter, gemmi.Element("O"))
    structure.write_pdb(str(tmp_path / "model.pdb"))
    before = (tmp_path / "model.pdb").read_bytes()
    command = [sys.executable, "-m", "atomloom", "occupancy", "check", str(tmp_path / "model.pdb")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "its altlocs add up to 1.18" in done.stdout
    assert "it has altloc A alone" in done.stdout
    assert (tmp_path / "model.pdb").read_bytes() == before


def test_sums_over_one_are_repaired_on_request(tmp_path: Path) -> None:
    """`check --repair` writes a model that differs in those sums alone and in which nothing is wrong any more."""
    model, folder = tmp_path / "model.pdb", tmp_path / "repaired"
    examples.crystal({**examples.TRUTH, "near A": 0.9}).write_pdb(str(model))
    command = [sys.executable, "-m", "atomloom", "occupancy", "check", str(model), "--repair", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "A 3: altlocs added up to 1.18 and now to 1" in done.stderr
    assert not problems(gemmi.read_structure(str(folder / "repaired.cif")))
    pairs = zip(model.read_text().splitlines(), (folder / "repaired.pdb").read_text().splitlines(), strict=True)
    changed = [(old, new) for old, new in pairs if old != new]
    assert all(old[:54] + old[60:] == new[:54] + new[60:] for old, new in changed)
    assert {(old[54:60], new[54:60]) for old, new in changed} == {("  0.90", "  0.76"), ("  0.28", "  0.24")}
