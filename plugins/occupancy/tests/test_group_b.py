"""Displacements of states, refined together with occupancies."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pandas as pd
import pytest

from atomloom_occupancy import examples
from atomloom_occupancy.basis import build_basis
from atomloom_occupancy.demo import WRONG
from atomloom_occupancy.displacement import KINDS, Displacement, displaced, displacement_of, mean_b
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.job import Job, run
from atomloom_occupancy.refining import How, fit, prepare
from atomloom_occupancy.refining_b import Parameters, joint_objective, refine_with_b
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.states import Network
from atomloom_occupancy.structure import occupancies_of
from atomloom_occupancy.structure_factors import direct_sum
from atomloom_occupancy.uncertainty import uncertainties

TRUE_SHIFT = {"bound": 8.0, "water": -5.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Groups, a wrong model, and data of a crystal in which two states have other B than the model says."""
    path = tmp_path_factory.mktemp("b")
    (path / "groups.toml").write_text(examples.GROUPS)
    examples.crystal(WRONG).write_pdb(str(path / "wrong.pdb"))
    model = examples.crystal()
    network = read_groups(path / "groups.toml", model)
    shift = np.array([[TRUE_SHIFT.get(state.name, 0.0)] for state in network.states])
    examples.observations(displaced(model, network, shift), seed=1).write_to_file(str(path / "data.mtz"))
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> tuple[gemmi.Structure, Network]:
    """A crystal with an anisotropic atom, and its states."""
    structure = examples.crystal()
    for cra in structure[0].all():
        if cra.chain.name == "B" and cra.atom.name == "C1":
            cra.atom.aniso = gemmi.SMat33f(0.3, 0.2, 0.25, 0.05, -0.03, 0.02)
    return structure, read_groups(folder / "groups.toml", structure)


def change_of(structure: gemmi.Structure, network: Network, kind: str, hkl: np.ndarray) -> Displacement:
    """The displacements of one kind."""
    return displacement_of(structure, network, build_basis(structure, network, hkl).states, hkl, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_against_direct_summation(model: tuple[gemmi.Structure, Network], kind: str) -> None:
    """F of states with other displacements is what gemmi sums atom by atom for a model that has them."""
    structure, network = model
    hkl = gemmi.make_miller_array(structure.cell, structure.find_spacegroup(), 2.0)
    change = change_of(structure, network, kind, hkl)
    shift = np.random.default_rng(1).uniform(-1, 1, change.lower.shape) * (5.0 if kind == "iso" else 0.06)
    found = build_basis(structure, network, hkl).fixed + network.start @ change.factors(shift)
    exact = direct_sum(displaced(structure, network, shift), hkl)
    assert np.linalg.norm(found - exact) < 1e-4 * np.linalg.norm(exact)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient(folder: Path, model: tuple[gemmi.Structure, Network], kind: str) -> None:
    """The gradient by occupancies and displacements is that of central differences."""
    structure, network = model
    data = load_reflections(folder / "data.mtz")
    crystal = prepare(structure, data, network, How())
    change = displacement_of(structure, network, crystal.basis.states, data.hkl, kind)
    at = fit(crystal, network.start, How())
    occupancy = network.form.nearest(network.start * 0.9)
    parameters = Parameters(change, len(occupancy) - len(network.start))
    joint = joint_objective(crystal, at, network, How(restrain=3.0), parameters)
    shift = np.random.default_rng(2).uniform(-1, 1, change.lower.shape) * (5.0 if kind == "iso" else 0.05)
    point = parameters.point(occupancy, shift)
    step = 1e-5 * np.eye(len(point))
    many = parameters.first + shift.size
    slope = [(joint(point + each, False).value - joint(point - each, False).value) / 2e-5 for each in step[:many]]
    found = joint(point, True).gradient
    np.testing.assert_allclose(found[:many], slope, rtol=2e-4, atol=2e-2)
    assert not found[many:].any()


def test_impossible_displacements_are_not_taken(model: tuple[gemmi.Structure, Network]) -> None:
    """A change that would make a U negative is told from others by rows that only it breaks."""
    structure, network = model
    hkl = gemmi.make_miller_array(structure.cell, structure.find_spacegroup(), 3.0)
    change = change_of(structure, network, "aniso", hkl)
    assert not change.broken(np.zeros((len(network.states), 6)))
    wrong = np.full((len(network.states), 6), -0.5)
    broken = change.broken(wrong)
    assert len(broken) == len(network.states)
    assert all(row @ wrong.ravel() < least <= 0 for row, least in broken)
    iso = change_of(structure, network, "iso", hkl)
    assert iso.lower[network.states.index(next(s for s in network.states if s.name == "water"))] == -19.0


def test_anisotropic_truth_is_found(folder: Path) -> None:
    """From wrong occupancies and B, occupancies and the mean of each U come out true."""
    model = examples.crystal(WRONG)
    network, data = read_groups(folder / "groups.toml", model), load_reflections(folder / "data.mtz")
    found, change = refine_with_b(model, prepare(model, data, network, How()), network, How(), "aniso")
    names, spread = [state.name for state in network.states], uncertainties(found)
    assert np.all(np.abs(found.after.occupancy - [examples.TRUTH[name] for name in names]) < 4 * spread.free_b)
    off = mean_b(change) - [TRUE_SHIFT.get(name, 0.0) for name in names]
    assert np.all(np.abs(off) < 5 * spread.esd_of_b)


def test_truth_is_found_and_written(folder: Path) -> None:
    """From wrong occupancies and B both come out true within four standard uncertainties, and are written."""
    out = folder / "out"
    done = run(Job(folder / "wrong.pdb", folder / "data.mtz", out, folder / "groups.toml", group_b="iso"))
    table = pd.read_csv(out / "occupancies.csv").set_index("state")
    true = table.index.map(dict(examples.TRUTH)).to_numpy(dtype=float)
    assert np.all(np.abs(table["occupancy"] - true) < 4 * table["esd_b_free"])
    shift = np.array([TRUE_SHIFT.get(name, 0.0) for name in table.index])
    assert np.all(np.abs(table["delta_b"] - shift) < 5 * table["esd_delta_b"])
    assert 0.5 < table["correlation_with_b"]["bound"] < 0.95
    written = gemmi.read_structure(str(out / "refined.pdb"))
    water = next(cra.atom for cra in written[0].all() if cra.chain.name == "W" and cra.residue.seqid.num == 3)
    assert water.b_iso == pytest.approx(20 + table["delta_b"]["water"], abs=0.02)
    assert occupancies_of(written).max() <= 1
    assert "change of B" in (out / "report" / "report.txt").read_text()
    assert done.table is not None
