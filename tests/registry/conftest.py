"""The fixture plugins, really installed, and the command line in processes that see some of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

FIXTURES = Path(__file__).parents[1] / "fixtures"


class Done(NamedTuple):
    """What a command printed and its exit code."""

    stdout: str
    stderr: str
    code: int


Atomloom = Callable[..., Done]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all fixture plugins in it, built and installed by pip."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    how = ["--no-deps", "--no-build-isolation", "--target", str(target)]
    projects = [str(file.parent) for file in sorted(FIXTURES.glob("*/pyproject.toml"))]
    done = subprocess.run([*pip, *how, *projects], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def atomloom(installed: Path, tmp_path: Path) -> Atomloom:
    """Runs ``atomloom`` in a process that sees the named fixture plugins beside what is installed."""

    def run(*arguments: str, plugins: tuple[str, ...], **environment: str) -> Done:
        site = tmp_path / "-".join(plugins)
        if not site.exists():
            select(installed, site, plugins)
        variables = {**os.environ, "PYTHONPATH": str(site), **environment}
        command = [sys.executable, "-m", "atomloom", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False, cwd=tmp_path)
        return Done(done.stdout, done.stderr, done.returncode)

    return run


def select(installed: Path, site: Path, plugins: tuple[str, ...]) -> None:
    """Make a folder with only some of the installed distributions, as if they had been installed there alone."""
    site.mkdir()
    for plugin in plugins:
        for path in (installed / f"loomfix_{plugin}", *installed.glob(f"loomfix_{plugin}-*.dist-info")):
            (site / path.name).symlink_to(path, target_is_directory=True)
