"""The bundled data and what the demo makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.harmonizing.electrons import check_electrons
from atomloom_physnet import demo
from atomloom_physnet.bundled import provenance, states


def test_bundled_states_are_consistent() -> None:
    """Charges add up, multiplicities fit the electrons, net forces vanish, and provenance counts the frames."""
    data = states()
    starts = np.cumsum(data.sizes["atom"]) - data.sizes["atom"]
    check_electrons(data)
    np.testing.assert_allclose(np.add.reduceat(data["mono"], starts), data["total_charge"], atol=1e-5)
    np.testing.assert_allclose(np.add.reduceat(data["F"], starts), 0.0, atol=1e-4)
    assert provenance()["frames"] == len(data)
    assert len(provenance()["molecules"]) >= 30


def test_every_geometry_has_all_of_its_states() -> None:
    """Neutral singlet and triplet with both doublets, or a neutral doublet with both ions."""
    data = states()
    frames = zip(*(data[name].tolist() for name in ("geometry", "total_charge", "total_spin")), strict=True)
    found: dict[int, set[tuple[int, int]]] = {}
    for geometry, charge, spin in frames:
        found.setdefault(geometry, set()).add((charge, spin))
    closed, radical = {(0, 1), (0, 3), (1, 2), (-1, 2)}, {(0, 2), (1, 1), (1, 3), (-1, 1), (-1, 3)}
    assert all(each in (closed, radical) for each in found.values())


def test_differences_are_taken_within_a_geometry() -> None:
    """Energies of two geometries never meet, and a geometry without a triplet has no gap."""
    data = Dataset.from_arrays(
        {"geometry": [7, 7, 7, 9, 9], "total_charge": [0, 1, -1, 0, 1], "total_spin": [1, 2, 2, 2, 1]}
    )
    found = demo.differences_of(data, np.array([-10.0, 1.0, -9.0, -20.0, -5.0]))
    assert {name: gaps.tolist() for name, gaps in found.items()} == {
        "ionisation energy": [11.0, 15.0],
        "electron affinity": [-1.0],
    }


def test_the_demo_tells_errors_of_what_it_held_out() -> None:
    """Its section has a row and a plot for each difference, with the errors of the numbers that it is given."""
    wanted = {"ionisation energy": np.array([10.0, 12.0]), "singlet-triplet gap": np.array([3.0])}
    found = {"ionisation energy": np.array([10.5, 11.9]), "singlet-triplet gap": np.array([2.0])}
    _, table, *plots = demo.section(wanted, found).blocks
    assert table.cells("MAE") == pytest.approx((0.3, 1.0))
    assert table.cells("bias") == pytest.approx((0.2, -1.0))
    assert table.cells("geometries") == (2, 1)
    assert len(plots) == 2
