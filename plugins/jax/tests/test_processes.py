"""Several processes on one machine: they train as one, and end together when one of them dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from atomloom import Run
from atomloom.examples.morse import make
from atomloom.writers import write
from atomloom_jax.launching import free_port, told

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
functions = 4
[training]
num_epochs = {epochs}
gradient_accumulation_steps = 2
precision = "float64"
"""
ATOMLOOM = [sys.executable, "-m", "atomloom", "--quiet"]
MEMBER = [sys.executable, str(Path(__file__).with_name("member.py"))]
PATIENCE = 60.0
"""Seconds in which the other processes have to end."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data and an experiment of one epoch."""
    write(make(frames=120, seed=2), tmp_path / "molecules.npz")
    (tmp_path / "exp.toml").write_text(EXPERIMENT.format(epochs=1))
    return tmp_path


def test_two_processes_train_as_one(folder: Path) -> None:
    """Each reads its own frames, all of them together once, and both end with the parameters of one process."""
    address = f"127.0.0.1:{free_port()}"
    members = [subprocess.Popen([*MEMBER, address, str(process)], cwd=folder) for process in range(2)]
    assert [member.wait(300) for member in members] == [0, 0]
    subprocess.run([*ATOMLOOM, "run", "exp.toml", "--name", "one"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    first, second = (np.load(folder / f"member{process}.npz") for process in range(2))
    frames = np.concatenate([first["frames read"], second["frames read"]])
    assert len(first["frames read"]) > 0 < len(second["frames read"])
    assert sorted(frames.tolist()) == list(range(96))
    alone, kept = (Run.open(folder / "runs" / name) for name in ("one", "two"))
    expected, written = alone.latest(), kept.latest()
    assert expected is not None
    assert written is not None
    for name, leaf in expected.leaves.items():
        np.testing.assert_array_equal(first[name], second[name])
        np.testing.assert_array_equal(first[name], written.leaves[name])
        np.testing.assert_allclose(first[name], leaf, rtol=1e-5, atol=1e-9)
    for name in ("train/loss", "valid/loss", "valid/F/mae"):
        np.testing.assert_allclose(kept.metrics()[name], alone.metrics()[name], rtol=1e-5)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="which processes a launcher has is read from /proc")
def test_a_killed_process_ends_the_others_and_the_run_goes_on(folder: Path) -> None:
    """SIGKILL of the second: the first fails within a minute, the launcher says why, and one process ends the run."""
    (folder / "exp.toml").write_text(EXPERIMENT.format(epochs=60).replace("float64", "float32"))
    command = [*ATOMLOOM, "jax", "launch", "-n", "2", "--", "run", "exp.toml"]
    launcher = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    run = folder / "runs" / "exp"
    while not (run / "checkpoints" / "latest.safetensors").exists():
        assert launcher.poll() is None, "it should fit for longer"
        time.sleep(0.01)
    os.kill(children(launcher.pid)[1], signal.SIGKILL)
    _, said = launcher.communicate(timeout=PATIENCE)
    assert launcher.returncode == 128 + signal.SIGKILL
    assert told(1, -signal.SIGKILL, "runs/exp") in said
    assert Run.open(run).status in {"failed", "interrupted"}  # by its own error, or ended by JAX before it had one
    subprocess.run([*ATOMLOOM, "resume", "runs/exp"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    assert (Run.open(run).status, Run.open(run).epochs_done) == ("finished", 60)


def children(process: int) -> list[int]:
    """The processes that a process has started, in their order."""
    listed = Path(f"/proc/{process}/task").glob("*/children")
    return sorted(int(child) for path in listed for child in path.read_text().split())


@pytest.mark.parametrize(
    ("code", "run", "text"),
    [
        (2, "", "Process 0 ended with exit status 2, and the others ended with it."),
        (-11, "runs/a b", "Process 0 was killed by SIGSEGV, and the others ended with it. "
         "`atomloom resume 'runs/a b'` goes on."),
    ],
)  # fmt: skip
def test_a_launcher_says_which_process_ended_how(code: int, run: str, text: str) -> None:
    """The status or the signal, and the command that goes on where there is a run."""
    assert told(0, code, run) == text
