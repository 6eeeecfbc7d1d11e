"""The history of runs: listing, comparing and deleting them, as library and as commands."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from atomloom.cli.cite import cite
from atomloom.cli.runs import duration, runs
from atomloom.errors import RunError
from atomloom.runs import Run, RunFolder
from atomloom.runs.history import DEFAULT, compare, find, list_runs, remove, summarize
from atomloom.runs.live import thinned
from atomloom.runs.process import Process

PAPER = "@article{paper, title={A paper}, author={Doe, Jane}, year={2024}, journal={J. Tests}, doi={10.1/x}}"


def made(root: Path, name: str, epochs: int = 3, *, of: int = 3, **options: Any) -> Run:
    """A run of which so many epochs are done."""
    used = [{"kind": "models", "name": "toy", "plugin": "core", "bibtex": [PAPER]}]
    run = Run.create(root / name, {"model": {"name": "toy", **options}}, {"used": used})
    for epoch in run.epochs(of):
        epoch.log({"train/loss": abs(epoch.number - 2.0) + 1, "odd": math.nan})
        epoch.save({"w": np.zeros(2)}, {}, score=abs(epoch.number - 2.0))
        if epoch.number == epochs < of:
            break
    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a finished, an interrupted and a damaged run, and with things that are no runs."""
    root = tmp_path / "runs"
    made(root, "done", features=64)
    made(root, "half[bold]", 2, of=5, features=32)
    made(root, "broken").files.config.write_text("= 1")
    (root / "notes").mkdir()
    (root / "a file").touch()
    (root / f".atomloom-{Process.here()._replace(born=1)}-00000000").mkdir()
    return root


def invoked(command: Any, *arguments: str, **options: Any) -> Result:
    """What a command prints; its errors pass."""
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False, **options)


def test_a_listing_shows_every_run(root: Path) -> None:
    """Whatever state a run is in, it is listed, and nothing else is."""
    found = {one.name: one for one in list_runs(root)}
    assert set(found) == {"done", "half[bold]", "broken"}
    assert (found["done"].status, found["done"].epochs, found["done"].best_epoch) == ("finished", 3, 2)
    assert (found["half[bold]"].status, found["half[bold]"].total) == ("interrupted", 5)
    assert found["broken"].status == "damaged"
    assert "it is not TOML" in found["broken"].reason
    assert found["done"].final["train/loss"] == 2.0
    assert found["done"].best["train/loss"] == 1.0


def test_a_running_run_knows_what_is_left(tmp_path: Path) -> None:
    """While it runs, the time that is left follows from the epochs of this session."""
    run = Run.create(tmp_path / "a", {}, {})
    for epoch in run.epochs(4):
        epoch.log({"train/loss": 1.0})
        epoch.save({}, {})
        if epoch.number == 2:
            summary = summarize(run.files)
    assert summary.status == "running"
    assert summary.seconds_left is not None
    assert summary.seconds_left >= 0
    assert summarize(run.files).seconds_left is None


def test_runs_are_found_by_name_or_path(root: Path) -> None:
    """A name is looked up in the folder of runs, a path is taken as it is, and a wrong name is answered."""
    assert find("done", root).name == "done"
    assert find(str(root / "done"), Path("elsewhere")).name == "done"
    with pytest.raises(RunError, match=r"^Cannot find the run 'dome': .* Did you mean 'done'\?$"):
        find("dome", root)
    with pytest.raises(RunError, match="There are no runs in"):
        find("x", root / "notes")
    with pytest.raises(RunError, match="there is no such folder"):
        list_runs(root / "nowhere")


def test_without_any_runs_the_default_folder_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first run there is no folder, which is no error."""
    monkeypatch.chdir(tmp_path)
    assert list_runs(DEFAULT) == []
    assert "There are no runs" in invoked(runs, "list").output
    assert json.loads(invoked(runs, "list", "--json").output) == []


def test_a_comparison_shows_what_differs(root: Path) -> None:
    """Options that agree are left out; metrics stand side by side, missing ones as None."""
    found = compare([find("done", root), find("half[bold]", root)])
    assert found["config"] == {"model.features": [64, 32]}
    assert found["final"]["train/loss"] == [2.0, 1.0]
    assert found["best"]["train/loss"] == [1.0, 1.0]


@pytest.mark.parametrize("arguments", [("list",), ("show", "done"), ("compare", "done", "half[bold]")], ids=str)
def test_listings_for_people_and_for_programs(root: Path, arguments: tuple[str, ...]) -> None:
    """Every listing has a text that names the run, and valid JSON."""
    place = ("--runs", str(root))
    assert "done" in invoked(runs, *arguments, *place).output
    text = invoked(runs, *arguments, *place, "--json").output
    assert "done" in json.dumps(json.loads(text, parse_constant=pytest.fail))


def test_names_are_shown_as_they_are(root: Path) -> None:
    """A name that looks like markup is no markup."""
    assert "half[bold]" in invoked(runs, "list", "--runs", str(root)).output


def test_deleting_asks_first(root: Path) -> None:
    """Only a yes deletes; --yes answers beforehand."""
    place = ("--runs", str(root))
    assert invoked(runs, "rm", "done", *place, input="n\n").exit_code == 1
    assert (root / "done").exists()
    invoked(runs, "rm", "done", "done", *place, input="y\n")
    assert not (root / "done").exists()
    answer = json.loads(invoked(runs, "rm", "broken", *place, "--yes", "--json").output)
    assert answer == {"deleted": [str(root / "broken")]}
    assert sorted(os.listdir(root)) == ["a file", "half[bold]", "notes"], "what a dead process left is gone too"


def test_a_running_run_is_not_deleted(tmp_path: Path) -> None:
    """The message says which process is fitting it."""
    run = Run.create(tmp_path / "a", {}, {})
    with run.session(), pytest.raises(RunError, match=f"process {os.getpid()} on .* is fitting it"):
        remove(run.files)
    remove(run.files)
    assert os.listdir(tmp_path) == []


def test_a_wrong_name_deletes_nothing(root: Path) -> None:
    """If one of several names is wrong, none is deleted."""
    with pytest.raises(RunError):
        invoked(runs, "rm", "done", "wrong", "--runs", str(root), "--yes")
    assert (root / "done").exists()


def test_citations_of_a_run(root: Path) -> None:
    """BibTeX, text and JSON name atomloom and what the run used."""
    place = ("--runs", str(root))
    assert invoked(cite, "done", *place).output == RunFolder(root / "done").citations.read_text()
    text = invoked(cite, "done", *place, "--style", "text").output
    assert text.splitlines()[1] == "Doe, Jane (2024). A paper. J. Tests. https://doi.org/10.1/x"
    assert [one["key"] for one in json.loads(invoked(cite, "done", *place, "--json").output)] == ["atomloom", "paper"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 s"), (0.04, "0.04 s"), (59.6, "1 min 0 s"), (7260, "2 h 1 min"), (90000, "1 d 1 h")]
)
def test_durations(seconds: float, text: str) -> None:
    """Durations are told in at most two units."""
    assert duration(seconds) == text


def test_a_long_run_keeps_its_spikes() -> None:
    """Of a hundred thousand epochs few are drawn, the extremes among them."""
    values = np.random.default_rng(0).normal(size=(2, 100_000))
    values[0, 54_321], values[1, 12_345], values[1, 500:600] = 99, -99, np.nan
    columns = {"epoch": np.arange(1, 100_001), "a": values[0], "b": values[1]}
    kept = thinned(columns, 1000)
    assert len(kept) <= 1002
    assert {0, 99_999, 54_321, 12_345} <= set(kept.tolist())
