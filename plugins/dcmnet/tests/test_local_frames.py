"""What charges in local axes promise: they follow the atoms, in CHARMM's convention, in files and in OpenMM alike."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom.errors import DataError
from atomloom.units import factor
from atomloom_dcmnet.interactions import interaction
from atomloom_dcmnet.local_frames import Frame, LocalAxes, LocalModel, choose_frames
from atomloom_dcmnet.mdcm import read_mdcm, write_mdcm
from atomloom_dcmnet.openmm_export import system_of, system_xml

MOLECULE = np.array([[0.0, 0.1, 0.0], [1.4, 0.0, 0.1], [-0.4, 1.0, 0.1], [2.0, 0.2, 1.2], [1.9, -1.0, -0.5]])
NUMBERS = np.array([8, 6, 1, 1, 1])


def _model(positions: np.ndarray = MOLECULE, sites: int = 2, seed: int = 0) -> LocalModel:
    random = np.random.default_rng(seed)
    charges = random.normal(scale=0.3, size=(len(positions), sites))
    places = positions[:, None] + random.uniform(-0.2, 0.2, size=(len(positions), sites, 3))
    return LocalModel.of(choose_frames(positions[None]), positions, charges, places)


def _turned(positions: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Turned and shifted at random, with the rotation."""
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    return positions @ rotation.T + [4.0, -3.0, 2.0], rotation


def test_charges_turn_with_the_molecule():
    """Places of the turned molecule are the turned places."""
    model = _model()
    moved, rotation = _turned(MOLECULE, seed=1)
    assert model.places(moved) == pytest.approx(model.places(MOLECULE) @ rotation.T + [4.0, -3.0, 2.0])


def test_every_atom_has_axes_of_length_one_that_are_at_right_angles():
    """Left-handed ones, as CHARMM's are."""
    axes = choose_frames(MOLECULE[None]).at(MOLECULE)
    assert axes @ np.swapaxes(axes, 1, 2) == pytest.approx(np.tile(np.eye(3), (5, 1, 1)))
    assert np.linalg.det(axes) == pytest.approx(-np.ones(5))


def test_axes_are_those_of_charmm():
    """Worked out by hand for atoms 1, 2, 3 at (1, 0, 0), 0 and (0, 2, 0): y along z of space, and x = z x y."""
    positions = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    bonds = LocalAxes.of_frames((Frame((0, 1, 2)),)).at(positions)
    assert bonds[0].tolist() == bonds[1].tolist() == [[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert bonds[2].tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    halved = LocalAxes.of_frames((Frame((0, 1, 2), bisector=True),)).at(positions)
    assert halved[1] == pytest.approx(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2**0.5], [1.0, 1.0, 0.0]]) / 2**0.5)


def test_atoms_on_a_line_are_in_no_frame_where_others_are_there():
    """The nitrogen of acetonitrile has its axes with a hydrogen."""
    cyanide = np.array([[0.0, 0, 0], [1.46, 0, 0], [2.62, 0, 0], [-0.4, 1.0, 0], [-0.4, -0.5, 0.9], [-0.4, -0.5, -0.9]])
    axes = choose_frames(cyanide[None])
    assert axes.sines(cyanide).min() > 0.2


def test_a_charge_beside_the_only_axis_is_refused():
    """A molecule of two atoms fixes nothing across its line; charges on it are as good as any."""
    pair = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.1]])
    axes, charges = choose_frames(pair[None]), np.array([[0.5], [-0.5]])
    on_it = pair[:, None] + [0.0, 0.0, 0.1]
    assert LocalModel.of(axes, pair, charges, on_it).places(pair) == pytest.approx(on_it[:, 0])
    with pytest.raises(DataError, match=r"a charge of atom 0 stands beside the line of the atoms"):
        LocalModel.of(axes, pair, charges, on_it + np.array([0.1, 0.0, 0.0]))


@pytest.mark.parametrize("sites", [1, 2, 7])
def test_files_of_charmm_hold_the_same_charges(tmp_path, sites):
    """Written and read, the charges stand at the same places, of a geometry that the file was not made for too."""
    model, other = _model(sites=sites), MOLECULE + np.random.default_rng(3).normal(scale=0.1, size=MOLECULE.shape)
    write_mdcm(model, tmp_path / "molecule.mdcm", "MEOH")
    name, read = read_mdcm(tmp_path / "molecule.mdcm")
    assert name == "MEOH"
    assert read.charges == pytest.approx(model.charges, abs=1e-9)
    for positions in (MOLECULE, other):
        assert read.places(positions) == pytest.approx(model.places(positions), abs=1e-8)


def test_an_eighth_charge_of_an_atom_is_refused(tmp_path):
    """CHARMM takes seven."""
    with pytest.raises(DataError, match=r"atom 0 has 8 charges, and CHARMM takes 7 of an atom"):
        write_mdcm(_model(sites=8), tmp_path / "molecule.mdcm")
    assert not (tmp_path / "molecule.mdcm").exists()


