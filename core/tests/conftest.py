"""What all tests of core share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from atomloom.registry import use

# Machines that run many jobs at once make single examples slow now and then.
settings.register_profile("atomloom", deadline=None)
settings.load_profile("atomloom")

DEFAULT = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets that ATOMLOOM_SHARED_DATA names; a test that wants it skips without it."""
    folder = Path(os.environ.get("ATOMLOOM_SHARED_DATA", DEFAULT))
    if not folder.is_dir():
        pytest.skip(f"needs real data sets, and there is no folder '{folder}' (ATOMLOOM_SHARED_DATA names another)")
    return folder


WRONG = Path(__file__).parent / "wrong"
"""A folder with the package `loomwrong`, whose modules are plugins in which something is wrong."""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Makes modules of `loomwrong` look like installed plugins, here and in child processes."""

    def make(*modules: str) -> None:
        for module in modules:
            metadata = tmp_path / "site" / f"loomwrong_{module}-1.0.dist-info"
            metadata.mkdir(parents=True)
            (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: loomwrong-{module}\nVersion: 1.0\n")
            (metadata / "entry_points.txt").write_text(f"[atomloom]\n{module} = loomwrong.{module}\n")
        for folder in (WRONG, tmp_path / "site"):
            monkeypatch.syspath_prepend(str(folder))
        path = os.pathsep.join([str(WRONG), str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
        monkeypatch.setenv("PYTHONPATH", path.rstrip(os.pathsep))
        use(None)

    yield make
    use(None)
