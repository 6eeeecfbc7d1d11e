"""Prepares items in a background thread while those before them are used.

The two threads share an `_Exchange` and nothing else. It knows nothing of the iterator that hands the items out, so
that one that nobody holds any longer is collected, and its thread ends with it. They meet in `SimpleQueue`, whose
``put`` may be called from within a garbage collection, wherever that sets in.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Generator, Iterable, Iterator
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Generic, TypeVar

from atomloom.errors import ConfigError

T = TypeVar("T")

GRACE = 1.0
"""Seconds that a source gets to come to its end when the interpreter exits."""


def ahead(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """The same items in the same order, of which a thread prepares up to `depth` before they are asked for.

    What the source raises is raised where its item would have come. Leaving the loop, by Ctrl-C too, or closing the
    iterator waits for the item in the making and closes the source, if that can be closed, in the thread that read it.

    Args:
        items: what is read in the thread, from when the first item is asked for.
        depth: how many items memory is held for beside the one in use; 0 for no thread.

    >>> list(ahead(range(4), depth=2))
    [0, 1, 2, 3]
    """
    if depth < 0:
        found = f"{depth} is no number of items"
        raise ConfigError("prepare items ahead", found, "Give 1 or more, or 0 for no thread")
    return _handed_out(items, depth) if depth else _in_turn(items)


def _in_turn(items: Iterable[T]) -> Generator[T, None, None]:
    yield from items


def _handed_out(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    exchange = _Exchange(iter(items), depth)
    try:
        exchange.open()
        while exchange.wait():
            yield exchange.pop()
    finally:
        exchange.close()


class _Exchange(Generic[T]):
    """Where the thread leaves what it prepared and the reader fetches it."""

    def __init__(self, source: Iterator[T], depth: int) -> None:
        self._source, self._depth = source, depth
        self._room: SimpleQueue[None] = SimpleQueue()  # an entry for each item that may be prepared
        self._ready: SimpleQueue[list[T] | BaseException] = SimpleQueue()  # of one item each, or how the source ended
        self._fetched: list[T] = []
        self._closed = False
        self._unclosed: BaseException | None = None
        # The interpreter does not wait for a daemon, whatever keeps its source.
        self._thread = Thread(target=self._prepare, name="atomloom ahead", daemon=True)

    def open(self) -> None:
        """Start the thread."""
        for _ in range(self._depth):
            self._room.put(None)
        self._thread.start()
        atexit.register(self._end, GRACE)

    def wait(self) -> bool:
        """Whether there is another item, as soon as that is known; raises what the source raised."""
        outcome = self._ready.get()
        if isinstance(outcome, list):
            self._fetched = outcome
            self._room.put(None)
            return True
        if isinstance(outcome, StopIteration):
            return False
        try:
            raise outcome
        finally:
            del outcome  # whose traceback holds this frame

    def pop(self) -> T:
        """The item that was waited for, which is the reader's alone from now on."""
        return self._fetched.pop()

    def close(self) -> None:
        """Have the thread close the source and end; raises what the source raised at that."""
        atexit.unregister(self._end)
        self._end()
        if self._unclosed is not None:
            raise self._unclosed

    def _end(self, patience: float | None = None) -> None:
        self._closed = True
        self._room.put(None)
        # A collection may run this in the thread itself, and an interpreter that ends lets no other thread run.
        if self._thread.is_alive() and self._thread is not current_thread() and not sys.is_finalizing():
            self._thread.join(patience)

    def _prepare(self) -> None:
        try:
            while self._wanted():
                self._ready.put([next(self._source)])
        except BaseException as error:
            self._ready.put(error)
        try:
            if close := getattr(self._source, "close", None):
                close()
        except BaseException as error:
            self._unclosed = error

    def _wanted(self) -> bool:
        """Whether another item is to be prepared, as soon as there is room for it."""
        self._room.get()
        return not self._closed
