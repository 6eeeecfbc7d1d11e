"""Items that are made in a thread while the last one is still used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")

_END = object()
_POLL = 0.1  # seconds after which a maker looks whether anybody still waits


@contextmanager
def ahead(items: Iterable[Item], depth: int) -> Iterator[Iterator[Item]]:
    """The same items in the same order, up to `depth` of them made before they are asked for.

    What making one raises is raised where it would have come; leaving the ``with`` block stops the making.

    >>> with ahead(range(3), depth=2) as numbers:
    ...     list(numbers)
    [0, 1, 2]
    """
    made: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(maxsize=depth)
    left = threading.Event()
    thread = threading.Thread(target=_make, args=(items, made, left), name="atomloom-ahead", daemon=True)
    thread.start()
    try:
        yield _taken(made)
    finally:
        left.set()
        thread.join()


def _make(items: Iterable[Any], made: queue.Queue[tuple[Any, BaseException | None]], left: threading.Event) -> None:
    try:
        for item in items:
            if not _put(made, (item, None), left):
                return
        _put(made, (_END, None), left)
    except BaseException as error:  # goes on where the item is asked for
        _put(made, (_END, error), left)


def _put(made: queue.Queue[tuple[Any, BaseException | None]], item: Any, left: threading.Event) -> bool:
    while not left.is_set():
        try:
            made.put(item, timeout=_POLL)
        except queue.Full:
            continue
        return True
    return False


def _taken(made: queue.Queue[tuple[Any, BaseException | None]]) -> Iterator[Any]:
    while True:
        item, error = made.get()
        if error is not None:
            raise error
        if item is _END:
            return
        yield item
