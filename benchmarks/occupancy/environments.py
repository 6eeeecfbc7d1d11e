"""Environments of peers that clash with each other and with us, and processes in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".nox"
ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TORCHREF_NUM_THREADS")
}

OURS = "atomloom"


class Unavailable(Exception):
    """A peer that cannot be installed or does not run; the text says why."""


def python_of(program: str) -> Path:
    """The Python that has a program: this one, or one of an environment that is made from its requirements."""
    if program == OURS:
        return Path(sys.executable)
    requirements = HERE / f"requirements_{program}.txt"
    folder = ENVIRONMENTS / f"bench-occupancy-{program}"
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        venv.create(folder, clear=True, with_pip=True)
        command = [str(python), "-m", "pip", "install", "-q", "-r", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"{program} cannot be installed: {_last_line(done.stderr)}")
        stamp.write_text(requirements.read_text())
    return python


def ask(program: str, verb: str, task: dict[str, Any], folder: Path, name: str) -> dict[str, Any]:
    """What a program answers to a task, in a process of its own with one thread.

    Args:
        program: whose script is peers/with_PROGRAM.py.
        verb: what it shall do.
        task: for it.
        folder: where task and result lie as NAME.task.json and NAME.json.
        name: of this task.
    """
    python = python_of(program)
    given, result = folder / f"{name}.task.json", folder / f"{name}.json"
    given.write_text(json.dumps(task))
    command = [str(python), str(HERE / "peers" / f"with_{program}.py"), verb, str(given), str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **ONE_THREAD})
    if done.returncode:
        raise Unavailable(f"{program} failed: {_last_line(done.stderr)}")
    answer: dict[str, Any] = json.loads(result.read_text())
    return answer


def _last_line(text: str) -> str:
    return next(iter(reversed(text.strip().splitlines())), "it said nothing")
