"""What is computed, against formulas written out here and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from atomloom.batching import Shape
from atomloom_jax import DeviceBatch
from atomloom_physnet import PhysNet

Make = Callable[..., Any]

COULOMB = 14.399645  # eV angstrom / e^2
FAR = np.array([400.0, 0.0, 0.0])


def pair(distance: float, numbers: tuple[int, int] = (6, 8), charge: float = 0.0, spin: int = 1) -> dict[str, Any]:
    """Two atoms so far apart."""
    positions = np.array([[0.0, 0.0, 0.0], [0.0, distance, 0.0]])
    return {"Z": np.array(numbers), "R": positions, "total_charge": charge, "total_spin": spin}


def test_forces_are_the_gradient_of_the_energy(made: Any, frames: Make, padded: Make, predicted: Make) -> None:
    """Every component is the central difference of the energy, in float64, for a charged molecule."""
    frame, step = frames([3], seed=4)[0], 1e-4
    force = predicted(made, padded([frame]))["F"]
    for atom in range(3):
        aside = [{**frame, "R": frame["R"] + sign * step * _one(atom, axis)} for axis in range(3) for sign in (1, -1)]
        energies = predicted(made, padded(aside))["E"].reshape(3, 2)
        np.testing.assert_allclose(force[atom], (energies[:, 1] - energies[:, 0]) / (2 * step), atol=1e-6)


def _one(atom: int, axis: int) -> np.ndarray:
    """A displacement of one coordinate of three atoms."""
    found = np.zeros((3, 3))
    found[atom, axis] = 1.0
    return found


def test_every_output_has_its_own_shape(state: Make, frames: Make, padded: Make, predicted: Make) -> None:
    """One energy and dipole for each frame, one force and charge for each atom: no offset of elements spreads out."""
    found = predicted(state(), padded(frames([4, 1, 6, 2])))
    assert {name: values.shape for name, values in found.items()} == {
        "E": (4,), "D": (4, 3), "F": (13, 3), "mono": (13,)
    }  # fmt: skip


def test_charges_add_up_to_the_total_charge(made: Any, frames: Make, padded: Make, predicted: Make) -> None:
    """For molecules and single atoms of any charge, untrained too: by construction and not by a penalty."""
    molecules = frames([4, 1, 6, 2])
    charges = predicted(made, padded(molecules))["mono"]
    for frame, own in zip(molecules, np.split(charges, np.cumsum([4, 1, 6])), strict=True):
        assert own.sum() == pytest.approx(frame["total_charge"], abs=1e-12)


def test_every_state_of_a_geometry_has_its_own_energy(made: Any, padded: Make, predicted: Make) -> None:
    """No charge and no multiplicity is ignored, where the network is conditioned; else the charges alone differ."""
    states = [(0.0, 1), (0.0, 3), (1.0, 2), (-1.0, 2), (2.0, 1), (1.0, 4)]
    found = predicted(made, padded([pair(1.2, charge=q, spin=m) for q, m in states]))
    conditioned = made["network"].config.conditioning != "none"
    assert (np.diff(np.sort(found["E"])).min() > 1e-4) == conditioned
    assert np.abs(found["mono"].reshape(6, 2)[0] - found["mono"].reshape(6, 2)[2]).min() > 1e-4


def test_nuclei_repel(state: Make, padded: Make, predicted: Make) -> None:
    """What repulsion adds is k Z Z / r times the universal screening, above zero, with r the distance itself."""
    cutoff, batch = 1e6, padded([pair(0.4), pair(1.1)])
    on = predicted(state(coulomb=False, repulsion_cutoff=cutoff), batch)["E"]
    off = predicted(state(coulomb=False, repulsion=False), batch)["E"]
    r = np.array([0.4, 1.1])
    x = r * (6**0.23 + 8**0.23) / 0.46850
    amplitudes, decays = [0.18175, 0.50986, 0.28022, 0.02817], [3.1998, 0.94229, 0.4029, 0.20162]
    screening = sum(a * np.exp(-d * x) for a, d in zip(amplitudes, decays, strict=True))
    assert sum(amplitudes) == pytest.approx(1.0)
    np.testing.assert_allclose(on - off, COULOMB * 48 / r * screening, rtol=1e-6)


def test_atoms_that_come_close_are_pushed_apart(state: Make, padded: Make, predicted: Make) -> None:
    """The energy rises and the forces point outwards: its sign is that of an energy."""
    found = predicted(state(), padded([pair(0.15), pair(0.3)]))
    assert found["E"][0] > found["E"][1]
    assert found["F"][0, 1] < 0 < found["F"][1, 1]


def test_charges_act_on_one_another(state: Make, padded: Make, predicted: Make) -> None:
    """What the Coulomb term adds beyond the damping is k q q / r with the predicted charges."""
    batch = padded([pair(6.0, charge=1.0, spin=2), pair(9.0, charge=-1.0, spin=2)])
    on, off = (predicted(state(coulomb=coulomb, repulsion=False), batch) for coulomb in (True, False))
    first, second = on["mono"][[0, 2]], on["mono"][[1, 3]]
    np.testing.assert_allclose(on["E"] - off["E"], COULOMB * first * second / [6.0, 9.0], rtol=1e-6)


@pytest.mark.parametrize("backbone", ["scalar-vector", "physnet"])
def test_nothing_jumps_at_a_cutoff(backbone: str, state: Make, padded: Make, predicted: Make) -> None:
    """Energies and forces are continuous where messages, repulsion and the Coulomb term end."""
    options = {"backbone": backbone, "cutoff": 4.0, "repulsion_cutoff": 1.5, "coulomb_cutoff": 6.0}
    for cutoff in (1.5, 4.0, 6.0):
        found = predicted(state(**options), padded([pair(cutoff - 1e-5), pair(cutoff + 1e-5)]))
        assert abs(found["E"][1] - found["E"][0]) < 1e-3
        np.testing.assert_allclose(found["F"][:2], found["F"][2:], atol=1e-3)
    beyond = predicted(state(**options), padded([pair(7.0), pair(20.0)]))
    assert beyond["E"][0] == pytest.approx(beyond["E"][1], abs=1e-9)
    np.testing.assert_allclose(beyond["F"], 0.0, atol=1e-9)


@pytest.mark.parametrize("conditioning", ["attention", "embedding", "none"])
def test_neutral_singlets_far_apart_have_the_energies_that_they_have_alone(
    conditioning: str, state: Make, padded: Make, predicted: Make
) -> None:
    """Without the Coulomb term; with it, charge that is corrected over both flows between them."""
    parts = [pair(1.2), pair(1.0, (7, 7))]
    both = {
        **parts[0],
        "Z": np.concatenate([parts[0]["Z"], parts[1]["Z"]]),
        "R": np.concatenate([parts[0]["R"], parts[1]["R"] + FAR]),
    }
    made = state(conditioning=conditioning, coulomb=False, repulsion=False)
    alone, together = predicted(made, padded(parts)), predicted(made, padded([both]))
    assert together["E"][0] == pytest.approx(alone["E"].sum(), abs=1e-9)
    np.testing.assert_allclose(together["F"], alone["F"], atol=1e-9)


def test_molecules_of_one_to_five_hundred_atoms_share_a_batch(
    state: Make, frames: Make, padded: Make, predicted: Make
) -> None:
    """An atom, a diatomic, fragments 400 angstrom apart and 500 atoms: no NaN in values or gradients, nothing mixes."""
    one = {"Z": np.array([8]), "R": np.zeros((1, 3)), "total_charge": -1.0, "total_spin": 2}
    apart = {"Z": np.array([6, 8, 6, 8]), "R": np.vstack([pair(1.2)["R"], pair(1.1)["R"] + FAR])}
    crowd = {**frames([500], seed=2)[0], "total_charge": 0.0, "total_spin": 1}
    molecules = [one, pair(1.1), {**apart, "total_charge": 0.0, "total_spin": 1}, crowd]
    small, batch = state(features=2, layers=1), padded(molecules, Shape(5, 510, 500 * 499 + 14 + 6))
    device = DeviceBatch.of(batch, "float64")

    def loss(parameters: Any) -> tuple[Any, Any]:
        found = PhysNet().predict({**small, "parameters": parameters}, device)
        return sum((values**2).sum() for values in found.values()), found

    (_, found), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(small["parameters"])
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((found, gradient)))
    assert found["mono"][0] == pytest.approx(-1.0)
    np.testing.assert_array_equal(found["F"][0], np.zeros(3))
    assert np.asarray(found["mono"])[batch["batch_segments"] == 3].sum() == pytest.approx(0.0, abs=1e-9)
    alone = predicted(small, padded(molecules[:3]))
    np.testing.assert_allclose(found["E"][:3], alone["E"], atol=1e-9)
    np.testing.assert_allclose(found["F"][:7], alone["F"], atol=1e-9)
