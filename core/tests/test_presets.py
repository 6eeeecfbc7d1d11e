"""Presets: what a model's author recommends for systems of some size, under what the user gives."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import atomloom.pipeline.job as job_module
from atomloom import ConfigError, Preset
from atomloom.cli.train import _command
from atomloom.examples.demo import as_strangers_write
from atomloom.examples.morse import make
from atomloom.experiment import Experiment, loads, resolved
from atomloom.pipeline import Job, fit, prepare
from atomloom.registry import registry

EXPERIMENT = """\
{top}
[[data.source]]
path = "molecules.npz"
reader = "npz"
unit = {{ E = "kcal/mol", R = "angstrom", F = "kcal/mol/angstrom" }}
[model]
name = "ridge"
{rest}
"""
PRESETS = {
    "small": Preset(below=5, model={"ridge": 1e-3}, batching={"batch_size": 7}),
    "large": Preset(training={"num_epochs": 3}, batching={"atoms": 64}),
}


@pytest.fixture(autouse=True)
def _ridge_has_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    contribution = registry().get("models", "ridge")
    monkeypatch.setitem(contribution.spec.__dict__, "presets", PRESETS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with molecules, the longest of nine atoms."""
    np.savez(tmp_path / "molecules.npz", **as_strangers_write(make(60, seed=7)))  # type: ignore[arg-type]
    return tmp_path


def experiment(top: str, rest: str = "") -> Experiment:
    """The experiment with some more text at its top and at its end."""
    return loads(EXPERIMENT.format(top=top, rest=rest))


def prepared(folder: Path, top: str, rest: str = "") -> Job:
    """The job of it."""
    return prepare(resolved(experiment(top, rest), folder))


def options(job: Job) -> tuple[Any, Any, int | None, int | None]:
    """What the presets above set."""
    batching = job.experiment.batching
    return job.config.ridge, job.training.num_epochs, batching.batch_size, batching.atoms  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("top", "rest", "expected"),
    [
        ("", "", (1e-8, 100, 32, None)),
        ('preset = "small"', "", (1e-3, 100, 7, None)),
        ('preset = "large"', "", (1e-8, 3, None, 64)),
        ('preset = "auto"', "", (1e-8, 3, None, 64)),
        ('preset = "small"', "ridge = 1e-8", (1e-8, 100, 7, None)),
        ('preset = "large"', "[training]\nnum_epochs = 100", (1e-8, 100, None, 64)),
        ('preset = "large"', "[batching]\nbatch_size = 5", (1e-8, 3, 5, None)),
        ('preset = "small"', "[batching]\natoms = 80", (1e-3, 100, None, 80)),
    ],
)
def test_what_the_user_gives_wins(folder: Path, top: str, rest: str, expected: tuple[Any, ...]) -> None:
    """A preset sets what the experiment does not, also where that is the default or excludes what the preset has."""
    assert options(prepared(folder, top, rest)) == expected


def test_auto_goes_by_the_longest_frame_and_says_so(folder: Path) -> None:
    """What was chosen, why and what it sets is told."""
    job = prepared(folder, 'preset = "auto"')
    assert job.preset is not None
    assert job.preset.reason == f"the longest frame has {job.schema.atoms} atoms"
    assert (job.preset.name, job.preset.told) == ("large", "training.num_epochs = 3, batching.atoms = 64")


def test_a_run_holds_the_values_and_not_the_preset(folder: Path) -> None:
    """The config of a run gives the same without the preset, which may change; provenance says which it was."""
    run, _ = fit(prepared(folder, 'preset = "large"'), folder / "run")
    config = tomllib.loads(run.files.config.read_text())
    assert "preset" not in config
    assert config["batching"]["atoms"] == 64
    assert run.provenance["preset"] == "large"
    assert options(prepare(loads(run.files.config.read_text()))) == (1e-8, 3, None, 64)


def test_an_unknown_preset_is_answered_with_the_known_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any data is read."""
    monkeypatch.setattr(job_module, "load_data", None)
    with pytest.raises(ConfigError) as caught:
        prepared(folder, 'preset = "smal"')
    todo = 'The model \'ridge\' has "small", "large", "auto"; the nearest is "small"'
    assert str(caught.value) == f'Cannot use the preset: --preset is "smal". {todo}.'


def test_a_model_without_presets_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not silently without effect."""
    monkeypatch.setitem(registry().get("models", "ridge").spec.__dict__, "presets", {})
    with pytest.raises(ConfigError, match="The model 'ridge' has no presets; leave it out"):
        prepared(folder, 'preset = "auto"')


def test_help_tells_what_they_set() -> None:
    """The help of a model ends with its presets."""
    text = " ".join(CliRunner().invoke(_command("ridge"), ["--help"]).output.split())
    assert "--preset small|large|auto" in text
    assert "small under 5 atoms: model.ridge = 0.001, batching.batch_size = 7" in text


def test_flags_win_over_the_preset(folder: Path) -> None:
    """`atomloom train MODEL --preset` sets what no flag does."""
    data = ["--data", str(folder / "molecules.npz"), "--unit", "E=kcal/mol", "--unit", "R=angstrom"]
    flags = ["--preset", "large", "--num-epochs", "2", "--runs", str(folder / "runs"), "--name", "one"]
    result = CliRunner().invoke(_command("ridge"), [*data, *flags])
    assert result.exit_code == 0, result.output
    config = tomllib.loads((folder / "runs" / "one" / "config.toml").read_text())
    assert (config["training"]["num_epochs"], config["batching"]["atoms"]) == (2, 64)
