"""The calculator for ase: what it gives, which state it computes, lists of neighbours, and simulations with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ase", reason="the calculator needs ase")
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS

from atomloom import DataError
from atomloom.ensemble import Calibration, Ensemble, Scale
from atomloom_physnet import PhysNetCalculator

Make = Callable[..., Any]

PERIODIC = {"coulomb_cutoff": 4.5, "coulomb_damping": 3.0}
FEMTOSECONDS = units.fs
DRIFT = 1e-5  # eV for each atom


def water(**info: Any) -> Atoms:
    """One molecule, out of equilibrium."""
    return Atoms("OH2", [[0.0, 0.0, 0.0], [1.1, 0.0, 0.0], [-0.2, 1.0, 0.1]], info=info)


def ice() -> Atoms:
    """Two molecules in a skewed cell that repeats."""
    both = water() + Atoms("OH2", water().positions[:, ::-1] + [2.2, 2.0, 2.4])
    both.set_cell([[5.0, 0.0, 0.0], [0.6, 5.2, 0.0], [0.3, -0.4, 5.4]])
    both.pbc = True
    return both


def test_it_gives_what_the_model_predicts(fitted: Make, padded: Make, predicted: Make) -> None:
    """Energy with the energies of the elements, forces, charges and dipole of a cation."""
    atoms, potential = water(), fitted()
    atoms.calc = PhysNetCalculator(potential, charge=1, spin=2)
    frame = {"Z": atoms.numbers, "R": atoms.positions, "total_charge": 1.0, "total_spin": 2}
    wanted = predicted(potential.state, padded([frame]))
    assert atoms.get_potential_energy() == pytest.approx(wanted["E"][0] - 2026.0, abs=1e-9)
    np.testing.assert_allclose(atoms.get_forces(), wanted["F"], atol=1e-9)
    np.testing.assert_allclose(atoms.get_charges(), wanted["mono"], atol=1e-9)
    np.testing.assert_allclose(atoms.get_dipole_moment(), wanted["D"][0], atol=1e-9)


def test_an_ensemble_has_means_and_uncertainties(fitted: Make) -> None:
    """Means of all results of its members; the spread of energy and of each atom's force, calibrated."""
    both = (fitted(), fitted(conditioning="embedding", charge_embed_dim=4, spin_embed_dim=4))
    scale = Scale(factor=3.0, dof=3, values=100)
    together = PhysNetCalculator(Ensemble(both, Calibration({"F": scale})), charge=1, spin=2)
    alone = [PhysNetCalculator(potential, charge=1, spin=2) for potential in both]
    for calculator in (together, *alone):
        calculator.calculate(water())
    energies, forces = ([each.results[name] for each in alone] for name in ("energy", "forces"))
    for name, value in alone[0].results.items():
        np.testing.assert_allclose(together.results[name], (value + alone[1].results[name]) / 2)
    assert together.get_property("energy_std", water()) == pytest.approx(np.std(energies, ddof=1))
    by_component = np.var(forces, axis=0, ddof=1).mean(axis=1)
    np.testing.assert_allclose(together.results["forces_std"], scale.width * np.sqrt(by_component))
    with pytest.raises(PropertyNotImplementedError):
        alone[0].get_property("energy_std", water())


def test_a_state_in_the_info_of_atoms_is_followed(fitted: Make) -> None:
    """Another charge there is another energy, though the atoms stay; what the calculator was given goes first."""
    atoms = water(charge=0, spin=1)
    atoms.calc = PhysNetCalculator(fitted())
    neutral = atoms.get_potential_energy()
    atoms.info.update(charge=-1, spin=2)
    assert abs(atoms.get_potential_energy() - neutral) > 1e-4
    atoms.calc = PhysNetCalculator(fitted(), charge=0, spin=1)
    assert atoms.get_potential_energy() == pytest.approx(neutral)


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({}, r'nothing says their total charge\. Give the calculator charge=, or set atoms\.info\["charge"\]'),
        ({"charge": 0}, "nothing says their multiplicity"),
        ({"charge": 0, "spin": 2}, "has 10 electrons and multiplicity 2"),
        ({"charge": 3, "spin": 2}, "has a total charge of 3, and the model was trained for -2 to 2"),
    ],
)
def test_a_state_that_is_unsaid_impossible_or_unknown_is_an_error(
    info: dict[str, int], found: str, fitted: Make
) -> None:
    """There is no default state."""
    atoms = water(**info)
    atoms.calc = PhysNetCalculator(fitted())
    with pytest.raises(DataError, match=found):
        atoms.get_potential_energy()


def test_what_the_run_assumed_holds_for_its_calculator(fitted: Make) -> None:
    """A model of neutral singlets by assumption needs no word about them."""
    atoms = water()
    atoms.calc = PhysNetCalculator(fitted(assume_charge=0, assume_spin=1))
    assert atoms.calc.state_of(atoms) == (0.0, 1)