def test_a_file_that_other_programs_wrote_is_read(shared):
    """Alanine with fourteen charges: atoms of two frames have them once, and residues are neutral."""
    name, model = read_mdcm(shared / "esp_cubes_water" / "ala-14chgs.dcm")
    assert (name, model.atoms, len(model.axes.frames)) == ("ALA", 10, 5)
    assert model.charges.sum() == pytest.approx(0.0, abs=1e-9)
    assert [model.axes.frames[home.frame].atoms[home.place] for home in model.axes.homes] == list(range(10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2 0\n", "it holds 2 residues"),
        ("1 0\nABC\n1\n1 2 3 XX\n", "are not three atoms and BO or BI"),
        ("1 0\nABC\n1\n1 2 0 BO\n1 0\n0.0 0.0 0.0\n", "line 6 has 3 of 4 entries"),
        ("1 0\nABC\n1\n1 2 0 BO\n", "it ends too early"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, text, message):
    """With what is wrong in it."""
    (tmp_path / "bad.mdcm").write_text(text)
    with pytest.raises(DataError, match=message):
        read_mdcm(tmp_path / "bad.mdcm")


def test_forces_are_the_slopes_of_the_energy():
    """By finite differences of the double sum; atoms that others have their axes from feel it."""
    models = [_model(), _model(seed=1)]
    positions = [MOLECULE, _turned(MOLECULE, seed=2)[0]]

    def energy(moved: np.ndarray) -> float:
        places = [model.places(own) for model, own in zip(models, [moved, positions[1]], strict=True)]
        apart = np.linalg.norm(places[0][:, None] - places[1], axis=2)
        return 14.3996454785 * (models[0].charges[:, None] * models[1].charges / apart).sum()

    found = interaction(models, positions)
    assert found.energy == pytest.approx(energy(MOLECULE), rel=1e-8)
    for atom, along in np.ndindex(MOLECULE.shape):
        step = np.zeros_like(MOLECULE)
        step[atom, along] = 1e-5
        slope = (energy(MOLECULE + step) - energy(MOLECULE - step)) / 2e-5
        assert found.forces[0][atom, along] == pytest.approx(-slope, abs=1e-7)
    assert sum(forces.sum(axis=0) for forces in found.forces) == pytest.approx(np.zeros(3), abs=1e-9)


def _by_openmm(system, model: LocalModel, positions: list[np.ndarray]) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy in eV, forces on all particles in eV/angstrom, and places of all particles in angstrom, by OpenMM."""
    openmm = pytest.importorskip("openmm")
    sites = system.getNumParticles() // len(positions) - len(positions[0])
    everything = np.concatenate([np.concatenate([own, np.zeros((sites, 3))]) for own in positions])
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(everything / 10)
    context.computeVirtualSites()
    state = context.getState(energy=True, forces=True, positions=True)
    energy = factor("kJ/mol", "eV")
    forces = np.array(state.getForces(asNumpy=True)._value) * energy / 10
    places = np.array(state.getPositions(asNumpy=True)._value) * 10
    return state.getPotentialEnergy()._value * energy, forces, places


@pytest.mark.parametrize("atoms", [5, 2, 1])
def test_openmm_has_the_energy_and_forces_of_the_same_charges(atoms):
    """Of two molecules, one of them turned and bent, so that its axes are others than those of the export."""
    openmm = pytest.importorskip("openmm")
    positions = MOLECULE[:atoms]
    if atoms == 5:
        model = _model()
    else:
        axis = (positions[-1] - positions[0]) * 0.1
        places = positions[:, None] + np.array([[[0.5]], [[-1.0]]])[:atoms] * axis
        model = LocalModel.of(choose_frames(positions[None]), positions, np.array([[0.7], [-0.4]])[:atoms], places)
    bent = _turned(positions, seed=5)[0] + np.random.default_rng(6).normal(scale=0.05, size=positions.shape)
    system = openmm.XmlSerializer.deserialize(system_xml(model, NUMBERS[:atoms], copies=2))
    energy, forces, places = _by_openmm(system, model, [positions, bent])
    expected = interaction([model, model], [positions, bent])
    assert energy == pytest.approx(expected.energy, rel=1e-6, abs=1e-9)
    each = system.getNumParticles() // 2
    for copy, own in enumerate((positions, bent)):
        assert forces[copy * each :][:atoms] == pytest.approx(expected.forces[copy], abs=1e-6)
        if atoms > 1:
            assert places[copy * each + atoms :][: len(model.charges)] == pytest.approx(model.places(own), abs=1e-6)


def test_openmm_does_not_let_charges_of_one_molecule_act_on_each_other():
    """They describe its potential for others."""
    model = _model()
    energy, forces, _ = _by_openmm(system_of(model, NUMBERS), model, [MOLECULE])
    assert energy == 0.0
    assert not forces.any()


def test_axes_that_halve_an_angle_are_refused_for_openmm():
    """It has no virtual site for them."""
    pytest.importorskip("openmm")
    water = MOLECULE[:3]
    axes = LocalAxes.of_frames((Frame((1, 0, 2), bisector=True),))
    model = LocalModel.of(axes, water, np.ones((3, 1)), water[:, None] + 0.1)
    with pytest.raises(DataError, match=r"the z axis of atom 0 halves an angle"):
        system_of(model, NUMBERS[:3])
