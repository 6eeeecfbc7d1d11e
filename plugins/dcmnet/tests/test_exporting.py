"""What exports promise: whatever charges come from, each file gives back their potential."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.io.cube import read_cube_data
from click.testing import CliRunner

from atomloom.errors import DataError, TargetError
from atomloom.pipeline import Fitted, predict
from atomloom.readers import read
from atomloom.writers import write
from atomloom_dcmnet.calculator import DCMNetCalculator
from atomloom_dcmnet.cli import dcmnet
from atomloom_dcmnet.example import point_charge_potential, run, surfaces
from atomloom_dcmnet.fits import read_fit
from atomloom_dcmnet.mdcm import read_mdcm

KEPT = ("Z", "R", "total_charge", "total_spin", "vdw_surface", "esp")
FRAME = 1  # of the made-up molecules


def _call(*words: object) -> str:
    found = CliRunner().invoke(dcmnet, [str(word) for word in words], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Made-up molecules in a file, a fit of one of them, and a run."""
    folder = tmp_path_factory.mktemp("exports")
    frames = [{name: each.frame(0)[name] for name in KEPT} for each in (surfaces(0.1).take([n]) for n in range(6))]
    write(type(surfaces()).from_frames(frames), folder / "molecules.npz")
    _call("fit", folder / "molecules.npz", "--frame", FRAME, "--starts", 1, "--out", folder / "fit.json")
    run(folder)
    return folder


@pytest.fixture(scope="module")
def fitted(folder):
    """The network of the run."""
    from atomloom.runs import Run

    return Fitted.load(Run.open(folder / "run"))


def _source(name, folder):
    """What a command calls the charges, their charges and places, and the geometry."""
    data = read(folder / "molecules.npz")[FRAME : FRAME + 1]
    if name == "fit":
        fit = read_fit(folder / "fit.json")
        return (folder / "fit.json",), np.ravel(fit.charges), np.reshape(fit.positions, (-1, 3)), data
    from atomloom.runs import Run

    found = predict(Fitted.load(Run.open(folder / "run")), data)
    call = ("run", "--runs", folder, "--data", folder / "molecules.npz", "--frame", FRAME)
    return call, found["dcm_charges"].ravel(), found["dcm_positions"].reshape(-1, 3), data


@pytest.mark.parametrize("name", ["fit", "run"])
def test_charges_come_back_from_a_file_of_charmm(folder, tmp_path, name):
    """Of a fit and of a prediction, at the same places."""
    call, charges, places, data = _source(name, folder)
    _call("export", *call, "--to", "mdcm", "--out", tmp_path / "molecule.mdcm", "--residue", "LIG")
    residue, model = read_mdcm(tmp_path / "molecule.mdcm")
    assert residue == "LIG"
    assert model.charges == pytest.approx(charges, abs=1e-8)
    assert model.places(data["R"]) == pytest.approx(places, abs=1e-5)


@pytest.mark.parametrize("name", ["fit", "run"])
def test_a_cube_file_holds_the_potential_of_the_charges(folder, tmp_path, name):
    """Read by our reader and by ase: the double sum over charges at every point that is not at one of them."""
    call, charges, places, data = _source(name, folder)
    target = tmp_path / "molecule.cube"
    _call("export", *call, "--to", "cube", "--out", target, "--spacing", 0.9, "--margin", 2.0)
    held = read(target)
    points = held["vdw_surface"] * 0.529177210903
    apart = np.linalg.norm(points[:, None] - places, axis=2).min(axis=1)
    far = apart > 0.3
    assert far.sum() > 100
    assert held["esp"][far] == pytest.approx(point_charge_potential(points, charges, places)[far], abs=1e-5)
    values, atoms = read_cube_data(str(target))
    assert values.ravel() == pytest.approx(held["esp"], rel=1e-6)
    assert atoms.positions == pytest.approx(data["R"], abs=1e-5)


