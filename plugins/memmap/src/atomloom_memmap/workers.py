"""Processes that work side by side, and that never outlive the one that started them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from typing import TypeVar

from atomloom.errors import AtomloomError
from atomloom.progress import track
from atomloom.registry import block, registry

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_LOOK = 0.25  # seconds between two looks at how far the workers are


class WorkerLost(AtomloomError):
    """A worker was ended from outside; what it and the others had finished is good."""


class Crew:
    """Calls functions for many items: in this process one after the other, or in several workers.

    Args:
        executor: of the workers; None for this process.
        stop: ends the workers at once, whatever they are at.
    """

    def __init__(self, executor: Executor | None, stop: Callable[[], None]) -> None:
        self._executor, self.stop = executor, stop

    def each(
        self,
        function: Callable[[_Item], _Result],
        items: Sequence[_Item],
        label: str,
        progress: tuple[int, Callable[[], int]] | None = None,
    ) -> list[_Result]:
        """What `function` gives for each item, in their order; the first failure ends all.

        Args:
            label: of the progress bar, where there are workers; a function that is called here shows its own.
            progress: how much there is to do, and what tells how much of it is done; items without it.
        """
        if self._executor is None:
            return [function(item) for item in items]
        futures = [self._executor.submit(function, item) for item in items]
        total, done = progress or (len(futures), lambda: sum(future.done() for future in futures))
        try:
            for _ in track(_steps(futures, done, total), total=total, label=label):
                pass
            return [future.result() for future in futures]
        except BrokenProcessPool:
            found = "a worker was ended from outside, as systems do that run out of memory"
            todo = "Run the same command again with fewer --workers: it goes on where it stopped"
            raise WorkerLost("go on with the conversion", found, todo) from None


@contextmanager
def crew(count: int) -> Iterator[Crew]:
    """So many workers during the ``with`` block, or this process alone for one.

    They are started as new programs, which no thread, lock or map of this process can disturb; a script that asks for
    several needs the usual ``if __name__ == "__main__":``.
    """
    if count < 2:
        yield Crew(None, lambda: None)
        return
    context = get_context("spawn")
    watched, held = context.Pipe(duplex=False)
    blocked = tuple(record.name for record in registry().plugins if record.blocked)
    with watched, held, ProcessPoolExecutor(count, context, _begin, (watched, blocked)) as executor:

        def stop() -> None:
            held.close()
            executor.shutdown(cancel_futures=True)

        try:
            yield Crew(executor, stop)
        except BaseException:
            stop()
            raise


def _steps(futures: Sequence[Future[_Result]], done: Callable[[], int], total: int) -> Iterator[int]:
    """A step whenever one more is done; raises what a worker raised as soon as it did."""
    seen, pending = 0, set(futures)
    while pending:
        ended, pending = wait(pending, timeout=_LOOK, return_when=FIRST_COMPLETED)
        for future in ended:
            future.result()
        now = min(done(), total) if pending else total
        yield from range(seen, now)
        seen = max(seen, now)


def _begin(watched: Connection, blocked: tuple[str, ...]) -> None:
    """What a worker does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the one that started us decides
    block(blocked)
    Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    """End this process when the other end of the pipe is closed, by its owner or because that one was killed.

    Who starts the same conversion again must not meet workers that still write to its folder.
    """
    try:
        watched.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)
