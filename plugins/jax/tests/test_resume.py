"""Runs from the command line: killed ones go on to the bit, and any number of devices gives the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Run
from atomloom.examples.morse import make
from atomloom.writers import write

EXPERIMENT = """\
[[data.source]]
path = "molecules.npz"
reader = "npz"
[data.split]
train = 0.8
valid = 0.2
[batching]
batch_size = 8
[model]
name = "pair-potential"
functions = 6
[training]
num_epochs = {epochs}
warmup_epochs = 2
gradient_accumulation_steps = 2
lr_schedule_type = "{schedule}"
"""
COMMAND = [sys.executable, "-m", "atomloom", "--quiet"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data and an experiment of many short epochs."""
    write(make(frames=160, seed=2), tmp_path / "molecules.npz")
    return tmp_path


def experiment(folder: Path, epochs: int = 40, schedule: str = "cosine") -> None:
    """Write the experiment."""
    (folder / "exp.toml").write_text(EXPERIMENT.format(epochs=epochs, schedule=schedule))


def atomloom(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    told = {**os.environ, **environment}
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, env=told)


def epochs_written(run: Path) -> int:
    """Lines of metrics so far."""
    path = run / "metrics.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def killed_in(folder: Path, run: str, command: list[str], later: float = 0.0, *, saved: bool = False) -> None:
    """Start a command and kill it some seconds after it has written another epoch, and saved one if that is wanted."""
    before, latest = epochs_written(folder / run), folder / run / "checkpoints" / "latest.safetensors"
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while (epochs_written(folder / run) <= before or (saved and not latest.exists())) and process.poll() is None:
        time.sleep(0.005)
    time.sleep(later)
    process.send_signal(signal.SIGKILL)
    process.wait()


def same_runs(one: Path, other: Path) -> None:
    """Every parameter and every metric of two runs is the same to the bit."""
    first, second = (Run.open(path) for path in (one, other))
    for which in ("latest", "best"):
        a, b = getattr(first, which)(), getattr(second, which)()
        assert (a.epoch, a.score, a.extra) == (b.epoch, b.score, b.extra)
        assert a.leaves.keys() == b.leaves.keys()
        assert all(np.array_equal(a.leaves[name], b.leaves[name]) for name in a.leaves)
    lines = [[json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()] for path in (one, other)]
    assert [_values(line) for line in lines[0]] == [_values(line) for line in lines[1]]


def _values(line: dict[str, Any]) -> dict[str, Any]:
    """A line of metrics without the time that it was written at."""
    return {name: value for name, value in line.items() if "/" in name or name == "epoch"}


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_killed_run_goes_on_to_the_bit(folder: Path, schedule: str) -> None:
    """SIGKILL at a random moment, twice: resumed, every parameter and metric is that of an undisturbed run."""
    experiment(folder, schedule=schedule)
    assert atomloom(folder, "run", "exp.toml", "--name", "whole").returncode == 0
    draw = random.Random(schedule)
    command = [*COMMAND, "run", "exp.toml", "--name", "killed"]
    for _ in range(2):
        killed_in(folder, "runs/killed", command, draw.random() * 0.2)
        command = [*COMMAND, "resume", "runs/killed"]
    done = atomloom(folder, "resume", "runs/killed")
    assert done.returncode == 0, done.stderr
    same_runs(folder / "runs" / "whole", folder / "runs" / "killed")


def test_four_devices_give_the_losses_of_one(folder: Path) -> None:
    """The same loss curve to 1e-5 on one device and on four virtual ones."""
    experiment(folder, epochs=5)
    assert atomloom(folder, "run", "exp.toml", "--name", "one").returncode == 0
    four = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    done = atomloom(folder, "run", "exp.toml", "--name", "four", "--set", "training.precision=float64", **four)
    again = atomloom(folder, "run", "exp.toml", "--name", "single", "--set", "training.precision=float64")
    assert done.returncode == again.returncode == 0, done.stderr
    curves = [Run.open(folder / "runs" / name).metrics() for name in ("four", "single", "one")]
    for name in ("train/loss", "valid/loss"):
        np.testing.assert_allclose(curves[0][name], curves[1][name], rtol=1e-5)
        np.testing.assert_allclose(curves[0][name], curves[2][name], rtol=1e-2)


def test_predictions_of_a_run_are_what_it_was_judged_by(folder: Path) -> None:
    """`atomloom predict` on the data gives energies near the labels, with their offsets put back."""
    experiment(folder, epochs=10)
    assert atomloom(folder, "run", "exp.toml").returncode == 0
    done = atomloom(folder, "predict", "runs/exp", "--data", "molecules.npz", "--out", "out.npz")
    assert done.returncode == 0, done.stderr
    found, known = np.load(folder / "out.npz"), np.load(folder / "molecules.npz")
    assert np.abs(found["E"] - known["E"]).mean() < 0.1 * known["E"].std()


def test_a_run_on_other_data_is_not_resumed(folder: Path) -> None:
    """Other data under the same name are refused before anything is compiled."""
    experiment(folder, epochs=1000)
    killed_in(folder, "runs/exp", [*COMMAND, "run", "exp.toml"])
    write(make(frames=160, seed=9), folder / "molecules.npz", overwrite=True)
    done = atomloom(folder, "resume", "runs/exp")
    assert done.returncode == 2
    assert "is not the file that it was fitted to" in done.stderr


def test_a_run_of_another_model_is_not_resumed(folder: Path) -> None:
    """An option that no array shows, changed in the run's own experiment, is refused by name."""
    experiment(folder, epochs=1000)
    killed_in(folder, "runs/exp", [*COMMAND, "run", "exp.toml"], saved=True)
    config = folder / "runs" / "exp" / "config.toml"
    assert "cutoff = 5.0" in config.read_text()
    config.write_text(config.read_text().replace("cutoff = 5.0", "cutoff = 4.0"))
    done = atomloom(folder, "resume", "runs/exp")
    assert done.returncode == 2
    assert "of its model, the option cutoff was 5.0 and is 4.0" in done.stderr