@pytest.mark.parametrize("name", ["fit", "run"])
def test_a_system_of_openmm_has_the_charges_at_their_places(folder, tmp_path, name):
    """In the geometry of the export, in two copies; energies and forces are compared in `test_local_frames`."""
    openmm = pytest.importorskip("openmm")
    call, charges, places, data = _source(name, folder)
    _call("export", *call, "--to", "openmm", "--out", tmp_path / "system.xml", "--copies", 2)
    system = openmm.XmlSerializer.deserialize((tmp_path / "system.xml").read_text())
    atoms, each = len(data["R"]), system.getNumParticles() // 2
    assert each == atoms + len(charges)
    start = np.zeros((2, each, 3))
    start[:, :atoms] = data["R"]
    context = openmm.Context(system, openmm.VerletIntegrator(1e-3), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(start.reshape(-1, 3) / 10)
    context.computeVirtualSites()
    found = 10 * np.array(context.getState(positions=True).getPositions(asNumpy=True)._value)
    assert found.reshape(2, each, 3)[1, atoms:] == pytest.approx(places, abs=1e-5)
    force = system.getForce(0)
    assert [force.getParticleParameters(atoms + n)[0]._value for n in range(len(charges))] == pytest.approx(charges)


def test_a_file_of_charmm_is_exported_for_another_geometry(folder, tmp_path):
    """Back and on: its charges turn with the atoms of the frame that is named."""
    turned, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turned *= np.linalg.det(turned)
    call, charges, places, data = _source("fit", folder)
    frame = {"Z": data["Z"], "R": data["R"] @ turned.T}
    write(type(data).from_frames([frame]), tmp_path / "turned.npz")
    _call("export", *call, "--to", "mdcm", "--out", tmp_path / "one.mdcm")
    on = ("--data", tmp_path / "turned.npz", "--to", "cube", "--spacing", 0.9, "--margin", 2.0)
    _call("export", tmp_path / "one.mdcm", *on, "--out", tmp_path / "turned.cube")
    held = read(tmp_path / "turned.cube")
    points = held["vdw_surface"] * 0.529177210903
    far = np.linalg.norm(points[:, None] - places @ turned.T, axis=2).min(axis=1) > 0.3
    expected = point_charge_potential(points, charges, places @ turned.T)
    assert held["esp"][far] == pytest.approx(expected[far], abs=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (("run", "--runs", "."), DataError, "a network needs a geometry to predict them for. Name one with --data"),
        (("fit.json", "--data", "molecules.npz", "--frame", "3"), DataError, "or the elements differ"),
        (("fit.json", "--data", "molecules.npz", "--frame", "9"), DataError, "there are 6 frames, the first of"),
        (("fit.json", "--out", "fit.json"), TargetError, "it exists"),
    ],
)
def test_what_cannot_be_exported_is_said(folder, monkeypatch, call, error, message):
    """Before a file is touched."""
    monkeypatch.chdir(folder)
    with pytest.raises(error, match=message):
        _call("export", "--to", "mdcm", "--out", "new.mdcm", *call)
    assert not (folder / "new.mdcm").exists()


def test_the_calculator_gives_what_the_network_predicts(folder, fitted):
    """Charges, dipole and the potential at points, of the charge that the atoms say."""
    data = read(folder / "molecules.npz")[FRAME : FRAME + 1]
    found = predict(fitted, data)
    atoms = Atoms(data["Z"], data["R"], info={"charge": int(data["total_charge"][0])})
    atoms.calc = DCMNetCalculator(fitted)
    assert atoms.get_charges() == pytest.approx(found["mono"], abs=1e-5)
    assert atoms.get_dipole_moment() == pytest.approx(found["D"][0], abs=1e-4)
    assert atoms.calc.potential(data["vdw_surface"]) == pytest.approx(found["esp"], abs=1e-5)
    atoms.positions[0] += 0.1
    assert atoms.calc.potential(data["vdw_surface"], atoms) != pytest.approx(found["esp"], abs=1e-5)


def test_the_calculator_looks_at_the_total_charge(fitted):
    """Another one in `atoms.info` is another result, and none is asked for."""
    atoms = Atoms("NH", [[0.0, 0.0, 0.0], [0.0, 0.0, 1.03]], info={"charge": -1})
    atoms.calc = DCMNetCalculator(fitted)
    assert atoms.get_charges().sum() == pytest.approx(-1.0, abs=1e-6)
    atoms.info["charge"] = 1
    assert atoms.get_charges().sum() == pytest.approx(1.0, abs=1e-6)
    del atoms.info["charge"]
    with pytest.raises(DataError, match=r"nothing says their total charge\. Give the calculator charge="):
        atoms.get_charges()
