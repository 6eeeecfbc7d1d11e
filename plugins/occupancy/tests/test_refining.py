"""Refinements of a made-up crystal whose occupancies are known, and the files that come out."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pandas as pd
import pytest

from atomloom_occupancy import examples
from atomloom_occupancy.demo import WRONG
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.flat_directions import in_words
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.job import Done, Job, run
from atomloom_occupancy.refining import How, Refined, prepare, refine
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.structure import load_structure
from atomloom_occupancy.uncertainty import uncertainties


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, groups, and models with right and wrong occupancies."""
    path = tmp_path_factory.mktemp("crystal")
    examples.mtz_file(path)
    (path / "groups.toml").write_text(examples.GROUPS)
    examples.crystal(WRONG).write_pdb(str(path / "wrong.pdb"))
    examples.crystal(WRONG).make_mmcif_document().write_file(str(path / "wrong.cif"))
    return path


@pytest.fixture(scope="session")
def done(folder: Path) -> Done:
    """A whole refinement of the mmCIF file."""
    return run(Job(folder / "wrong.cif", folder / "data.mtz", folder / "out", folder / "groups.toml"))


def refined(folder: Path, start: float, how: How | None = None) -> Refined:
    """A refinement from one occupancy for all."""
    structure, data = load_structure(folder / "wrong.pdb"), load_reflections(folder / "data.mtz")
    network = read_groups(folder / "groups.toml", structure)
    how = how or How()
    return refine(prepare(structure, data, network, how), network, how, np.full(len(network.states), start))


@pytest.mark.parametrize("target", ["ml", "ls"])
def test_truth_is_found(folder: Path, target: str) -> None:
    """Refined occupancies are the true ones within four standard uncertainties, whatever the target."""
    found = refined(folder, 0.5, How(target))
    spread = uncertainties(found)
    true = np.array([examples.TRUTH[state.name] for state in found.network.states])
    assert np.all(np.abs(found.after.occupancy - true) < 4 * spread.fixed_b)
    assert np.all(spread.free_b >= spread.fixed_b)


def test_starts_do_not_matter(folder: Path) -> None:
    """Starts at 0.1, 0.5 and 0.9 come to one answer."""
    found = [refined(folder, start).after.occupancy for start in (0.1, 0.5, 0.9)]
    assert np.ptp(found, axis=0).max() < 1e-5


def test_sums_are_exact(folder: Path) -> None:
    """Complete sets add up to one to 1e-12."""
    found = refined(folder, 0.5)
    for each in found.network.sets:
        assert abs(found.after.occupancy[list(each.states)].sum() - 1) < 1e-12


def test_restraints_hold_back(folder: Path) -> None:
    """A heavy restraint keeps occupancies where the file has them."""
    found = refined(folder, 0.5, How(restrain=1e8))
    np.testing.assert_allclose(found.after.occupancy, found.network.start, atol=1e-4)


@pytest.mark.parametrize("suffix", ["cif", "pdb"])
def test_only_occupancies_change(folder: Path, done: Done, suffix: str) -> None:
    """The model in the format that it came in differs in the lines of refined atoms, and there in one number alone."""
    out = folder / "out" if suffix == "cif" else folder / "pdb-out"
    if suffix == "pdb":
        run(Job(folder / "wrong.pdb", folder / "data.mtz", out, folder / "groups.toml"))
    before, after = (
        (path).read_text().splitlines() for path in (folder / f"wrong.{suffix}", out / f"refined.{suffix}")
    )
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert 0 < len(changed) <= 20
    for old, new in changed:
        assert sum(a != b for a, b in zip(old.split(), new.split(), strict=True)) == 1


def test_written_sums(folder: Path, done: Done) -> None:
    """The two-decimal occupancies of the written model add up to 1.00 in every complete set."""
    structure = load_structure(folder / "out" / "refined.pdb")
    network = read_groups(folder / "groups.toml", structure)
    for each in network.sets:
        assert round(sum(network.states[state].start for state in each.states), 9) == 1


