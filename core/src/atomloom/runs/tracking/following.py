"""What the services that a run asks for get to know, as observers of runs do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atomloom.runs import metrics
from atomloom.runs.metrics import Row
from atomloom.runs.tracking.courier import Courier
from atomloom.runs.tracking.services import Known, Service, Subject, wanted

if TYPE_CHECKING:
    from atomloom.runs.run import Run

_open: dict[Path, Followed] = {}


def started(run: Run) -> None:
    """Tell the services that a session begins."""
    _open[run.folder] = Followed(run)


def continued(run: Run, block: Mapping[str, Any]) -> None:
    """Tell them of a block of steps, and of the epochs that have ended since the last one."""
    _open[run.folder].tell(block)


def ended(run: Run, outcome: str) -> None:
    """Tell them of the last epochs and of the end."""
    _open.pop(run.folder).close(outcome)


class NewEpochs:
    """The epochs of a run that were not seen yet; each line of its metrics is read once.

    Args:
        run: whose session begins; what its checkpoint has behind it was seen before.
    """

    def __init__(self, run: Run) -> None:
        self._path, self._last, self._place = run.files.metrics, run.epochs_done, 0

    def take(self) -> list[Row]:
        """Those that have ended since the last call."""
        found, self._place = metrics.since(self._path, self._place)
        new = [row for row in found if row.epoch > self._last]
        self._last = max([self._last, *(row.epoch for row in new)])
        return new


class Followed:
    """A session of a run with the services that follow it.

    Args:
        run: which begins.
    """

    def __init__(self, run: Run) -> None:
        self._new = NewEpochs(run)
        subject = Subject.of(run)
        self._posts = [_Post(known, subject) for known in wanted(run.config).values()]

    def tell(self, block: Mapping[str, Any]) -> None:
        """Pass on a block of steps and the epochs that are new."""
        for post in self._posts:
            post.send("updates", dict(block))
        self._tell_epochs()

    def close(self, outcome: str) -> None:
        """Pass on the rest and how it ended."""
        self._tell_epochs()
        for post in self._posts:
            post.send("finish", outcome)
        for post in self._posts:
            post.courier.close()

    def _tell_epochs(self) -> None:
        if rows := self._new.take():
            for post in self._posts:
                post.send("epochs", rows)


class _Post:
    """A service and its courier, in whose thread it is made as well: importing such a package takes seconds."""

    def __init__(self, known: Known, subject: Subject) -> None:
        self.courier = Courier(known.title)
        self._known = known
        self._service: Service | None = None
        self.courier.send(partial(self._start, subject))

    def send(self, method: str, *given: Any) -> None:
        self.courier.send(lambda: getattr(self._service, method)(*given))

    def _start(self, subject: Subject) -> None:
        self._service = self._known.make()
        self._service.start(subject)
