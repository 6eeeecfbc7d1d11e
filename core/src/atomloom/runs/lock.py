"""That no two processes fit the same run.

A file lock of the system guards the run, and the file says who holds it. The system drops the lock when its process
dies. For file systems that keep no locks, or only within one machine, the holder's name counts as well: on this host
until its process is dead, on another host until it has given no sign of life for two minutes.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from atomloom.errors import AtomloomError, RunError
from atomloom.runs.process import Process
from atomloom.runs.targets import writing

BEAT = 15.0
"""Seconds between two signs of life."""
SILENCE = 120.0
"""Seconds without a sign of life after which a holder on another host counts as gone."""
_PATIENCE = 0.5  # seconds for which somebody else may be looking at the lock


@dataclass(frozen=True)
class Holder:
    """Who fits a run.

    Args:
        pid: the process's id.
        host: the name of its machine.
        process: the text of its `Process`.
    """

    pid: int
    host: str
    process: str

    @classmethod
    def here(cls) -> Holder:
        """The process that asks."""
        return cls(os.getpid(), socket.gethostname(), str(Process.here()))

    def lives(self, silent_for: float) -> bool:
        """Whether it still fits, given for how many seconds it has been silent."""
        process = Process.parse(self.process)
        alive = process.alive if process else None
        return abs(silent_for) < SILENCE if alive is None else alive


def holder(path: Path) -> Holder | None:
    """Who holds the lock at `path`, if anybody does; takes nothing and writes nothing."""
    try:
        found = Holder(**json.loads(path.read_text(encoding="utf-8")))
        silent_for = time.time() - path.stat().st_mtime
    except (OSError, ValueError, TypeError):
        return None
    return found if found.lives(silent_for) else None


def run_is_held(path: Path, run: Path) -> AtomloomError:
    """The error that says who fits a run."""
    by = holder(path)
    who = f"process {by.pid} on {by.host}" if by else "another process"
    return RunError(
        f"fit the run '{run}'",
        f"{who} is fitting it",
        f"Watch it with `atomloom runs watch {run}`, or wait for its end",
    )


@contextmanager
def locked(path: Path, guarded: Path, held: Callable[[Path, Path], AtomloomError] = run_is_held) -> Iterator[None]:
    """Hold the lock at `path` during the ``with`` block.

    Args:
        path: the file that is the lock.
        guarded: what it guards: a run, or whatever else one process at a time may write.
        held: makes the error, of `path` and `guarded`, for when somebody else holds it.
    """
    with writing(guarded):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _system_lock(handle) or not _is_at(handle, path) or holder(path) is not None:
            raise held(path, guarded)
        with writing(guarded):
            _write(handle, json.dumps(asdict(Holder.here())))
        try:
            with _beating(path):
                yield
        finally:
            _write(handle, "")
    finally:
        os.close(handle)  # which drops the lock


def _system_lock(handle: int) -> bool:
    """Whether the system gave us the lock; also true where it has none to give."""
    try:
        import fcntl  # POSIX only
    except ImportError:
        return True
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_PATIENCE / 10)
        except OSError:
            return True  # a file system without locks: the holder's name has to do
        else:
            return True


def _is_at(handle: int, path: Path) -> bool:
    """Whether the file is still at its place; else its last holder removed it while we waited for the lock."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _write(handle: int, text: str) -> None:
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, text.encode())


@contextmanager
def _beating(path: Path) -> Iterator[None]:
    """Touch the lock now and then, so that other hosts see that we live."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT):
            with suppress(OSError):
                os.utime(path)

    thread = threading.Thread(target=beat, name="atomloom run lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
