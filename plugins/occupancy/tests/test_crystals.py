"""Deposited crystals: scaled without refinement, and refined."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from atomloom_occupancy.displacement import displaced
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.refining import How, fit, prepare, refine
from atomloom_occupancy.refining_b import refine_with_b
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.structure import load_structure

SHARED = Path(os.environ.get("ATOMLOOM_SHARED_DATA", "../shared/data")) / "xtal"
needed = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the shared crystals are not at {SHARED}")


@needed
@pytest.mark.parametrize(
    ("model", "data", "work", "free"),
    [
        ("4HG7/4hg7.pdb", "4HG7/4hg7-sf.cif", 0.1772, 0.2143),
        ("7RIN/7rin.pdb", "7RIN/7rin_phases.mtz", 0.1332, 0.1509),
    ],
)
def test_deposited_models(model: str, data: str, work: float, free: float) -> None:
    """R of deposited models is within 0.003 of what cctbx makes of them."""
    structure, observed = load_structure(SHARED / model), load_reflections(SHARED / data)
    network = type(find_network(structure))((), ())
    found = fit(prepare(structure, observed, network, How()), np.zeros(0), How())
    assert found.r_factor(observed, observed.work) == pytest.approx(work, abs=0.003)
    assert found.r_factor(observed, observed.free) == pytest.approx(free, abs=0.003)


@needed
def test_starts_do_not_matter() -> None:
    """The peptide 6MW0 comes to one answer from 0.1, 0.5 and 0.9, better than the deposited one."""
    structure, data = load_structure(SHARED / "6MW0/6mw0.cif"), load_reflections(SHARED / "6MW0/6mw0-sf.cif.gz")
    network, how = find_network(structure), How()
    crystal = prepare(structure, data, network, how)
    found = [refine(crystal, network, how, np.full(len(network.states), start)) for start in (0.1, 0.5, 0.9)]
    assert np.ptp([each.after.occupancy for each in found], axis=0).max() < 1e-5
    assert found[0].after.negative_log_likelihood < found[0].before.negative_log_likelihood


@needed
@pytest.mark.parametrize("kind", ["iso", "aniso"])
def test_group_b_settles(kind: str) -> None:
    """Where scales follow displacements slowly, and where a U comes to its bound, the refinement still ends."""
    structure, data = load_structure(SHARED / "6MW0/6mw0.cif"), load_reflections(SHARED / "6MW0/6mw0-sf.cif.gz")
    network, how = find_network(structure), How()
    crystal = prepare(structure, data, network, how)
    found, change = refine_with_b(structure, crystal, network, how, kind)
    assert found.cycles < 60
    assert found.after.negative_log_likelihood < found.before.negative_log_likelihood
    for cra in displaced(structure, network, change)[0].all():
        if cra.atom.aniso.nonzero():
            assert np.linalg.eigvalsh(np.array(cra.atom.aniso.as_mat33().tolist())).min() > 0
