"""A potential that leaves atomloom: as a pure function, and as a file that needs JAX alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

from atomloom import ConfigError, DataError
from atomloom_physnet.cli import physnet
from atomloom_physnet.energy import energy_fn, reference
from atomloom_physnet.exporting import exported
from atomloom_physnet.neighbours import Geometry, Neighbours

Make = Callable[..., Any]

NUMBERS, POSITIONS = np.array([8, 1, 1]), np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
WITHOUT = "import sys; sys.modules.update(dict.fromkeys(('atomloom', 'atomloom_jax', 'atomloom_physnet', 'flax')));"


@pytest.fixture
def wanted(fitted: Make, padded: Make, predicted: Make) -> Any:
    """What the model itself predicts for the cation of water."""
    frame = {"Z": NUMBERS, "R": POSITIONS, "total_charge": 1.0, "total_spin": 2}
    return predicted(fitted().state, padded([frame]))


def test_a_pure_function_has_the_energy_and_its_gradient_the_forces(fitted: Make, wanted: Any) -> None:
    """Compiled and differentiated by whoever brings the integrator, on lists of neighbours of any length."""
    energy = energy_fn(fitted(), NUMBERS, charge=1, spin=2)
    near = Neighbours(np.inf, 0.0).arrays(Geometry(NUMBERS, POSITIONS, np.eye(3), np.zeros(3, bool)))
    value, slope = jax.jit(jax.value_and_grad(energy))(jnp.asarray(POSITIONS), near)
    assert float(value) == pytest.approx(wanted["E"][0], abs=1e-9)
    np.testing.assert_allclose(-slope, wanted["F"], atol=1e-9)
    assert reference(fitted(), NUMBERS) == pytest.approx(-2026.0)


def test_a_pure_function_is_of_a_state_that_there_is(fitted: Make) -> None:
    """Refused when it is made, since nothing can be asked while it is traced."""
    with pytest.raises(DataError, match="has 9 electrons and multiplicity 1"):
        energy_fn(fitted(), NUMBERS, charge=1, spin=1)


@pytest.mark.skipif(find_spec("flatbuffers") is None, reason="jax.export needs flatbuffers to write a file")
def test_an_exported_potential_runs_without_atomloom(fitted: Make, wanted: Any, tmp_path: Path) -> None:
    """By its own script, in a process that has none of these packages: the same numbers for the same state."""
    target = exported(fitted(), tmp_path / "water.zip", about={"run": "first"}, licence="CC0")
    with ZipFile(target) as archive:
        assert set(archive.namelist()) == {"function.bin", "card.json", "LICENSE", "use.py"}
        assert json.loads(archive.read("card.json"))["run"] == "first"
        script = archive.read("use.py").decode()
    given = {"numbers": NUMBERS.tolist(), "positions": POSITIONS.tolist(), "charge": 1, "spin": 2}
    command = [sys.executable, "-c", WITHOUT + f"exec({script!r})", str(target)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["energy"][0] == pytest.approx(wanted["E"][0], abs=1e-9)
    assert found["references"] == pytest.approx(-2026.0)
    np.testing.assert_allclose(found["forces"], wanted["F"], atol=1e-9)
    np.testing.assert_allclose(found["charges"], wanted["mono"], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "licence", "found"),
    [("a.zip", " ", "nothing says under which licence"), ("a.onnx", "CC0", "its suffix is '.onnx'")],
)
def test_what_cannot_be_exported_is_refused(name: str, licence: str, found: str, fitted: Make, tmp_path: Path) -> None:
    """With the reason, and nothing is left behind."""
    with pytest.raises(ConfigError, match=found):
        exported(fitted(), tmp_path / name, about={}, licence=licence)
    assert not list(tmp_path.iterdir())


def test_the_command_does_not_overwrite(tmp_path: Path) -> None:
    """Nor does it write without a licence."""
    (tmp_path / "a.zip").write_text("mine")
    for out, found in (("a.zip", "it exists"), ("b.zip", "there is no such file")):
        command = ["export", "first", "--out", str(tmp_path / out), "--licence", str(tmp_path / "none")]
        with pytest.raises(ConfigError, match=found):
            raise CliRunner().invoke(physnet, command).exception  # type: ignore[misc]
    assert (tmp_path / "a.zip").read_text() == "mine"


def test_models_of_other_kinds_are_not_exported(fitted: Make, tmp_path: Path) -> None:
    """Only this package knows how its models are called."""
    other = replace(fitted(), state={"weights": np.zeros(3)})
    with pytest.raises(ConfigError, match=r"is no model of atomloom-physnet\. Name a run of"):
        exported(other, tmp_path / "a.zip", about={}, licence="CC0")
