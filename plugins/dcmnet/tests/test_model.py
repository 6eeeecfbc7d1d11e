"""What the network promises: nothing leaks out of padding, charges add up, and charges stay near their atoms."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom.batching import Shape
from atomloom_dcmnet import DCMNet, create_model
from atomloom_dcmnet.example import point_charge_potential
from atomloom_dcmnet.model import site_potential
from atomloom_jax import DeviceBatch
from atomloom_jax.blocks import Budget, Frames, Grid

D_MAX = 0.3
"""Of the state that the tests share."""


def test_charges_add_up_to_the_total_charge_of_every_frame(molecule, padded, predicted):
    """To 1e-6 e, for ions too and whatever the parameters are; the correction is part of what is trained."""
    charges = [-2.0, 0.0, 1.0]
    batch = padded([molecule(4, charge, seed=number) for number, charge in enumerate(charges)])
    found = predicted(batch)["dcm_charges"].astype(np.float64)
    sums = np.bincount(batch["batch_segments"], found.sum(axis=1), batch.shape.frames)
    assert sums == pytest.approx(charges, abs=1e-6)


def test_no_charge_is_further_from_its_atom_than_the_bound(molecule, padded, predicted):
    """The norm is bounded, not each component; the parameters are such that most are at the bound."""
    batch = padded([molecule(5, seed=3), molecule(4, seed=4)])
    apart = np.linalg.norm(predicted(batch)["dcm_positions"] - batch["R"][:, None], axis=-1)[batch["atom_mask"]]
    assert apart.max() <= D_MAX + 1e-6
    assert np.median(apart) > 0.5 * D_MAX


def test_the_bound_is_kept_with_the_state(state):
    """A checkpoint holds it, and it is no parameter."""
    leaves = DCMNet().leaves(state)
    assert leaves["d_max"] == D_MAX
    assert "d_max" in DCMNet().constants(state)


def test_a_shift_of_twenty_angstrom_changes_nothing(molecule, padded, predicted):
    """Slots that hold no atom stand at the origin; were they to send messages, a shift would be felt."""
    here = molecule(4, charge=1.0)
    shift = np.array([20.0, 0.0, 0.0])
    there = {**here, "R": here["R"] + shift, "vdw_surface": here["vdw_surface"] + shift}
    one, other = (predicted(padded([frame])) for frame in (here, there))
    for name in ("dcm_charges", "esp"):
        assert other[name] == pytest.approx(one[name], abs=3e-5)


def test_a_shift_that_is_exact_in_binary_changes_nothing_at_all(molecule, padded, predicted):
    """On a binary grid the shifted differences are the same numbers, so charges are equal to the bit."""
    here = molecule(4)
    here = {**here, "R": np.round(here["R"] * 1024) / 1024}
    there = {**here, "R": here["R"] + [20.0, 0.0, 0.0], "vdw_surface": here["vdw_surface"] + [20.0, 0.0, 0.0]}
    one, other = (predicted(padded([frame]))["dcm_charges"] for frame in (here, there))
    assert np.array_equal(one, other)


def test_other_molecules_and_empty_slots_change_nothing(molecule, padded, predicted):
    """Each molecule has its own number of atoms and of points, and a mask of its own."""
    frames = [molecule(2, seed=5, points=7), molecule(5, -1.0, seed=6, points=20)]
    together, alone = predicted(padded(frames)), predicted(padded(frames[1:]))
    assert together["dcm_charges"][2:7] == pytest.approx(alone["dcm_charges"][:5], abs=1e-6)
    assert together["esp"][7:27] == pytest.approx(alone["esp"][:20], abs=1e-6)
    assert not together["esp"][27:].any()


def test_the_potential_is_that_of_the_predicted_charges(molecule, padded, predicted):
    """Against the plain double sum in double precision; so are monopoles, dipoles and the traceless quadrupole."""
    batch = padded([molecule(4, 1.0, seed=7)])
    found = predicted(batch)
    charges, places = found["dcm_charges"][:4].astype(float), found["dcm_positions"][:4].astype(float)
    points = batch["vdw_surface"][batch["grid_mask"]].astype(float)
    expected = point_charge_potential(points, charges.ravel(), places.reshape(-1, 3))
    assert found["esp"][: len(points)] == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert found["D"][0] == pytest.approx(np.einsum("ik,ikx->x", charges, places), abs=1e-4)
    assert found["mono"][:4] == pytest.approx(charges.sum(axis=1), abs=1e-6)
    assert np.trace(found["quadrupole"][0]) == pytest.approx(0.0, abs=1e-3)


def test_a_molecule_longer_than_those_of_the_training_has_its_potential(molecule, padded, predicted):
    """The potential is laid out for the longest frame of the training, and for longer ones where there are some."""
    batch = padded([molecule(7, seed=8)])
    found = predicted(batch)
    charges, places = found["dcm_charges"][:7], found["dcm_positions"][:7]
    points = batch["vdw_surface"][batch["grid_mask"]]
    expected = point_charge_potential(points, charges.ravel(), places.reshape(-1, 3))
    assert found["esp"][: len(points)] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_potential_of_a_large_grid_keeps_to_its_memory():
    """10 000 points with 60 atoms of 7 charges, and the gradient: 168 MB of bare distances, were they held at once."""
    atoms, points, budget = 60, 10_000, Budget(memory=16 << 20)
    frames = Frames(jnp.zeros(atoms, jnp.int32), jnp.ones(atoms, bool), jnp.ones(1, bool))
    mask = jnp.ones(points, bool)

    def total(charges, places, at):
        grid = Grid(at, jnp.zeros(points, jnp.int32), mask)
        return (site_potential(grid, charges, places, frames, budget) ** 2).sum()

    shapes = [jax.ShapeDtypeStruct(shape, np.float32) for shape in ((atoms, 7), (atoms, 7, 3), (points, 3))]
    compiled = jax.jit(jax.grad(total, argnums=(0, 1))).lower(*shapes).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 24 << 20


def test_options_make_a_network():
    """The call of the first design."""
    network = create_model(n_dcm=7, features=16)
    assert (network.n_dcm, network.features, network.d_max) == (7, 16, 0.35)


def test_single_atoms_have_charges(molecule, padded, state):
    """A batch without a single pair, as of halide ions alone."""
    alone = padded([molecule(1, -1.0)], Shape(frames=1, atoms=1, grid=20))
    found = DCMNet().predict(state, DeviceBatch.of(alone, "float32"))
    assert float(found["dcm_charges"].sum()) == -1.0
