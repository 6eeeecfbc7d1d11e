"""A run: its folder, its sessions, its metrics, and what happens when something goes wrong."""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text

from atomloom.errors import ConfigError, DataError, PluginError, RunError, RunFailed, TargetError
from atomloom.runs import Run, describe, metrics, next_free
from atomloom.runs.lock import SILENCE, Holder, holder, locked
from atomloom.runs.process import Process
from atomloom.runs.progress import TerminalDisplay


class Watcher:
    """An observer who remembers."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def run_started(self, run: Run) -> None:
        """Remember the start."""
        self.seen.append("started")

    def steps_finished(self, run: Run, block: Any) -> None:
        """Remember the names of the metrics."""
        self.seen.append(sorted(block))

    def run_finished(self, run: Run, outcome: str) -> None:
        """Remember the end."""
        self.seen.append(outcome)


@pytest.fixture
def watcher() -> Watcher:
    """The observer of `run`."""
    return Watcher()


@pytest.fixture
def run(tmp_path: Path, watcher: Watcher) -> Run:
    """A new run."""
    return Run.create(tmp_path / "runs" / "a", {"model": {"name": "toy", "none": None}}, describe(), observers=watcher)


def fit(run: Run, epochs: int, *, until: int = 10**9) -> None:
    """Fit all epochs, or leave the loop in one of them."""
    for epoch in run.epochs(epochs):
        epoch.log({"train/loss": 1 / epoch.number})
        epoch.save({"w": np.zeros(2)}, {}, score=1 / epoch.number)
        if epoch.number == until:
            break


def test_a_run_from_its_making_to_its_end(run: Run, watcher: Watcher) -> None:
    """The folder tells what the run is, what it did and how it ended."""
    assert run.config == {"model": {"name": "toy"}}
    assert run.status == "interrupted"
    run.steps({"loss": np.zeros(3)})
    fit(run, 3)
    assert run.finished
    assert list(run.metrics()["train/loss"]) == [1, 1 / 2, 1 / 3]
    session = run.provenance["sessions"][0]
    assert session["outcome"] == "finished"
    assert session["total"] == 3
    assert session["versions"]["numpy"] == np.__version__
    assert watcher.seen == [["loss"], "started", "finished"]
    assert "finished" in run.files.log.read_text()
    assert "@software{atomloom" in run.files.citations.read_text()


def test_a_finished_run_does_nothing_more(run: Run) -> None:
    """Its epochs are over at once, and it can be extended."""
    fit(run, 2)
    assert list(run.epochs(2)) == []
    assert [epoch.number for epoch in Run.open(run.folder, observers=Watcher()).epochs(4)] == [3, 4]


def test_an_existing_name_is_refused_with_the_next_free_one(run: Run) -> None:
    """Nothing that is there is touched, not even an empty folder."""
    (run.folder.parent / "a-2").mkdir()
    with pytest.raises(RunError, match=r"^Cannot start the run 'a': '.*a' exists already\. .* name, a-3\.$"):
        Run.create(run.folder, {}, {})
    assert next_free(run.folder).name == "a-3"
    assert run.config["model"]["name"] == "toy"


@pytest.mark.parametrize("name", ["..", ".hidden", "-x", "a\nb", "\x1b[31m"])
def test_names_that_would_cause_trouble_are_refused(tmp_path: Path, name: str) -> None:
    """A name that shells or listings would trip over is refused with the rule."""
    with pytest.raises(RunError, match="neither a dot nor a dash"):
        Run.create(tmp_path / name, {}, {})


@pytest.mark.parametrize("place", ["/proc/self/runs/a", "file/a", "x" * 300])
def test_a_place_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    """A run that cannot be made leaves nothing behind."""
    (tmp_path / "file").touch()
    with pytest.raises(TargetError) as caught:
        Run.create(tmp_path / place, {}, {})
    assert caught.value.todo
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("config.toml", None, "it has no config.toml"),
        ("config.toml", "a = = 1", "config.toml is damaged: it is not TOML"),
        ("config.toml", b"\xff\xfe", "config.toml is damaged: it cannot be read"),
        ("provenance.json", "{", "provenance.json is damaged: it is not JSON"),
        ("provenance.json", "[1]", "provenance.json is damaged: it is not what a run keeps there"),
        ("provenance.json", '{"sessions": [1]}', "provenance.json is damaged: it is not what a run keeps there"),
        ("provenance.json", '{"sessions": 1}', "provenance.json is damaged: it is not what a run keeps there"),
    ],
)
def test_a_damaged_run_is_told(run: Run, name: str, text: str | bytes | None, found: str) -> None:
    """The message names the file and what is wrong with it."""
    path = run.folder / name
    path.unlink()
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RunError) as caught:
        Run.open(run.folder)
    assert caught.value.found.startswith(found)


def test_a_missing_run_is_told(tmp_path: Path) -> None:
    """A folder that is not there, or is a file, is no run."""
    (tmp_path / "file").touch()
    for name in ("nothing", "file"):
        with pytest.raises(RunError, match="there is no such folder"):
            Run.open(tmp_path / name)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("in_session", [True, False])
def test_a_loss_that_is_not_finite_stops_the_fit(run: Run, watcher: Watcher, value: float, in_session: bool) -> None:
    """The message names epoch and metric, the state before is kept, and the run counts as failed."""

    def diverge() -> None:
        with run.session() if in_session else nullcontext():
            for epoch in run.epochs(9):
                epoch.log({"train/loss": value if epoch.number == 3 else 1.0, "valid/loss": math.nan})
                epoch.save({}, {})

    with pytest.raises(RunFailed, match=rf"train/loss is {value} in epoch 3\. The state after epoch 2 is kept"):
        diverge()
    assert run.status == "failed"
    assert run.epochs_done == 2
    assert "in epoch 3" in run.provenance["sessions"][-1]["reason"]
    assert watcher.seen[-1] == "failed"
    assert math.isnan(run.metrics()["valid/loss"][0])


def test_an_error_is_recorded_and_passes(run: Run) -> None:
    """An engine's bug ends the session as failed, with its reason and its traceback in the log."""
    with pytest.raises(ZeroDivisionError), run.session():
        1 / len(list(run.epochs(0)))
    assert run.status == "failed"
    assert run.provenance["sessions"][-1]["reason"] == "ZeroDivisionError: division by zero"
    assert "Traceback" in run.files.log.read_text()
    fit(run, 3)
    assert run.finished


