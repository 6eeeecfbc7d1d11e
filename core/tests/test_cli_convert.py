"""What `atomloom convert` says of where its frames are from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from atomloom import Dataset
from atomloom.cli.convert import convert
from atomloom.pipeline import load_paths
from atomloom.readers import read
from atomloom.runs import fingerprint
from atomloom.writers import write

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


def labelled(path: str, level: str) -> str:
    """A file that says its level of theory."""
    frames = Dataset.from_arrays({"Z": np.ones((3, 2), dtype=int), "R": np.arange(18.0).reshape(3, 2, 3)})
    write(frames.with_meta(level_of_theory=level), path)
    return path


def test_different_levels_of_theory_are_not_lost() -> None:
    """Joined sources keep a common one; of several the report warns, and the joined data say which source has which."""
    one, other = labelled("deep/c.npz", "B3LYP"), labelled("deep/d.npz", "PBE")
    same = load_paths([one, one])
    assert same.dataset.meta["level_of_theory"] == "B3LYP"
    assert not same.report.warnings
    mixed = load_paths([one, other])
    assert mixed.dataset.meta["levels_of_theory"] == {"c.npz": "B3LYP", "d.npz": "PBE"}
    assert "level_of_theory" not in mixed.dataset.meta
    (told,) = mixed.report.warnings
    assert told.note == "the sources are at different levels of theory: c.npz at B3LYP, d.npz at PBE"
