"""What `atomloom convert` says of where its frames are from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from atomloom.cli.convert import convert
from atomloom.readers import read
from atomloom.runs import fingerprint

UNITS = ["--unit", "R=angstrom"]


@pytest.fixture(autouse=True)
def _sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files of the same fields in a folder of their own, and the folder above as the current one."""
    (tmp_path / "deep").mkdir()
    for number, name in enumerate("ab"):
        positions = np.random.default_rng(number).normal(size=(3, 2, 3))
        np.savez(tmp_path / "deep" / f"{name}.npz", Z=np.array([1, 8]), R=positions)
    monkeypatch.chdir(tmp_path)


def converted(*arguments: str) -> None:
    """Run the command."""
    done = CliRunner().invoke(convert, [*arguments, "--overwrite", *UNITS], catch_exceptions=False)
    assert done.exit_code == 0


def test_the_files_that_the_frames_are_from_are_recorded() -> None:
    """Their names without folders, sizes and hashes, in order; the same bytes again and from another folder."""
    converted("deep/a.npz", "deep/b.npz", "both.npz")
    found = {f"{name}.npz": fingerprint(f"deep/{name}.npz") for name in "ab"}
    expected = [{"name": name, "bytes": each["bytes"], "hash": each["hash"]} for name, each in found.items()]
    assert read("both.npz").meta["converted_from"] == expected
    first = Path("both.npz").read_bytes()
    Path("deep").rename("elsewhere")
    converted("elsewhere/a.npz", "elsewhere/b.npz", "both.npz")
    assert read("both.npz").meta["converted_from"] == expected
    assert Path("both.npz").read_bytes() == first


def test_converting_again_records_the_newest_source() -> None:
    """And no longer the one before it."""
    converted("deep/a.npz", "once.npz")
    converted("once.npz", "twice.npz", "--take", "0:2")
    assert [each["name"] for each in read("twice.npz").meta["converted_from"]] == ["once.npz"]
