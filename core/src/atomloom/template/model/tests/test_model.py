"""What atomloom-NAME guarantees beside what `atomloom plugins check atomloom-NAME` looks at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from atomloom import Run
from atomloom.examples.morse import make
from atomloom.writers import write


def test_it_learns(tmp_path: Path) -> None:
    """Twenty epochs make the loss of frames that it has not seen a small part of what it was."""
    write(make(frames=100, seed=1), tmp_path / "molecules.npz")
    options = ["--data", "molecules.npz", "--name", "first", "--num-epochs", "20", "--batch-size", "8"]
    subprocess.run([sys.executable, "-m", "atomloom", "--quiet", "train", "NAME", *options], check=True, cwd=tmp_path)
    losses = Run.open(tmp_path / "runs" / "first").metrics()["valid/loss"]
    assert losses[-1] < 0.2 * losses[0]