def test_lists_of_neighbours_are_kept_and_change_nothing(fitted: Make) -> None:
    """Along a path through cell boundaries and cutoffs, a list with a skin is made seldom and gives the same."""
    rng, kept, fresh = np.random.default_rng(0), ice(), ice()
    kept.calc = PhysNetCalculator(fitted(**PERIODIC), charge=0, spin=1, skin=1.0)
    fresh.calc = PhysNetCalculator(fitted(**PERIODIC), charge=0, spin=1, skin=0.0)
    steps = 24
    for _ in range(steps):
        kept.positions += rng.normal([0.05, 0.0, 0.0], scale=0.05, size=(6, 3))
        fresh.positions = kept.positions
        assert kept.get_potential_energy() == pytest.approx(fresh.get_potential_energy(), abs=1e-9)
        np.testing.assert_allclose(kept.get_forces(), fresh.get_forces(), atol=1e-8)
    assert fresh.calc.neighbours.built == steps
    assert 2 <= kept.calc.neighbours.built < steps / 2


def test_stress_is_the_slope_of_the_energy_by_the_strain(fitted: Make) -> None:
    """All six components, by central differences."""
    atoms, step = ice(), 1e-5
    atoms.calc = PhysNetCalculator(fitted(**PERIODIC), charge=0, spin=1)
    found = atoms.get_stress(voigt=False)
    for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        energies = []
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[i, j] += sign * step / 2
            strain[j, i] += sign * step / 2
            strained = atoms.copy()
            strained.set_cell(atoms.cell[:] @ (np.eye(3) + strain), scale_atoms=True)
            strained.calc = atoms.calc
            energies.append(strained.get_potential_energy())
        assert (energies[0] - energies[1]) / (2 * step) / atoms.get_volume() == pytest.approx(found[i, j], abs=1e-6)


def test_a_doubled_cell_has_twice_the_energy(fitted: Make) -> None:
    """And the forces of one: images of an atom are atoms like any other."""
    atoms = ice()
    twice = atoms.repeat((2, 1, 1))
    for each in (atoms, twice):
        each.calc = PhysNetCalculator(fitted(**PERIODIC), charge=0, spin=1)
    assert twice.get_potential_energy() == pytest.approx(2 * atoms.get_potential_energy(), abs=1e-7)
    np.testing.assert_allclose(twice.get_forces()[:6], atoms.get_forces(), atol=1e-8)


def test_what_has_no_end_is_not_computed_in_a_cell(fitted: Make) -> None:
    """A Coulomb term over all pairs means nothing there, and a molecule has no stress."""
    atoms = ice()
    atoms.calc = PhysNetCalculator(fitted(), charge=0, spin=1)
    with pytest.raises(DataError, match="Train with coulomb_cutoff"):
        atoms.get_potential_energy()
    alone = water()
    alone.calc = PhysNetCalculator(fitted(), charge=0, spin=1)
    with pytest.raises(PropertyNotImplementedError, match="a cell that repeats"):
        alone.get_stress()


def test_an_optimisation_ends_in_a_minimum(fitted: Make) -> None:
    """Forces vanish, and every small step away goes up."""
    atoms = water()
    atoms.calc = PhysNetCalculator(fitted(), charge=0, spin=1)
    before = atoms.get_potential_energy()
    assert BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=1e-3, steps=400)
    lowest, rng = atoms.get_potential_energy(), np.random.default_rng(0)
    assert lowest < before
    for _ in range(5):
        aside = atoms.copy()
        aside.positions += rng.normal(scale=0.02, size=(3, 3))
        aside.calc = atoms.calc
        assert aside.get_potential_energy() > lowest - 1e-6


def drift(atoms: Atoms, steps: int) -> float:
    """By how much the total energy of constant-energy dynamics at 300 K changes, in eV for each atom.

    The slope of a line through all steps, times their number: what oscillates with the vibrations averages out.
    """
    widths = np.sqrt(300 * units.kB * atoms.get_masses())
    atoms.set_momenta(np.random.default_rng(1).normal(size=(len(atoms), 3)) * widths[:, None])
    energies = []
    dynamics = VelocityVerlet(atoms, timestep=0.25 * FEMTOSECONDS)
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()))
    dynamics.run(steps)
    return float(np.polyfit(np.arange(len(energies)), energies, 1)[0] * len(energies) / len(atoms))


def test_dynamics_keep_the_energy(fitted: Make) -> None:
    """For 50 fs, at a time step of a quarter of a femtosecond."""
    atoms = water()
    atoms.calc = PhysNetCalculator(fitted(), charge=0, spin=1)
    BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=0.05, steps=200)
    assert abs(drift(atoms, 200)) < 10 * DRIFT


@pytest.mark.slow
def test_dynamics_keep_the_energy_for_long(fitted: Make) -> None:
    """For 2 ps."""
    atoms = water()
    atoms.calc = PhysNetCalculator(fitted(), charge=0, spin=1)
    BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=0.05, steps=200)
    assert abs(drift(atoms, 8000)) < DRIFT
