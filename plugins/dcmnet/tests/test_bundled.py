"""What the data of the package promise."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom_dcmnet.bundled import provenance, small_molecules
from atomloom_dcmnet.linear import fit_charges
from atomloom_dcmnet.molecules import KCAL
from atomloom_dcmnet.surfaces import scaled_distances


@pytest.fixture(scope="module")
def data():
    """All frames."""
    return small_molecules()


def test_the_provenance_counts_what_there_is(data):
    """Frames and molecules."""
    said = provenance()
    assert said["frames"] == len(data)
    assert len(said["molecules"]) == len(set(data["molecule"].tolist()))


def test_ions_and_neutral_molecules_are_there(data):
    """And their atomic charges add up to their total charges."""
    assert set(data["total_charge"].tolist()) == {-1, 0, 1}
    owner = np.repeat(np.arange(len(data)), data.sizes["atom"])
    assert np.bincount(owner, data["mono"]) == pytest.approx(data["total_charge"], abs=1e-4)


def test_points_lie_around_the_molecules(data):
    """From 1.4 to 2 van der Waals radii; the potential is that of the molecule, charges at its atoms fit most of it."""
    for number in range(0, len(data), 10):
        held = data.take([number])
        distances = scaled_distances(held["vdw_surface"], held["Z"], held["R"])
        assert (distances.min(), distances.max()) == pytest.approx((1.4, 2.0), abs=1e-3)
        values = KCAL * held["esp"].astype(float)
        found = fit_charges(held["vdw_surface"].astype(float), values, held["R"], float(held["total_charge"][0]))
        assert found.rmse < max(0.9 * np.sqrt(np.mean(values**2)), 0.3)
