"""What conditioning promises: charge and multiplicity change how charges are spread."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom_dcmnet import create_model

WATER = {
    "Z": jnp.array([8, 1, 1]),
    "R": jnp.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]]),
    "batch_segments": jnp.zeros(3, int),
    "atom_mask": jnp.ones(3, bool),
    "frame_mask": jnp.ones(1, bool),
    "dst_idx": jnp.array([0, 0, 1, 1, 2, 2]),
    "src_idx": jnp.array([1, 2, 0, 2, 0, 1]),
    "pair_mask": jnp.ones(6, bool),
}


def _charges(conditioning: str, charge: float, spin: int) -> np.ndarray:
    """Of the sites of each atom, by a network with random parameters."""
    network = create_model(n_dcm=2, features=8, layers=1, basis_functions=4, conditioning=conditioning)
    batch = {**WATER, "total_charge": jnp.array([charge]), "total_spin": jnp.array([spin])}
    shapes = jax.eval_shape(network.init, jax.random.key(0), batch)["params"]
    random = np.random.default_rng(0)
    drawn = jax.tree.map(lambda leaf: jnp.asarray(random.normal(scale=0.5, size=leaf.shape), leaf.dtype), shapes)
    return np.asarray(jax.jit(network.apply)({"params": drawn}, batch)[0])


def test_without_conditioning_a_charge_is_spread_evenly():
    """Only the correction of the sum knows of it, and nothing of the multiplicity."""
    neutral, cation, triplet = (_charges("none", *state) for state in ((0.0, 1), (1.0, 2), (0.0, 3)))
    assert cation - neutral == pytest.approx(np.full((3, 2), 1 / 6), abs=1e-6)
    assert triplet.tolist() == neutral.tolist()


def test_with_attention_charge_and_multiplicity_are_seen_by_each_atom():
    """The sum is exact for each state, and atoms of different elements take different shares of it."""
    neutral, cation, triplet = (_charges("attention", *state) for state in ((0.0, 1), (1.0, 2), (0.0, 3)))
    for found, total in ((neutral, 0.0), (cation, 1.0), (triplet, 0.0)):
        assert found.sum() == pytest.approx(total, abs=1e-6)
    assert np.ptp(cation - neutral) > 1e-3
    assert np.abs(triplet - neutral).max() > 1e-3
