"""Many structures on Dask, in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from atomloom.errors import ConfigError
from atomloom_occupancy import examples
from atomloom_occupancy.demo import WRONG
from atomloom_occupancy.structure_list import Listed, read_list

PATIENCE = 240
"""Seconds that a busy machine may take."""


def command(folder: Path, *arguments: str) -> list[str]:
    """The command on the list in a folder."""
    listed = [str(folder / "list.csv"), "--out", str(folder / "out"), *arguments]
    return [sys.executable, "-m", "atomloom", "--quiet", "occupancy", "refine-all", *listed]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A list of four structures, the data of one of which are cut off."""
    whole = examples.mtz_file(tmp_path)
    (tmp_path / "cut.mtz").write_bytes(whole.read_bytes()[:3000])
    (tmp_path / "groups.toml").write_text(examples.GROUPS)
    examples.crystal(WRONG).write_pdb(str(tmp_path / "wrong.pdb"))
    lines = ["first,wrong.pdb,data.mtz,groups.toml", "broken,wrong.pdb,cut.mtz,", "second,wrong.pdb,data.mtz,"]
    (tmp_path / "list.csv").write_text("\n".join(["name,model,data,groups", *lines, "third,wrong.pdb,data.mtz,"]))
    return tmp_path


def test_killed_and_resumed(folder: Path) -> None:
    """A run that was killed goes on with what is not done, and a broken structure is told and stops no other."""
    first = folder / "out" / "first" / "done.json"
    begun = subprocess.Popen(command(folder, "--workers", "1"), start_new_session=True, stderr=subprocess.PIPE)
    deadline = time.monotonic() + PATIENCE
    while not first.exists():
        assert begun.poll() is None, begun.stderr.read() if begun.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.communicate()
    written = first.stat().st_mtime_ns
    done = subprocess.run(command(folder, "--workers", "2"), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1, done.stderr
    assert first.stat().st_mtime_ns == written
    table = pd.read_csv(folder / "out" / "summary.csv").set_index("name")
    assert list(table.index) == ["first", "broken", "second", "third"]
    assert list(table["status"]) == ["refined", "failed", "refined", "refined"]
    assert "cut.mtz' as reflections" in table.loc["broken", "error"]
    assert (table.loc[["first", "second", "third"], "nll_fall"] > 0).all()
    assert (folder / "out" / "third" / "occupancies.csv").is_file()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name,model\na,b\n", "without data"),
        ("name,model,data,group\na,b,c,d\n", "unknown column 'group'. Did you mean groups"),
        ("name,model,data\na,b,c\na,b,c\n", "'a' is there twice"),
        ("name,model,data\na,,c\n", "line 2 has no model"),
        ("name,model,data\n../a,b,c\n", "cannot be that of a folder"),
        ("name,model,data\n", "it lists none"),
    ],
)
def test_lists_that_are_wrong(tmp_path: Path, text: str, found: str) -> None:
    """What is wrong with a list is said before anything is refined."""
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(ConfigError, match=found):
        read_list(tmp_path / "list.csv")


def test_paths_start_from_the_list(tmp_path: Path) -> None:
    """A list in another folder names files beside itself."""
    (tmp_path / "list.csv").write_text("name, model, data\na, m.pdb, /d.mtz\n")
    assert read_list(tmp_path / "list.csv") == [Listed("a", str(tmp_path / "m.pdb"), "/d.mtz")]