def test_leaving_the_loop_and_stopping(run: Run) -> None:
    """A loop that is left early leaves an interrupted run; one that is stopped a finished one."""
    fit(run, 9, until=2)
    assert run.status == "interrupted"
    for epoch in run.epochs(9):
        epoch.log({"train/loss": 0.0})
        if epoch.number == 4:
            run.stop("good enough")
    assert run.finished
    assert list(run.metrics()["epoch"]) == [1, 2, 3, 4]
    assert "good enough" in run.files.log.read_text()


def test_a_session_without_epochs_finishes(run: Run) -> None:
    """A fit in closed form needs no loop."""
    with run.session():
        assert run.status == "running"
    assert run.finished


def test_metrics_are_logged_before_the_state_is_saved(run: Run) -> None:
    """Values of several calls share a line; one that comes too late is refused, for a kill could lose it."""
    for epoch in run.epochs(1):
        epoch.log({"train/loss": 1.0})
        epoch.log({"valid/loss": np.float32(0.5)})
        epoch.save({}, {})
        with pytest.raises(PluginError, match=r"epoch\.log before epoch\.save"):
            epoch.log({"late": 1.0})
    assert run.files.metrics.read_text() == '{"epoch": 1, "train/loss": 1.0, "valid/loss": 0.5}\n'


@pytest.mark.parametrize("counts", [{"total": -1}, {"total": 1, "save_every": -1}, {"total": 1, "keep_last": -1}])
def test_counts_below_zero_are_refused(run: Run, counts: dict[str, int]) -> None:
    """The message names the option."""
    with pytest.raises(ConfigError, match="-1: it is negative"):
        list(run.epochs(**counts))


def test_a_run_is_fitted_by_one_at_a_time(run: Run) -> None:
    """A second one is told who is fitting, and may read meanwhile."""
    with run.session():
        other = Run.open(run.folder, observers=Watcher())
        assert other.status == "running"
        with pytest.raises(RunError, match=rf"process {os.getpid()} on .* is fitting it"), other.session():
            pytest.fail("two are fitting")
        with run.session():
            pass
        assert run.status == "running"
    with other.session():
        assert holder(run.files.lock) is not None
    assert holder(run.files.lock) is None


@pytest.mark.parametrize(
    ("changed", "silent_for", "lives"),
    [({"born": 1}, 0, False), ({"host": "00000000"}, 1, True), ({"host": "00000000"}, SILENCE + 1, False)],
    ids=["dead here", "elsewhere", "silent elsewhere"],
)
def test_a_lock_outlives_its_holder_only_elsewhere(
    tmp_path: Path, changed: dict[str, Any], silent_for: float, lives: bool
) -> None:
    """A dead holder's lock is taken over; one on another host counts until it falls silent."""
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps({"pid": 1, "host": "node7", "process": str(Process.here()._replace(**changed))}))
    os.utime(lock, (time.time() - silent_for,) * 2)
    if lives:
        with pytest.raises(RunError, match="process 1 on node7 is fitting it"), locked(lock, tmp_path):
            pytest.fail("it was taken")
    else:
        with locked(lock, tmp_path):
            assert holder(lock) == Holder.here()


