"""What a person at a terminal or in a notebook sees of a fit: the last epochs as a table, and a bar with what is left.

Nothing is shown where nobody looks: when the error stream is neither a terminal nor a notebook's.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

ROWS = 8
"""How many epochs the table shows."""
_EPOCH_WIDTH, _NUMBER_WIDTH, _GAP = 8, 9, 2  # characters


class Display:
    """Shows nothing; the base of what does.

    >>> with Display().shown(done=0, total=10) as display:
    ...     display.advanced(10, 100)
    ...     display.logged(1, {"train/loss": 0.5})
    """

    @contextmanager
    def shown(self, done: int, total: int) -> Iterator[Display]:
        """Be on the screen during the ``with`` block, `done` of `total` epochs being completed."""
        yield self

    def advanced(self, done: int, of: int) -> None:
        """Within the present epoch, `done` structures of `of` have been seen."""

    def logged(self, epoch: int, values: Mapping[str, float]) -> None:
        """The metrics of an epoch are known."""

    def told(self, text: str) -> None:
        """The engine has some lines to show, such as a table."""

    def completed(self, epoch: int) -> None:
        """An epoch has ended."""


class TerminalDisplay(Display):
    """The display for people.

    Args:
        console: where to draw.
        name: of the run.
    """

    def __init__(self, console: Console, name: str) -> None:
        from rich.markup import escape  # rich is slow to import, and most processes draw nothing
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = console
        self._name = escape(name)
        self._latest: deque[tuple[int, Mapping[str, float]]] = deque(maxlen=ROWS)
        self._epoch_began = time.monotonic()
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs ·"),
            TimeElapsedColumn(),
            TextColumn("· left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("[dim]{task.fields[rate]}"),
            console=console,
        )

    @contextmanager
    def shown(self, done: int, total: int) -> Iterator[Display]:
        """Draw, and leave the last state on the screen."""
        from rich.live import Live

        self._completed = done
        self._task = self._progress.add_task(self._name, total=total, completed=done, rate="")
        with Live(get_renderable=self._drawn, console=self._console, refresh_per_second=4, vertical_overflow="crop"):
            yield self

    def advanced(self, done: int, of: int) -> None:
        """Move the bar within the epoch and show the structures per second."""
        seconds = time.monotonic() - self._epoch_began
        rate = f"· {done / seconds:,.0f} structures/s" if seconds > 0 else ""
        self._progress.update(self._task, completed=self._completed + min(done / max(of, 1), 1.0), rate=rate)

    def logged(self, epoch: int, values: Mapping[str, float]) -> None:
        """Add a row to the table."""
        self._latest.append((epoch, dict(values)))

    def told(self, text: str) -> None:
        """Print it above what is drawn, as it is."""
        self._console.print(text, markup=False, highlight=False)

    def completed(self, epoch: int) -> None:
        """Move the bar to the end of the epoch."""
        self._epoch_began = time.monotonic()
        self._completed = epoch
        self._progress.update(self._task, completed=epoch)

    def _drawn(self) -> RenderableType:
        from rich.box import SIMPLE_HEAD
        from rich.console import Group
        from rich.table import Table

        latest = list(self._latest)  # this runs in rich's own thread while the fit goes on
        if not latest:
            return self._progress
        table = Table(box=SIMPLE_HEAD, header_style="dim", pad_edge=False)
        table.add_column("epoch", justify="right")
        names = fitting(paired(name for _, values in latest for name in values), self._console.width)
        for name in names:
            table.add_column(name, justify="right", no_wrap=True)
        for epoch, values in latest:
            table.add_row(str(epoch), *(f"{values[name]:.4g}" if name in values else "" for name in names))
        return Group(table, self._progress)


def paired(names: Iterable[str]) -> list[str]:
    """Each name once, what was measured on several parts of the data side by side.

    >>> paired(["train/loss", "train/E/mae", "valid/loss", "valid/E/mae"])
    ['train/loss', 'valid/loss', 'train/E/mae', 'valid/E/mae']
    """
    once = list(dict.fromkeys(names))
    places = list(dict.fromkeys(name.partition("/")[2] or name for name in once))
    return sorted(once, key=lambda name: places.index(name.partition("/")[2] or name))


def fitting(names: Iterable[str], width: int) -> list[str]:
    """The first of these columns that fit side by side, beside the one of the epochs.

    >>> fitting(["train/loss", "valid/loss", "valid/forces/mae"], width=40)
    ['train/loss', 'valid/loss']
    """
    kept, left = [], width - _EPOCH_WIDTH
    for name in names:
        left -= max(len(name), _NUMBER_WIDTH) + _GAP
        if left < 0:
            break
        kept.append(name)
    return kept


def display_for(name: str) -> Display:
    """The display that fits where the error stream goes."""
    from rich.console import Console

    console = Console(stderr=True)
    return TerminalDisplay(console, name) if console.is_terminal or console.is_jupyter else Display()
