"""One progress bar for anything that takes a while; quiet unless the command line switched it on.

Library code wraps what it iterates over in `track` and knows nothing of terminals:

>>> sum(track([1, 2, 3], total=3, label="adding"))
6
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

_T = TypeVar("_T")
_shown: ContextVar[bool] = ContextVar("atomloom_progress", default=False)


@contextmanager
def showing_progress(shown: bool = True) -> Iterator[None]:
    """Within this block `track` draws a bar on stderr, if that is a terminal or a notebook."""
    token = _shown.set(shown)
    try:
        yield
    finally:
        _shown.reset(token)


def track(items: Iterable[_T], *, total: int, label: str) -> Iterator[_T]:
    """The items unchanged, with a bar that counts them up to `total` and estimates when they end."""
    if not _shown.get():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(items, total=total, description=label)
