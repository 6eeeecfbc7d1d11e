"""What the losses promise: real points only, molecules before points, and missing references that stay missing."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom.losses import charges
from atomloom.numpy_backend import NumpyOps
from atomloom_dcmnet.losses import KCAL, potential, site_charges, traceless_quadrupole
from atomloom_jax.ops import JaxOps

OPS = NumpyOps()


def test_every_molecule_counts_once_however_many_points_it_has(molecule, padded):
    """The mean over the points of a molecule comes before the mean over molecules."""
    batch = padded([molecule(2, seed=1, points=5), molecule(3, seed=2, points=40)])
    errors = np.where(batch["grid_segments"] == 0, 0.01, 0.02)
    sums, counts = potential({"esp": batch["esp"] + errors}, batch, batch["frame_mask"] * 1.0, OPS)
    assert sums[:2] == pytest.approx((KCAL * np.array([0.01, 0.02])) ** 2)
    assert counts.tolist() == [1.0, 1.0, 0.0]


def test_what_is_predicted_for_padding_never_counts(molecule, padded):
    """Not even where it is NaN, as a potential at padded points may be."""
    batch = padded([molecule(2, points=5)])
    junk = np.where(batch["grid_mask"], batch["esp"], np.nan)
    sums, _ = potential({"esp": junk}, batch, batch["frame_mask"] * 1.0, OPS)
    assert sums.tolist() == [0.0, 0.0, 0.0]


def test_points_count_by_their_weights(molecule, padded):
    """A point of weight zero is as good as absent, and one of weight two as good as two."""
    batch = dict(padded([molecule(2, points=3)]))
    batch["esp_weight"] = np.zeros(60)
    batch["esp_weight"][:3] = [0.0, 1.0, 2.0]
    error = np.zeros(60)
    error[:3] = [9.0, 0.01, 0.04]
    sums, counts = potential({"esp": batch["esp"] + error}, batch, batch["frame_mask"] * 1.0, OPS)
    assert sums[0] == pytest.approx(KCAL**2 * (0.01**2 + 2 * 0.04**2) / 3)
    assert counts[0] == 1.0


def test_a_molecule_without_a_point_that_counts_is_left_out(molecule, padded):
    """Its mean would be that of nothing."""
    batch = dict(padded([molecule(2, points=3)]))
    batch["esp_weight"] = np.zeros(60)
    _, counts = potential({"esp": batch["esp"] + 1.0}, batch, batch["frame_mask"] * 1.0, OPS)
    assert not counts.any()


def test_the_trace_of_a_quadrupole_is_not_compared(molecule, padded):
    """Nothing outside of a molecule tells it; other components are compared as they are."""
    batch = padded([molecule(2)])
    reference = np.zeros((3, 3, 3))
    target = {**batch, "quadrupole": reference}
    aside = reference.copy()
    aside[0, 0, 1] = 0.5
    weight = batch["frame_mask"] * 1.0
    assert traceless_quadrupole({"quadrupole": reference + 7 * np.eye(3)}, target, weight, OPS)[0] == pytest.approx(
        0.0, abs=1e-12
    )
    assert traceless_quadrupole({"quadrupole": aside}, target, weight, OPS)[0][0] == pytest.approx(0.25)


@pytest.mark.parametrize("ops", [NumpyOps(), JaxOps()], ids=["numpy", "jax"])
def test_the_size_of_charges_is_a_mean_over_real_sites(molecule, padded, ops):
    """On both backends, and without the charges of padding."""
    batch = padded([molecule(2), molecule(4)])
    sites = np.where(batch["atom_mask"][:, None], [[1.0, -3.0]], 50.0)
    sums, counts = site_charges({"dcm_charges": sites}, batch, batch["frame_mask"] * 1.0, ops)
    assert np.asarray(sums).tolist() == [5.0, 5.0, 0.0]
    assert np.asarray(counts).tolist() == [1.0, 1.0, 0.0]


def test_atomic_charges_are_compared_by_the_loss_of_core(molecule, padded):
    """The monopole of an atom is the sum of its charges."""
    batch = padded([molecule(2)])
    target = {**batch, "mono": np.zeros(12)}
    predicted = {"mono": np.where(batch["atom_mask"], 0.5, np.nan)}
    sums, counts = charges(predicted, target, batch["frame_mask"] * 1.0, OPS)
    assert (sums[0], counts[0]) == (0.5, 2.0)
