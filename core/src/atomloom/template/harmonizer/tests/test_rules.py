"""What atomloom-NAME guarantees."""

from __future__ import annotations

import atomloom
import numpy as np
import pytest
from atomloom.data import PerFrame
from atomloom.data.schema import declared
from atomloom_NAME.rules import example


def test_energies_are_those_of_all_atoms() -> None:
    """Harmonising finds the rule, and its report says what it did."""
    dataset, report = atomloom.harmonize(example(), {"unit": {"R": "angstrom", "energy_per_atom": "eV"}})
    assert dataset["E"].tolist() == pytest.approx([-31.7, -2079.0])
    assert [finding.source for finding in report.about("E") if finding.rule == "per atom"] == ["energy_per_atom"]


def test_units_go_with_the_values() -> None:
    """An energy per atom in hartree makes an energy in hartree, which core converts."""
    dataset, _ = atomloom.harmonize(example(), {"unit": {"R": "angstrom", "energy_per_atom": "hartree"}})
    assert dataset["E"].tolist() == pytest.approx([-31.7 * 27.211386, -2079.0 * 27.211386], rel=1e-6)


def test_an_energy_that_is_there_is_kept() -> None:
    """Nothing that a data set holds is made anew."""
    given = example().with_columns({"E": PerFrame(np.array([1.0, 2.0]))}, {"E": declared("E")})
    units = {"R": "angstrom", "E": "eV", "energy_per_atom": "eV"}
    assert atomloom.harmonize(given, {"unit": units})[0]["E"].tolist() == [1.0, 2.0]
