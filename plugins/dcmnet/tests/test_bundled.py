"""What the data of the package promise."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom_dcmnet.bundled import provenance, small_molecules
from atomloom_dcmnet.direct import Search, fit_sites
from atomloom_dcmnet.molecules import subject
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
    """From 1.4 to 2 van der Waals radii."""
    for number in range(0, len(data), 10):
        held = data.take([number])
        distances = scaled_distances(held["vdw_surface"], held["Z"], held["R"])
        assert (distances.min(), distances.max()) == pytest.approx((1.4, 2.0), abs=1e-3)


def test_the_total_charge_is_felt_in_the_potential(data):
    """Free charges at the atoms, fitted to the potential alone, add up to it: units and signs are right."""
    unsaid = data.without("total_charge")
    for number in range(0, len(data), 5):
        assert subject(unsaid, number).potential.total == data["total_charge"][number]


def test_parts_of_the_density_have_its_dipole(data):
    """Charges and dipoles of the atoms are two ways from the density to what was integrated as a whole."""
    owner = np.repeat(np.arange(len(data)), data.sizes["atom"])
    parts = data["mono"][:, None] * data["R"] + data["atom_dipoles"]
    whole = np.stack([np.bincount(owner, parts[:, along]) for along in range(3)], axis=1)
    assert whole == pytest.approx(data["D"], abs=0.01)


def test_the_quadrupole_is_felt_in_the_potential(data):
    """Four charges of each atom, fitted to the potential of CO2, have the traceless quadrupole of the density."""
    number = provenance()["molecules"].index("CO2")
    frame = int(np.flatnonzero(data["molecule"] == number)[0])
    found = fit_sites(subject(data, frame).potential, Search(sites=4, starts=2))
    second = np.einsum("ik,ikx,iky->xy", found.charges, found.places, found.places)
    moment = (3 * second - np.trace(second) * np.eye(3)) / 2
    assert moment == pytest.approx(data["quadrupole"][frame], abs=0.02)


def test_the_potential_has_the_dipole_of_the_density(data):
    """Four charges of each atom, fitted to the potential of HCN, have the dipole that was computed from the density."""
    number = provenance()["molecules"].index("HCN")
    frame = int(np.flatnonzero(data["molecule"] == number)[0])
    found = fit_sites(subject(data, frame).potential, Search(sites=4, starts=2))
    assert np.einsum("ik,ikx->x", found.charges, found.places) == pytest.approx(data["D"][frame], abs=0.01)
