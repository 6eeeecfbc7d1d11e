"""The search of options: ranges are checked, trials are kept, a killed search goes on, the best runs again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import atomloom.search.loop as loop
from atomloom import ConfigError, RunError, RunFailed
from atomloom.examples.demo import as_strangers_write
from atomloom.examples.morse import make
from atomloom.experiment import Experiment, InFile, dumps, load, loads, resolved
from atomloom.pipeline import fit, prepare
from atomloom.report import Bars, Curve, Scatter, Table, from_json
from atomloom.runs import Run
from atomloom.search import Found, SearchFolder, resume, search
from atomloom.search.trials import Bench

pytest.importorskip("optuna")

EXPERIMENT = """\
[[data.source]]
path = "molecules.npz"
reader = "npz"
unit = { E = "kcal/mol", R = "angstrom", F = "kcal/mol/angstrom" }
[model]
name = "ridge"
[training]
num_epochs = 6
"""
SEARCH = """\
[search]
trials = 8
startup_trials = 3
seed = 1
[search.space]
"model.ridge" = { low = 1e-8, high = 1e2, log = true }
"training.num_epochs" = [3, 6]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data."""
    np.savez(tmp_path / "molecules.npz", **as_strangers_write(make(60, seed=7)))  # type: ignore[arg-type]
    return tmp_path


def experiment(folder: Path, text: str = SEARCH) -> Experiment:
    """The experiment with this search, in a file of its own."""
    (folder / "exp.toml").write_text(EXPERIMENT + text)
    return resolved(load(folder / "exp.toml"), folder)


def searched(folder: Path, text: str = SEARCH) -> Found:
    """What that search finds."""
    return search(experiment(folder, text), folder / "runs" / "exp", InFile(str(folder / "exp.toml")))


def tried(found: Found) -> list[tuple[Any, ...]]:
    """What is the same whenever a search is done again."""
    return [(trial.number, trial.state, trial.params, trial.values) for trial in found.trials]


def space(entry: str) -> str:
    """A search of this space."""
    return f"[search]\n[search.space]\n{entry}\n"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            '"model.rigde" = [1, 2]',
            '11: `search.space."model.rigde"` is not a known key. The nearest known key is `model.ridge`',
        ),
        ('"training.num_epoch" = [1, 2]', "The nearest known key is `training.num_epochs`"),
        ('"data.split.seed" = [1, 2]', "It has to be a key of [model], [training], [batching], [losses]"),
        ('"model.ridge" = { low = -1, high = 1 }', "holds -1. It has to be a number of at least 0"),
        ('"training.num_epochs" = [1, 0]', "holds 0. It has to be a whole number of at least 1"),
        ('"losses.energy" = [1, 2]', '`search.metric` is "valid/loss", which `losses.energy` changes by itself'),
        ('"batching.order" = ["shufled", "file"]', 'the nearest is "shuffled"'),
    ],
)
def test_a_space_that_cannot_be_tried_is_refused_before_anything_runs(folder: Path, entry: str, told: str) -> None:
    """Unknown keys with the nearest, values out of bounds with the bounds; nothing is written."""
    with pytest.raises(ConfigError) as caught:
        searched(folder, space(entry))
    assert told in str(caught.value)
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('"model.ridge" = { low = 1, high = 1 }', "goes from 1 to 1"),
        ('"model.ridge" = { low = 0, high = 1, log = true }', "is logarithmic and begins at 0"),
        ('"model.ridge" = { low = 1, hihg = 2 }', "The nearest known key is `high`"),
        ('"model.ridge" = 1', "is 1. Write an array of values, or { low = 1e-4, high = 1e-2, log = true }"),
        ('"model.ridge" = [1]', "has 1 value. Give two at least"),
        ("", "is empty"),
    ],
)
def test_a_malformed_space_is_refused_with_its_line(entry: str, told: str) -> None:
    """As every other mistake in the file."""
    with pytest.raises(ConfigError) as caught:
        loads(EXPERIMENT + space(entry), "exp.toml")
    assert told in str(caught.value)
    assert "exp.toml:" in str(caught.value)


def test_the_table_of_a_search_is_written_and_read_back(folder: Path) -> None:
    """Keys with dots included."""
    whole = experiment(folder)
    assert loads(dumps(whole)) == whole


def test_the_best_experiment_reproduces_the_best_trial(folder: Path) -> None:
    """The file runs as it is and measures the same, epoch by epoch; the best is the lowest of all."""
    found = searched(folder)
    assert found.best.value == min(trial.value for trial in found.trials if trial.value is not None)
    best = load(found.folder.best)
    run, _ = fit(prepare(best), folder / "again")
    trial = Run.open(found.folder.trial(found.best.number))
    assert run.files.metrics.read_bytes() == trial.files.metrics.read_bytes()
    assert found.best.value == pytest.approx(run.metrics()["valid/loss"].min(), abs=0)


def test_every_trial_is_a_run_with_its_own_options(folder: Path) -> None:
    """The config of each run holds what its trial drew, and no search."""
    found = searched(folder)
    assert len(found.trials) == 8
    for trial in found.trials:
        config = tomllib.loads((found.folder.trial(trial.number) / "config.toml").read_text())
        assert "search" not in config
        assert config["model"]["ridge"] == trial.params["model.ridge"]
        assert config["training"]["num_epochs"] == json.loads(trial.params["training.num_epochs"])


def test_trials_are_pruned_by_their_metric_and_stay_ordinary_runs(folder: Path) -> None:
    """A trial that is worse than the median ends early, as a finished run that says why."""
    found = searched(
        folder, SEARCH.replace("trials = 8", "trials = 12").replace('"training.num_epochs" = [3, 6]\n', "")
    )
    pruned = [trial for trial in found.trials if trial.state.name == "PRUNED"]
    assert pruned
    for trial in pruned:
        run = Run.open(found.folder.trial(trial.number))
        assert run.finished
        assert run.epochs_done == trial.user_attrs["pruned"] < 6
        assert f"pruned after epoch {run.epochs_done}" in run.files.log.read_text()


def test_a_failing_trial_is_recorded_and_the_search_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its reason."""
    run = Bench.run

    def sometimes(bench: Bench, trial: Any) -> float | None:
        if trial.number == 1:
            raise RunFailed("go on with the run", "train/loss is nan", "lower the learning rate")
        return run(bench, trial)

    monkeypatch.setattr(Bench, "run", sometimes)
    found = searched(folder)
    assert [trial.number for trial in found.trials if trial.state.name == "FAIL"] == [1]
    assert "train/loss is nan" in found.trials[1].user_attrs["reason"]
    assert len(found.trials) == 8