def test_a_damaged_lock_does_not_lock(tmp_path: Path) -> None:
    """What is not a holder's name keeps nobody out."""
    for text in ("", "{", "[]", '{"pid": 1}'):
        (tmp_path / ".lock").write_text(text)
        with locked(tmp_path / ".lock", tmp_path):
            pass


def test_a_session_in_a_thread(run: Run) -> None:
    """Where no signals can be handled, a fit works all the same."""
    thread = threading.Thread(target=fit, args=(run, 2))
    thread.start()
    thread.join()
    assert run.finished


def test_what_loggers_say_is_kept(run: Run) -> None:
    """Warnings of atomloom's other modules go to the run's log during a session, and only then."""
    with run.session():
        logging.getLogger("atomloom.readers").warning("odd file")
        run.logger.info("hello")
    logging.getLogger("atomloom.readers").warning("later")
    text = run.files.log.read_text()
    assert "odd file" in text
    assert "hello" in text
    assert "later" not in text


def test_a_torn_line_of_metrics(tmp_path: Path) -> None:
    """A last line without its end is passed over and cut away; damage before it is an error."""
    path = tmp_path / "metrics.jsonl"
    metrics.append(path, 1, {"a": 1.0})
    metrics.append(path, 2, {"a": math.inf, "b": math.nan})
    path.write_bytes(path.read_bytes() + b'{"epoch": 3, "a"')
    assert list(metrics.columns(path)["a"]) == [1.0, math.inf]
    assert metrics.last(path).epoch == 2
    metrics.cut_back(path, 1)
    assert path.read_text() == '{"epoch": 1, "a": 1.0}\n'
    path.write_text('{"epoch": 1}\nrubbish\n{"epoch": 3}\n')
    with pytest.raises(DataError, match="line 2 is damaged"):
        metrics.columns(path)


def test_metrics_that_find_no_room(tmp_path: Path) -> None:
    """A line that cannot be written is an error with a reason."""
    with pytest.raises(TargetError, match="the disk is full"):
        metrics.append(Path("/dev/full"), 1, {"a": 1.0})
    with pytest.raises(TargetError, match="it is a folder"):
        metrics.append(tmp_path, 1, {"a": 1.0})


def test_a_session_keeps_what_its_engine_notes(run: Run) -> None:
    """Facts of an engine stand with the session that they are of, and nowhere without one."""
    with run.session():
        run.note(structures_per_second=12.5)
        run.note(structures_per_second=13.5, programs=2)
    (session,) = run.provenance["sessions"]
    assert (session["structures_per_second"], session["programs"], session["outcome"]) == (13.5, 2, "finished")
    with pytest.raises(PluginError, match="note speed of the run 'a': it is not being fitted"):
        run.note(speed=1.0)


def test_nothing_is_shown_where_nobody_looks(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a terminal a fit prints nothing."""
    fit(run, 3)
    assert capfd.readouterr() == ("", "")


def test_a_person_sees_metrics_progress_and_speed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal there is a table of the last epochs, and a bar with structures per second; names are no markup."""
    screen = Console(file=StringIO(), force_terminal=True, width=110)
    monkeypatch.setattr("atomloom.runs.run.display_for", lambda name: TerminalDisplay(screen, f"{name}[red]"))
    for epoch in run.epochs(12):
        epoch.advance(50, 100)
        epoch.log({"train/loss": 1.0 + epoch.number / 1000})
        epoch.tell(f"told [bold] {epoch.number}\nand more")
    assert isinstance(screen.file, StringIO)
    text = Text.from_ansi(screen.file.getvalue()).plain
    for expected in ("train/loss", "1.012", "a[red]", "12/12", "structures/s", "told [bold] 1\nand more\n"):
        assert expected in text
    assert "told [bold] 12\nand more\n" in run.files.log.read_text()


@pytest.mark.parametrize("damage", [b"\x00\xff\x80\n", b'{"epch": 1}\n'])
def test_damaged_metrics_stop_a_resumed_run(tmp_path: Path, damage: bytes) -> None:
    """History is not thrown away in silence: the damaged line is named, and the file is as it was."""
    path = tmp_path / "metrics.jsonl"
    for epoch in (1, 2, 3):
        metrics.append(path, epoch, {"train/loss": 1.0 / epoch})
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([damage, *lines[1:]]))
    before = path.read_bytes()
    with pytest.raises(DataError, match="line 1 is damaged"):
        metrics.cut_back(path, 3)
    assert path.read_bytes() == before


def test_missing_metrics_stop_a_resumed_run(tmp_path: Path) -> None:
    """A checkpoint after epoch 3 and no line for it do not belong together."""
    with pytest.raises(DataError, match="it has no line for epoch 3"):
        metrics.cut_back(tmp_path / "metrics.jsonl", 3)
