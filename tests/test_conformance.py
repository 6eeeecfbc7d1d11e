"""Every distribution of this workspace keeps what it promises."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PROJECTS = (ROOT / "core" / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml")))
DISTRIBUTIONS = [tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"] for file in PROJECTS]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_conformance(distribution: str) -> None:
    """``atomloom plugins check`` finds nothing wrong, and checks that the contributions do something."""
    try:
        version(distribution)
    except PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed here: `nox -s together` installs all of them")
    command = [sys.executable, "-m", "atomloom", "plugins", "check", distribution, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    wrong = {f"{each['what']}, {each['check']}": each["said"] for each in told["checks"] if each["result"] == "failed"}
    assert wrong == {}
    assert done.returncode == 0
    assert told["passed"] > 10