def test_table_and_maps(folder: Path, done: Done) -> None:
    """The table starts with its header, and the MTZ file holds both maps."""
    table = pd.read_csv(folder / "out" / "occupancies.csv")
    assert {"state", "occupancy", "esd_b_fixed", "esd_b_free", "start", "bound", "partner"} <= set(table.columns)
    mtz = gemmi.read_mtz_file(str(folder / "out" / "refined.mtz"))
    assert {"FWT", "PHWT", "DELFWT", "PHDELWT", "FREE"} <= set(mtz.column_labels())


def test_model_without_partial_atoms(folder: Path, tmp_path: Path) -> None:
    """A model that is fully occupied is written unchanged, with a word about it."""
    structure = examples.crystal()
    for cra in structure[0].all():
        cra.atom.occ, cra.atom.altloc = 1.0, "\0"
        cra.atom.name = cra.atom.name if cra.atom.name != "OG" else f"O{cra.atom.serial % 100}"
    structure.write_pdb(str(tmp_path / "full.pdb"))
    result = run(Job(tmp_path / "full.pdb", folder / "data.mtz", tmp_path / "out"))
    assert result.report.summary.startswith("There is nothing to refine")
    assert (tmp_path / "out" / "refined.pdb").read_text() == (tmp_path / "full.pdb").read_text()


def test_identical_conformers_are_flat(folder: Path) -> None:
    """Two altlocs in one place make a flat direction that names both, without uncertainties."""
    structure = examples.crystal()
    oxygens = [cra.atom for cra in structure[0].all() if cra.atom.altloc in "AB" and cra.residue.seqid.num == 3]
    oxygens[1].pos = oxygens[0].pos
    structure.write_pdb(str(folder / "flat.pdb"))
    flat = load_structure(folder / "flat.pdb")
    data = load_reflections(folder / "data.mtz")
    (folder / "flat.toml").write_text('[states]\na = ["//A/3/*:A"]\nb = ["//A/3/*:B"]\n[[sets]]\nstates = ["a", "b"]\n')
    network = read_groups(folder / "flat.toml", flat)
    found = refine(prepare(flat, data, network, How()), network, How())
    spread = uncertainties(found)
    assert spread.flat == ((0, 1),)
    said = in_words(flat, network, spread.flat[0])
    assert said == "a and b have identical coordinates: the data cannot tell them apart."
    assert np.isnan(spread.fixed_b).all()


def test_flat_directions_are_kept_apart(folder: Path) -> None:
    """Two pairs of conformers in one place each are two directions, each of its own pair."""
    structure = examples.crystal()
    first = {}
    for cra in structure[0].all():
        if cra.atom.altloc in "AB" and cra.residue.seqid.num in (3, 4):
            cra.atom.pos = first.setdefault(cra.residue.seqid.num, cra.atom.pos)
    states = "".join(f'{letter}{number} = ["//A/{number}/*:{letter}"]\n' for number in (3, 4) for letter in "AB")
    sets = "".join(f'[[sets]]\nstates = ["A{number}", "B{number}"]\n' for number in (3, 4))
    (folder / "two.toml").write_text(f"[states]\n{states}{sets}")
    network, data = read_groups(folder / "two.toml", structure), load_reflections(folder / "data.mtz")
    found = refine(prepare(structure, data, network, How()), network, How())
    assert set(uncertainties(found).flat) == {(0, 1), (2, 3)}


def test_states_are_found() -> None:
    """Neighbours in the same conformations are joined, sets that fill their site are complete."""
    network = find_network(examples.crystal())
    names = [state.name for state in network.states]
    assert names[:2] == ["A 3 SER to A 4 SER altloc A", "A 3 SER to A 4 SER altloc B"]
    assert [each.complete for each in network.sets] == [True, True]


def test_lone_letters_are_joined_along_the_chain() -> None:
    """Neighbouring residues that have one letter alone, at one occupancy, are one state; waters are not."""
    structure = examples.crystal()
    for cra in structure[0].all():
        if cra.residue.seqid.num in (1, 2):
            cra.atom.altloc, cra.atom.occ = "A", 0.71
    found = {state.name: len(state.atoms) for state in find_network(structure).states}
    assert found["A 1 ALA to A 2 ALA altloc A"] == 10
    assert found["W 1 HOH altloc A"] == found["W 2 HOH altloc A"] == 1
