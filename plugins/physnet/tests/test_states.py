"""Differences between states: their definitions, which states are compared, relaxing, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from atomloom import DataError, Dataset
from atomloom.ensemble import Calibration, Ensemble, Scale
from atomloom.writers import write
from atomloom_physnet.cli import physnet
from atomloom_physnet.gaps import Structure, differences, gaps, possible

Make = Callable[..., Any]

ENERGIES = {(0, 1): -10.0, (0, 3): -6.5, (1, 2): 2.0, (1, 4): 9.0, (-1, 2): -8.0}
SCALE = Scale(factor=2.0, dof=1, values=100)
WATER = Structure(np.array([8, 1, 1]), np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]]))


def test_differences_are_signed_as_defined() -> None:
    """It takes energy to remove an electron, an affinity is above zero where the anion is lower, a gap points up."""
    assert gaps(ENERGIES, 0) == {"ionisation energy": 12.0, "electron affinity": -2.0, "singlet-triplet gap": 3.5}
    assert gaps(ENERGIES, -1) == {"ionisation energy": -2.0}
    assert gaps({(0, 3): 1.0, (0, 1): 3.0}, 0) == {"singlet-triplet gap": -2.0}


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        (0, [(-1, 2), (-1, 4), (0, 1), (0, 3), (0, 5), (1, 2), (1, 4)]),
        (2, [(1, 2), (1, 4), (2, 1), (2, 3), (2, 5)]),
    ],
)
def test_states_have_the_parity_of_the_electrons(charge: int, expected: list[Any], fitted: Make) -> None:
    """Ions of a closed shell are doublets and quartets, and no charge is beyond what the model knows."""
    assert possible(fitted(), WATER, charge) == expected


def test_a_charge_that_the_model_does_not_know_is_refused(fitted: Make) -> None:
    """With what it knows."""
    with pytest.raises(DataError, match="there are 7 electrons, and the model was trained on charges -2, -1, 0, 1, 2"):
        possible(fitted(), WATER, 3)


def test_an_ensemble_says_what_its_members_say(fitted: Make) -> None:
    """One number for each member, the same as from the member alone; two different ones differ."""
    members = [fitted(), fitted(conditioning="embedding", charge_embed_dim=4, spin_embed_dim=4)]
    both = differences(members, WATER, 0)
    for number, member in enumerate(members):
        alone = differences([member], WATER, 0)
        assert {name: values[0] for name, values in alone.gaps.items()} == pytest.approx(
            {name: values[number] for name, values in both.gaps.items()}
        )
    assert both.gaps["ionisation energy"].std() > 1e-3
    assert min(values[0] for values in both.energies.values()) == 0.0


def test_relaxed_states_are_lower(fitted: Make) -> None:
    """Each state goes downhill from the shared geometry."""
    pytest.importorskip("ase", reason="relaxing needs ase")
    from atomloom_physnet.gaps import vertical
    from atomloom_physnet.relaxing import adiabatic

    model, states = fitted(), [(0, 1), (1, 2)]
    assert (adiabatic(model, WATER, states) < vertical(model, WATER, states)).all()


@pytest.fixture
def structure(tmp_path: Path) -> str:
    """A file with one molecule that says its charge and a second that is an ion."""
    arrays = {"Z": [WATER.numbers] * 2, "R": [WATER.positions] * 2, "total_charge": [0.0, 1.0]}
    write(Dataset.from_arrays(arrays), tmp_path / "water.npz")
    return str(tmp_path / "water.npz")


@pytest.fixture
def asked(fitted: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Calls the command with runs that are models of random parameters."""
    models: dict[str, Any] = {
        "one": fitted(),
        "two": fitted(conditioning="embedding", charge_embed_dim=4, spin_embed_dim=4),
    }
    monkeypatch.setattr("atomloom.runs.history.find", lambda name, root: type("Found", (), {"path": name}))
    monkeypatch.setattr("atomloom.runs.Run.open", lambda name: name)
    models["both"] = Ensemble(tuple(models.values()), Calibration({"E": SCALE}))
    monkeypatch.setattr("atomloom.ensemble.loaded", models.__getitem__)
    return lambda *arguments: CliRunner().invoke(physnet, ["states", *arguments])


def test_the_command_prints_means_and_spreads(asked: Any, structure: str) -> None:
    """As JSON: of all states, and of the differences."""
    result = asked(structure, "--run", "one", "--run", "two", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert (found["charge"], found["unit"], found["adiabatic"]) == (0, "eV", False)
    assert set(found["differences"]) == {"ionisation energy", "electron affinity", "singlet-triplet gap"}
    assert all(each["spread"] > 0 for each in found["differences"].values())


def test_a_calibrated_ensemble_has_an_uncertainty(asked: Any, structure: str) -> None:
    """Which is the spread of its members by what its energies were calibrated with."""
    raw = json.loads(asked(structure, "--run", "one", "--run", "two", "--json").output)["differences"]
    found = json.loads(asked(structure, "--run", "both", "--json").output)["differences"]
    for name, each in found.items():
        assert each["mean"] == pytest.approx(raw[name]["mean"])
        assert each["uncertainty"] == pytest.approx(SCALE.width * raw[name]["spread"])
    assert "uncertainty (eV)" in asked(structure, "--run", "both").output


def test_one_run_has_no_spread(asked: Any, structure: str) -> None:
    """As a table, of the frame that was asked for."""
    result = asked(structure, "--run", "one", "--frame", "1")
    assert "+1 doublet" in result.output
    assert "vertical ionisation energy" in result.output
    assert "–" in result.output


def test_a_structure_that_does_not_say_its_charge_needs_the_option(asked: Any, tmp_path: Path) -> None:
    """No molecule is neutral by default."""
    write(Dataset.from_arrays({"Z": [WATER.numbers], "R": [WATER.positions]}), tmp_path / "bare.npz")
    bare = str(tmp_path / "bare.npz")
    with pytest.raises(DataError, match=r"Give it with --charge, such as --charge 0"):
        raise asked(bare, "--run", "one").exception
    assert asked(bare, "--run", "one", "--charge", "0").exit_code == 0
