"""Several processes on this machine that run one command together, and why they ended."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import FrameType
from typing import IO, NamedTuple

from atomloom_jax.plugin import RUN_TOLD_IN

HOST = "127.0.0.1"
GRACE = 60.0
"""Seconds in which JAX ends the processes that are left when one has died; then they are killed."""
SHOWN = 12
"""Lines of its output that are shown of a process that failed."""

INTERRUPTED = 130
"""The exit status after Ctrl-C, of which the first process has told."""


class Ended(NamedTuple):
    """How a launch ended.

    Args:
        code: the exit status to pass on: that of the first process that failed, 128 + N for signal N.
        told: what a person should know, empty if all is well.
    """

    code: int
    told: str


def launch(number: int, arguments: Sequence[str], devices_each: int = 1) -> Ended:
    """Run ``atomloom ARGUMENTS`` in so many processes, the first of which speaks, and wait for all of them.

    Args:
        number: of processes.
        arguments: the command that they run together.
        devices_each: how many GPUs each of them takes, in their order; CPUs are not divided.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atomloom-launch-")))
        outputs = [stack.enter_context((folder / str(process)).open("wb+")) for process in range(1, number)]
        started = _started(number, arguments, devices_each, outputs, folder / "run")
        with _passing_signals_on(started):
            failed = _first_that_failed(started)
        if failed is None:
            return Ended(0, "")
        code = started[failed].returncode
        said = _last_lines(outputs[failed - 1], failed) if failed else ""
        run = (folder / "run").read_text(encoding="utf-8") if (folder / "run").exists() else ""
    if code == INTERRUPTED:
        return Ended(code, "")
    return Ended(128 - code if code < 0 else code, f"{said}{told(failed, code, run)}")


def told(process: int, code: int, run: str) -> str:
    """What happened, and how to go on.

    >>> told(1, -9, "runs/first")
    'Process 1 was killed by SIGKILL, and the others ended with it. `atomloom resume runs/first` goes on.'
    """
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
    on = f" `atomloom resume {shlex.quote(run)}` goes on." if run else ""
    return f"Process {process} {how}, and the others ended with it.{on}"


def _started(
    number: int, arguments: Sequence[str], devices_each: int, outputs: Sequence[IO[bytes]], run_told_in: Path
) -> list[subprocess.Popen[bytes]]:
    address = f"{HOST}:{free_port()}"
    own = {"JAX_COORDINATOR_BIND_ADDRESS": address, RUN_TOLD_IN: str(run_told_in)}
    command = [sys.executable, "-m", "atomloom", "jax", "join", "--coordinator", address, "--processes", str(number)]
    started = []
    for process in range(number):
        ids = range(process * devices_each, (process + 1) * devices_each)
        started.append(
            subprocess.Popen(
                [*command, "--process", str(process), "--", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=outputs[process - 1] if process else None,
                stderr=subprocess.STDOUT if process else None,
                env={**os.environ, **own, "JAX_LOCAL_DEVICE_IDS": ",".join(map(str, ids))},
                process_group=0,  # Ctrl-C comes by way of the launcher, once
            )
        )
    return started


def _first_that_failed(started: Sequence[subprocess.Popen[bytes]]) -> int | None:
    """Wait for all of them, if it takes too long after a failure by killing those that are left."""
    ended: SimpleQueue[int] = SimpleQueue()

    def wait(process: int) -> None:
        started[process].wait()
        ended.put(process)

    for process in range(len(started)):
        Thread(target=wait, args=(process,), daemon=True).start()
    failed = None
    for _ in started:
        try:
            process = ended.get(timeout=None if failed is None else GRACE)
        except Empty:
            for each in started:
                each.kill()
            process = ended.get()
        if failed is None and started[process].returncode:
            failed = process
    return failed


@contextmanager
def _passing_signals_on(started: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        for each in started:
            if each.poll() is None:
                each.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    former = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _last_lines(output: IO[bytes], process: int) -> str:
    output.seek(0)
    lines = output.read().decode(errors="replace").splitlines()[-SHOWN:]
    return "".join(f"[{process}] {line}\n" for line in lines)


def free_port() -> int:
    """A port of this machine that nobody listens on at the moment."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port
