"""Runs checks in a process of their own, so that one that brings down the interpreter is a failure like any other.

The child says on its standard output, line by line as JSON, which check begins and how each ended. Where it dies the
check that had begun has failed, and another child goes on with the next.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import IO, Any

from atomloom.registry.process import ENVIRONMENT
from atomloom.testing.check import Result
from atomloom.testing.planning import Planned

SECONDS = 600.0
"""How long a check may take before it counts as one that does not end."""


def run_isolated(
    planned: Sequence[Planned], blocked: Sequence[str] = (), seconds: float = SECONDS
) -> Iterator[tuple[Planned, Result]]:
    """The results of checks of one distribution, as they come in.

    Args:
        blocked: plugins that are not loaded.
        seconds: how long a check may take.
    """
    left = list(planned)
    while left:
        for result in _Child(left, blocked, seconds).results():
            yield left.pop(0), result
            if not left:  # a child that dies on its way out harms no check
                return


class _Child:
    """A process that runs checks one after the other, until all are done or it dies."""

    def __init__(self, planned: Sequence[Planned], blocked: Sequence[str], seconds: float) -> None:
        self.seconds = seconds
        environment = {**os.environ, ENVIRONMENT: ",".join(blocked)} if blocked else dict(os.environ)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "atomloom.testing", planned[0].record.distribution],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([each.key for each in planned]))
        self.process.stdin.close()
        self.lines = _lines(self.process.stdout)
        self.noise = _lines(self.process.stderr)

    def results(self) -> Iterator[Result]:
        """One for each check that ended or was the child's end."""
        try:
            while True:
                begun = self._next()
                if begun is None:
                    break
                ended = self._next()
                yield ended if ended is not None else self._death()
                if ended is None or ended.said == _ENDLESS.format(self.seconds):
                    return
            yield self._death()  # between two checks: the next one has not begun, and is told so
        finally:
            self.process.kill()
            self.process.wait()

    def _next(self) -> Result | None:
        """What the child says next; None when it has no more to say."""
        try:
            line = self.lines.get(timeout=self.seconds)
        except queue.Empty:
            self.process.kill()
            return Result("failed", _ENDLESS.format(self.seconds), self.seconds)
        if line is None:
            return None
        said: dict[str, Any] = json.loads(line)
        return Result(**said)

    def _death(self) -> Result:
        code = self.process.wait()
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = [line for line in iter(self.noise.get, None) if line.strip()]
        return Result("failed", f"it ended the interpreter ({cause})", traceback="".join(said[-30:]))


_ENDLESS = "it did not end within {:g} seconds"


def _lines(stream: IO[str] | None) -> queue.Queue[str | None]:
    """The lines of a pipe as they come, and None at its end."""
    assert stream is not None
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def serve(known: Any, distribution: str, keys: Sequence[str], channel: IO[str]) -> None:
    """What the child does: run the checks of these keys, and say on `channel` when each begins and how it ended."""
    from atomloom.testing.planning import plan
    from atomloom.testing.running import run

    planned = {each.key: each for each in plan(known, distribution)}
    for key in keys:
        _say(channel, Result("passed", f"began {key}"))
        _say(channel, run(planned[key], known))


def _say(channel: IO[str], result: Result) -> None:
    channel.write(json.dumps(asdict(result)) + "\n")
    channel.flush()
