"""What the cross-plugin tests share: the wheels under test, and environments that hold nothing yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Environment:
    """A virtual environment without even pip; that of the running tests works on it."""

    folder: Path
    dist: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def installed(self) -> dict[str, Distribution]:
        """Its distributions by name, lower case."""
        site = next(self.folder.glob("lib/python*/site-packages"))
        return {found.name.lower(): found for found in distributions(path=[str(site)])}

    def install(self, *arguments: str) -> str:
        """Run pip install with the versions of the workspace and with its wheels; what it wrote to stdout."""
        command = [sys.executable, "-m", "pip", "-qq", "--python", str(self.python), "install"]
        ours = ["--find-links", str(self.dist), "--constraint", str(self.dist / "constraints.txt")]
        done = subprocess.run([*command, *ours, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def would_install(self, *requirements: str) -> dict[str, dict[str, Any]]:
        """The core metadata of what pip would install, by name, lower case."""
        report = json.loads(self.install("--dry-run", "--report", "-", *requirements))
        return {item["metadata"]["name"].lower(): item["metadata"] for item in report["install"]}


@pytest.fixture(scope="session")
def dist() -> Path:
    """The folder of wheels under test, which `nox -s wheels` fills."""
    folder = os.environ.get("ATOMLOOM_DIST")
    if not folder:
        pytest.skip("ATOMLOOM_DIST names no folder of wheels: run `nox -s together`")
    return Path(folder)


@pytest.fixture
def empty_environment(dist: Path, tmp_path: Path) -> Callable[[], Environment]:
    """Makes environments with nothing installed."""

    def make() -> Environment:
        folder = tmp_path / f"environment-{len(list(tmp_path.iterdir()))}"
        venv.create(folder, with_pip=False, symlinks=True)
        return Environment(folder, dist)

    return make
