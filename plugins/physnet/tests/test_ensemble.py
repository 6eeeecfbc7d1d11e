"""An ensemble from the command line: killed and resumed, its uncertainties, and frames to label next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from atomloom import Dataset, Run
from atomloom.ensemble import Ensemble, loaded
from atomloom.pipeline import predict
from atomloom.readers import read
from atomloom.runs.history import summarize
from atomloom.writers import write
from atomloom_physnet.bundled import states

TRAIN = (
    *("train", "physnet", "--data", "states.npz", "--name", "both", "--ensemble", "2", "--num-epochs", "40"),
    *("--features", "8", "--layers", "1", "--basis-functions", "4", "--batch-size", "32"),
    *("--backbone", "physnet", "--conditioning", "embedding", "--no-coulomb", "--no-repulsion"),
    *("--charge-min", "-1", "--charge-max", "1", "--spin-max", "3"),
)


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A command as a shell would start it; what one compiles, the next finds."""
    command = [sys.executable, "-m", "atomloom", "--quiet", *arguments]
    kept = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled")}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True, env=kept)


def atomloom(folder: Path, *arguments: str) -> str:
    """What a command says that has to end well."""
    with started(folder, *arguments) as process:
        said, wrong = process.communicate(timeout=300)
    assert process.returncode == 0, wrong
    return said


def molecules() -> Dataset:
    """Triatomic molecules in several states, with energies and forces."""
    whole = states()
    return whole[np.flatnonzero(whole.sizes["atom"] == 3)[:96]].without("mono", "D")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with molecules, and an ensemble that was killed within its second member and resumed."""
    folder = tmp_path_factory.mktemp("ensemble")
    write(molecules(), folder / "states.npz")
    second = folder / "runs" / "both" / "member-2" / "metrics.jsonl"
    with started(folder, *TRAIN) as process:
        while process.poll() is None and not second.exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    first = (folder / "runs" / "both" / "member-1" / "checkpoints" / "latest.safetensors").stat()
    said = atomloom(folder, "resume", "both")
    assert "Uncertainty of F" in said
    again = (folder / "runs" / "both" / "member-1" / "checkpoints" / "latest.safetensors").stat()
    assert first.st_mtime_ns == again.st_mtime_ns  # of what was done nothing is done again
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """The ensemble."""
    return Run.open(folder / "runs" / "both")


def test_every_member_has_all_its_epochs(run: Run) -> None:
    """Also the one that was killed; what the data have a reference for is calibrated."""
    found = summarize(run.files)
    assert (found.status, found.members, found.epochs) == ("finished", 2, 80)
    ensemble = loaded(run)
    assert isinstance(ensemble, Ensemble)
    assert set(ensemble.calibration.scales) == {"E", "F"}
    assert all(scale.factor > 0 for scale in ensemble.calibration.scales.values())


def test_its_report_has_the_certificate(run: Run) -> None:
    """Of the first member, and says so."""
    told = (run.folder / "report" / "report.txt").read_text()
    assert "Certificate" in told
    assert "These numbers are of the first." in told
    assert "keeps 8 of the 8 promises" in told


def test_the_frames_to_label_next_are_the_least_certain(folder: Path, run: Run) -> None:
    """With their numbers in the pool and the uncertainty that they were chosen by."""
    told = json.loads(
        atomloom(folder, "select", "both", "--data", "states.npz", "--count", "5", "--out", "next.npz", "--json")
    )
    frames = [each["pool_frame"] for each in told["frames"]]
    pool, chosen = molecules(), read(folder / "next.npz")
    np.testing.assert_array_equal(chosen["pool_frame"], frames)
    np.testing.assert_array_equal(chosen["total_charge"], pool["total_charge"][frames])
    assert "E" not in chosen
    uncertain = predict(loaded(run), pool)["F_std"].reshape(len(pool), 3).max(axis=1)
    assert told["frames"][0]["score"] == pytest.approx(uncertain.max())
    assert uncertain.argmax() == frames[0]
    assert min(uncertain[frames]) >= np.sort(uncertain)[-5 - told["skipped"]] * (1 - 1e-6)
