"""A fit with a memory: what an engine needs to be resumable, watched and told apart.

An engine loops over `Run.epochs` and forgets about folders, locks, signals and progress bars::

    def fit(state, data, losses, run):
        if last := run.latest():
            state = state.replace(last.leaves)
        for epoch in run.epochs(total=100, save_every=10):
            state, loss = one_pass(state, data)
            epoch.log({"train/loss": loss})
            epoch.save(state.leaves, extra={}, score=loss)
        return state
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atomloom.errors import ConfigError, PluginError
from atomloom.runs import folder as folders
from atomloom.runs import metrics
from atomloom.runs.checkpoint import Checkpoint
from atomloom.runs.epoch import Epoch
from atomloom.runs.folder import RunFolder
from atomloom.runs.observing import Observers, registered
from atomloom.runs.progress import Display, display_for
from atomloom.runs.session import Session, sitting
from atomloom.runs.status import status_of
from atomloom.runs.store import Store

if TYPE_CHECKING:
    import numpy as np


class Run:
    """A fit in a folder of its own; made by `create` or `open`.

    Attributes:
        files: the names of everything in the folder.
        config: the resolved experiment, as plain data.
        logger: what is said to it goes to ``run.log``.
        quiet: whether to show no progress even to a person.
        watch: is told of each epoch that has ended, with its number and its metrics; it may `stop` the run.
        leads: whether this process is the one that writes the run; see `atomloom.runs.following`.
    """

    leads = True

    def __init__(self, files: RunFolder, observers: Observers | None = None) -> None:
        self.files = files
        self.config = files.read_config()
        self.logger = logging.getLogger("atomloom.run")
        self.quiet = False
        self.watch: Callable[[int, Mapping[str, float]], None] | None = None
        self._observers = observers
        self._session: Session | None = None
        self._stopped = False
        files.read_provenance()

    @classmethod
    def create(
        cls,
        folder: str | Path,
        config: Mapping[str, Any],
        provenance: Mapping[str, Any],
        *,
        observers: Observers | None = None,
    ) -> Run:
        """Start a new run.

        Args:
            folder: where; it must not exist yet.
            config: the resolved experiment, as plain data.
            provenance: as from `atomloom.runs.describe`.
            observers: who is told what happens; by default those that plugins register.

        Raises:
            RunError: when the folder exists; the message offers the next free name.
            TargetError: when it cannot be written.
        """
        return cls(folders.create(folder, config, provenance), observers)

    @classmethod
    def open(cls, folder: str | Path, *, observers: Observers | None = None) -> Run:
        """Open a run that exists, to read it or to go on with it.

        Raises:
            RunError: when it is missing or damaged.
        """
        return cls(RunFolder(Path(folder)), observers)

    def __repr__(self) -> str:
        return f"<Run '{self.folder}'>"

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.files.path

    @property
    def name(self) -> str:
        """The run's name, which is its folder's."""
        return self.files.name

    @property
    def provenance(self) -> dict[str, Any]:
        """What ``provenance.json`` holds at present."""
        return self.files.read_provenance()

    @property
    def status(self) -> str:
        """``running``, ``interrupted``, ``failed`` or ``finished``; one that never began counts as interrupted."""
        return status_of(self.files)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be done."""
        return self.status == "finished"

    @property
    def epochs_done(self) -> int:
        """How many epochs are behind the latest checkpoint."""
        return Store(self.files).epochs_done()

    def latest(self) -> Checkpoint | None:
        """The state to go on from; None if none was saved yet.

        Raises:
            DataError: when it is damaged; the message names one that is whole.
        """
        return Store(self.files).latest()

    def best(self) -> Checkpoint | None:
        """The state of the lowest score; None if no score was given yet.

        Raises:
            DataError: when it is damaged; the message names one that is whole.
        """
        return Store(self.files).best()

    def metrics(self) -> dict[str, np.ndarray]:
        """The metrics by name, one value per epoch, beside ``epoch``."""
        return metrics.columns(self.files.metrics)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Hold the run while the ``with`` block fits it, and record how that ends.

        Ctrl-C and a polite termination leave a resumable run; every exception passes on. Within another session of
        this object it does nothing, so that both a command and an engine may open one.

        Raises:
            RunError: when another process fits this run.
        """
        if self._session is not None:
            yield
            return
        try:
            with sitting(self.files, self.logger, self._ended) as self._session:
                self.logger.info("started '%s', of which %d epochs are done", self.folder, self.epochs_done)
                self._watchers().run_started(self)
                yield
        finally:
            self._session = None

    def epochs(self, total: int, save_every: int = 0, keep_last: int = 3) -> Iterator[Epoch]:
        """The epochs that are still to be done, the one after the latest checkpoint first.

        A person at a terminal or in a notebook sees a bar with the time that is left. Leaving the loop early leaves
        an interrupted run; `stop` ends it as finished.

        Args:
            total: how many epochs the whole fit has.
            save_every: every how many epochs a checkpoint is kept beside the latest and the best; 0 for never.
            keep_last: how many of those are kept; 0 for all.
        """
        _check_counts(total=total, save_every=save_every, keep_last=keep_last)
        with self.session():
            assert self._session is not None, "a session was just opened"
            yield from self._remaining(self._session, total, Store(self.files, save_every, keep_last))

    def stop(self, reason: str) -> None:
        """Let this epoch be the last, because the fit has reached its goal."""
        self.logger.info("stopped: %s", reason)
        self._stopped = True

    def note(self, **facts: Any) -> None:
        """Add to what ``provenance.json`` says of this session, such as how fast it was; numbers, texts and lists.

        Raises:
            PluginError: outside of a session.
        """
        if self._session is None:
            todo = "The engine has to do so within run.session() or its loop over run.epochs"
            raise PluginError(f"note {', '.join(facts)} of the run '{self.name}'", "it is not being fitted", todo)
        self._session.note(**facts)

    def steps(self, block: Mapping[str, np.ndarray]) -> None:
        """Pass the metrics of a block of steps, fetched from the device, to the observers."""
        self._watchers().steps_finished(self, block)

    def _remaining(self, session: Session, total: int, store: Store) -> Iterator[Epoch]:
        session.complete = self._stopped = False
        done = store.settle()
        metrics.cut_back(self.files.metrics, done)
        session.note(epochs_before=done, total=total)
        display = Display() if self.quiet or done >= total else display_for(self.name)
        with display.shown(done, total):
            for number in range(done + 1, total + 1):
                epoch = Epoch(number, self.files, store, display, session)
                yield epoch
                epoch.end()
                if self.watch is not None:
                    self.watch(number, epoch.values)
                display.completed(number)
                if self._stopped:
                    break
        session.complete = True

    def _ended(self, outcome: str) -> None:
        self._watchers().run_finished(self, outcome)

    def _watchers(self) -> Observers:
        self._observers = registered() if self._observers is None else self._observers
        return self._observers


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 0:
            raise ConfigError(f"fit with {name} = {count}", "it is negative", "Give 0 or more")
