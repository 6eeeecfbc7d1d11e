"""Items prepared in a background thread: order, errors, and that the thread ends with whoever reads it."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from atomloom.batching import ahead
from atomloom.errors import ConfigError

PATIENCE = 30.0  # seconds after which something that has to happen did not


class Source:
    """Numbers, with a record of who made how many and whether it was closed."""

    def __init__(self) -> None:
        self.made = 0
        self.makers: set[threading.Thread] = set()
        self.closers: list[threading.Thread] = []

    def numbers(self, count: int = 1000) -> Iterator[int]:
        """So many numbers, one after the other."""
        try:
            for number in range(count):
                self.makers.add(threading.current_thread())
                self.made += 1
                yield number
        finally:
            self.closers.append(threading.current_thread())


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Every test ends with the threads that it began with."""
    before = threading.active_count()
    yield
    assert threading.active_count() == before


@pytest.mark.parametrize("depth", [0, 1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_the_items_are_those_of_the_source(count: int, depth: int) -> None:
    """All of them, in their order, whatever the depth; the source is closed at the end."""
    source = Source()
    assert list(ahead(source.numbers(count), depth)) == list(range(count))
    assert len(source.closers) == 1


@pytest.mark.parametrize("depth", [1, 3])
def test_items_are_prepared_while_others_are_used_and_no_more_than_asked_for(depth: int) -> None:
    """While the first item is in use the thread makes `depth` more; never are more of them waiting."""
    used, furthest, waiting = 0, threading.Event(), []

    def numbers() -> Iterator[int]:
        for number in range(20):
            waiting.append(number - used)
            if number == depth:
                furthest.set()
            yield number

    for _ in ahead(numbers(), depth):
        assert furthest.wait(PATIENCE)
        used += 1
    # An item is on its way from the thread to the reader before the reader can count it.
    assert max(waiting) <= depth


def test_no_thread_is_used_where_nothing_is_prepared_ahead() -> None:
    """Depth 0 makes each item when it is asked for, in the thread that asks."""
    source = Source()
    for number in ahead(source.numbers(5), 0):
        assert source.made == number + 1
    assert source.makers == {threading.current_thread()}


def test_a_negative_depth_is_told() -> None:
    """What is no depth is refused at the call, not at the first item."""
    with pytest.raises(ConfigError, match=r"Cannot prepare items ahead: -1 is no number of items\. Give 1 or more, or"):
        ahead([], -1)


@pytest.mark.parametrize("depth", [0, 1, 4])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_of_the_source_comes_in_its_place(kind: type[BaseException], depth: int) -> None:
    """Items before it are handed out first; the traceback leads to the line of the source; then it is over."""

    def breaks() -> Iterator[int]:
        yield from range(3)
        raise kind("broken here")

    items, seen = ahead(breaks(), depth), []
    with pytest.raises(kind, match="broken here") as caught:
        seen.extend(iter(lambda: next(items), None))
    assert "breaks" in [entry.name for entry in caught.traceback]
    caught = None  # type: ignore[assignment]  # it holds frames
    assert list(items) == []


def test_what_is_no_source_is_told_when_it_is_read() -> None:
    """The error is Python's own."""
    with pytest.raises(TypeError, match="not iterable"):
        next(ahead(3))  # type: ignore[arg-type]  # on purpose


def _break(source: Source) -> None:
    for number in ahead(source.numbers()):
        if number == 3:
            break


def _raise(source: Source) -> None:
    with pytest.raises(ZeroDivisionError):
        list(map(lambda number: 1 / (3 - number), ahead(source.numbers())))


def _close(source: Source) -> None:
    items = ahead(source.numbers())
    next(items)
    items.close()
    assert next(items, None) is None


def _forget(source: Source) -> None:
    items = ahead(source.numbers())
    next(items)
    del items


def _forget_in_a_cycle(source: Source) -> None:
    items = ahead(source.numbers())
    next(items)
    cycle = [items]
    cycle.append(cycle)  # type: ignore[arg-type]  # it holds itself
    del items, cycle
    gc.collect()


def _nest(source: Source) -> None:
    for _ in ahead(ahead(source.numbers(), 3), 1):
        break


@pytest.mark.parametrize("leave", [_break, _raise, _close, _forget, _forget_in_a_cycle, _nest])
def test_the_thread_ends_with_its_reader(leave: Callable[[Source], None]) -> None:
    """However a reader leaves, the thread that read the source has closed it and ended; 100 times over."""
    for _ in range(100):
        source = Source()
        leave(source)
        assert source.closers == list(source.makers) != [threading.current_thread()]
        assert source.made < 20
    assert threading.active_count() == 1 or all(t.name != "atomloom ahead" for t in threading.enumerate())


def test_an_iterator_that_was_never_read_starts_nothing() -> None:
    """Neither the thread nor the source."""
    source = Source()
    items = ahead(source.numbers())
    assert threading.active_count() == 1 or all(t.name != "atomloom ahead" for t in threading.enumerate())
    del items
    assert not source.made


def test_the_thread_itself_may_collect_its_reader() -> None:
    """A garbage collection in the thread that finds its own reader ends it, and does not wait for itself."""
    forgotten, ended = threading.Event(), threading.Event()

    def numbers() -> Iterator[int]:
        try:
            yield 0
            assert forgotten.wait(PATIENCE)
            gc.collect()
            yield 1
        finally:
            ended.set()

    items = ahead(numbers(), 1)
    next(items)
    cycle = [items]
    cycle.append(cycle)  # type: ignore[arg-type]  # it holds itself
    gc.disable()
    try:
        del items, cycle
        forgotten.set()
        assert ended.wait(PATIENCE)
    finally:
        gc.enable()
    for thread in threading.enumerate():
        if thread.name == "atomloom ahead":
            thread.join(PATIENCE)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs a signal to one thread")
def test_control_c_while_an_item_is_waited_for() -> None:
    """The interrupt reaches the reader, and the thread ends when its item is made."""
    main = threading.main_thread().ident
    assert main is not None

    def numbers() -> Iterator[int]:
        while True:
            yield 0
            signal.pthread_kill(main, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        list(ahead(numbers()))


def test_what_a_source_raises_on_being_closed_reaches_who_closes_it() -> None:
    """It is not lost in the thread."""

    def numbers() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            raise OSError("cannot clean up")

    items = ahead(numbers())
    next(items)
    with pytest.raises(OSError, match="cannot clean up"):
        items.close()


def test_an_item_belongs_to_its_reader() -> None:
    """Nothing keeps an item that the reader let go, so that memory is held for `depth` items and the one in use."""

    class Item:
        pass

    items = ahead((Item() for _ in range(5)), 2)
    for _ in range(5):
        item = next(items)
        gone = weakref.ref(item)
        del item
        assert gone() is None


AT_EXIT = """
import threading, time
from atomloom.batching import ahead
def numbers():
    try:
        for number in range(100):
            yield number
            {then}
    finally:
        print("closed")
items = ahead(numbers())
print(next(items))
cycle = [items]
cycle.append(cycle)
"""


@pytest.mark.parametrize(
    ("then", "printed"),
    [("pass", "0\nclosed\n"), ("threading.Event().wait()", "0\n"), ("time.sleep(0.01)", "0\nclosed\n")],
)
def test_the_interpreter_exits_while_items_are_prepared(then: str, printed: str) -> None:
    """A source that ends gets closed, and one that is stuck is left behind; neither holds the exit up or complains."""
    command = [sys.executable, "-c", AT_EXIT.format(then=then)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")
