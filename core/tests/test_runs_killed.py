"""A fit that is killed at any moment goes on as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom.runs import Run, RunFolder
from atomloom.runs.atomic import TEMPORARY

EPOCHS = 2
STEPS = ("fsync", "replace", "rename", "link", "unlink", "truncate", "mkdir")
"""The calls to the system that change what is on the disk."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


PAUSED = textwrap.dedent("""
    import runpy, sys, time
    from pathlib import Path
    from atomloom.runs import Epoch
    save = Epoch.save
    def and_wait(self, *args, **options):
        save(self, *args, **options)
        if self.number == 2:
            print("ready", flush=True)
            time.sleep(60)
    Epoch.save = and_wait
    runpy.run_path(sys.argv[1])["fit"](Path(sys.argv[2]))
""")
"""A program that starts the fit of this file and waits after the second epoch."""


class Nobody:
    """Observers who do nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def fit(folder: Path, epochs: int = EPOCHS) -> Run:
    """A random walk that remembers its generator; makes the run, or goes on with it."""
    run = Run.open(folder, observers=Nobody()) if folder.exists() else Run.create(folder, {}, {}, observers=Nobody())
    rng, position = np.random.default_rng(1), np.zeros(50)
    if last := run.latest():
        rng.bit_generator.state = last.extra["rng"]
        position = last.leaves["position"]
    for epoch in run.epochs(epochs, save_every=1, keep_last=1):
        position = position + rng.normal(size=50)
        loss = float(position @ position)
        epoch.log({"train/loss": loss})
        epoch.save({"position": position}, {"rng": rng.bit_generator.state}, score=-loss)
    return run


def in_child(work: Callable[[], object]) -> int:
    """Start a process that does this; its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def outcome(child: int) -> int:
    """How a process ended: its exit code, or the negative number of the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at_step(number: int) -> None:
    """Let this process be killed right before its `number`-th call that changes the disk."""
    left = iter(range(number, 0, -1))

    def counting(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if next(left, 0) == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return counted

    for name in STEPS:
        setattr(os, name, counting(getattr(os, name)))


def contents(files: RunFolder) -> dict[str, bytes]:
    """What a fit leaves behind, apart from times and process ids."""
    kept = [files.config, files.metrics, files.citations, *files.checkpoints.iterdir()]
    return {path.relative_to(files.path).as_posix(): path.read_bytes() for path in kept}


def leftovers(root: Path) -> Iterator[Path]:
    """Temporaries anywhere below a folder."""
    return (path for path in root.rglob("*") if TEMPORARY.fullmatch(path.name))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a fit leaves that nobody killed."""
    return contents(fit(tmp_path_factory.mktemp("undisturbed") / "a").files)


def test_killed_before_each_change_of_the_disk(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    """For every single call that changes the disk: killed before it and resumed, the run ends with the same bytes."""
    number, code = 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        number += 1
        root = tmp_path / str(number)
        root.mkdir()
        code = outcome(in_child(lambda: (kill_at_step(number), fit(root / "a"))))  # noqa: B023  called at once
        if code == -signal.SIGKILL:
            run = fit(root / "a")
            assert contents(run.files) == undisturbed, f"killed before step {number}"
            assert run.finished
            assert not list(leftovers(root)), f"killed before step {number}"
    assert code == 0
    assert number > 10 * EPOCHS, "the steps were not counted"


def test_killed_at_random_moments_again_and_again(tmp_path: Path) -> None:
    """However often it is killed, the latest checkpoint is whole and the end is the same."""
    chance, epochs = random.Random(11), 30
    whole = contents(fit(tmp_path / "whole", epochs).files)
    folder, kills = tmp_path / "killed", 0
    for _ in range(40):
        child = in_child(lambda: fit(folder, epochs))
        time.sleep(chance.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        kills += outcome(child) == -signal.SIGKILL
        if folder.exists():
            run = Run.open(folder)
            assert run.status in {"interrupted", "finished"}
            run.latest(), run.best()  # which check the digests
    assert kills >= 5
    assert contents(fit(folder, epochs).files) == whole


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "termination"])
def test_a_polite_end_leaves_a_resumable_run(tmp_path: Path, undisturbed: dict[str, bytes], number: int) -> None:
    """Ctrl-C or a batch system's warning is passed on as KeyboardInterrupt and recorded; the run goes on to its end."""
    folder = tmp_path / "a"
    child = subprocess.Popen(
        [sys.executable, "-c", PAUSED, __file__, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    assert Run.open(folder).status == "running"
    child.send_signal(number)
    assert b"KeyboardInterrupt" in child.communicate()[1]
    run = Run.open(folder)
    assert run.status == "interrupted"
    assert run.provenance["sessions"][-1]["outcome"] == "interrupted"
    assert "interrupted" in run.files.log.read_text()
    assert contents(fit(folder).files) == undisturbed