def test_a_search_without_a_good_trial_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reason is told."""

    def never(bench: Bench, trial: Any) -> float | None:
        raise RunFailed("go on", "train/loss is nan", "lower the learning rate")

    monkeypatch.setattr(Bench, "run", never)
    with pytest.raises(RunFailed, match=r"none of its 8 trials came to an end .*train/loss is nan"):
        searched(folder)


def test_an_unknown_metric_is_answered_with_the_nearest(folder: Path) -> None:
    """After the first epoch, and nothing stays behind."""
    with pytest.raises(ConfigError, match="the runs do not measure it; the nearest is 'valid/loss'"):
        searched(folder, SEARCH.replace("[search]\n", '[search]\nmetric = "valid/los"\n'))
    assert not (folder / "runs" / "exp").exists()


def test_ctrl_c_leaves_a_search_that_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial that was cut short is gone on with, and all comes out as if nothing had happened."""
    expected = tried(search(experiment(folder), folder / "whole", InFile("exp.toml")))
    watch = Bench._watch

    def until(bench: Bench, trial: Any, run: Run, epoch: int, metrics: Any) -> None:
        watch(bench, trial, run, epoch, metrics)
        if (trial.number, epoch) == (2, 2):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bench, "_watch", until)
        with pytest.raises(KeyboardInterrupt):
            searched(folder)
    assert tried(resume(folder / "runs" / "exp")) == expected


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_search_goes_on_where_it_was(folder: Path) -> None:
    """After SIGKILL at some moment the command goes on: finished trials are kept, nothing is tried twice."""
    expected = tried(search(experiment(folder), folder / "whole", InFile("exp.toml")))
    command = [sys.executable, "-m", "atomloom", "search", "exp.toml"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    trials = SearchFolder(folder / "runs" / "exp")
    while not trials.trial(3).exists() and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    assert tried(resume(folder / "runs" / "exp")) == expected


def test_more_trials_may_be_asked_of_a_search(folder: Path) -> None:
    """Those that there are count."""
    first = searched(folder)
    second = searched(folder, SEARCH.replace("trials = 8", "trials = 10"))
    assert tried(second)[:8] == tried(first)
    assert len(second.trials) == 10


def test_another_experiment_or_other_data_are_not_mixed_in(folder: Path) -> None:
    """What differs is told with the way out."""
    searched(folder)
    with pytest.raises(
        RunError, match=r"holds the search of another experiment\. Give it another name, such as --name"
    ):
        searched(folder, SEARCH.replace("seed = 1", "seed = 2"))
    np.savez(folder / "molecules.npz", **as_strangers_write(make(60, seed=8)))  # type: ignore[arg-type]
    with pytest.raises(RunError, match="its data have changed since it was started"):
        searched(folder, SEARCH.replace("trials = 8", "trials = 10"))


def test_the_report_has_history_importance_slices_and_trials(folder: Path) -> None:
    """The best so far never rises, and the table has every trial."""
    found = searched(folder)
    report = from_json((found.folder.report / "report.json").read_text())
    blocks = [block for section in report.sections for block in section.blocks]
    history = next(block for block in blocks if isinstance(block, Curve))
    assert np.all(np.diff(history.series[1].y) <= 0)
    assert history.series[1].y[-1] == found.best.value
    table = next(block for block in blocks if isinstance(block, Table))
    assert table.cells("trial") == tuple(range(8))
    assert sum(isinstance(block, Scatter) for block in blocks) == 2
    assert sum(isinstance(block, Bars) for block in blocks) == 1


def test_without_optuna_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the data is read."""
    monkeypatch.setattr("atomloom.search.study.find_spec", lambda _: None)
    monkeypatch.setattr(loop, "load_data", None)
    with pytest.raises(
        ConfigError, match=r"Optuna is not installed. Install it with `pip install \"atomloom\[search\]\"`"
    ):
        searched(folder)
