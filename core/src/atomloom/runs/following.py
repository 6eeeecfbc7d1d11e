"""A run as the processes see it that take part in a fit and write nothing.

All processes of a crew compute the same, so each knows what the first one keeps on disk: a follower starts from the
checkpoints that the first process sends it, and holds those that come later in memory. An engine sees no difference.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atomloom.runs.checkpoint import Checkpoint, packed, unpacked
from atomloom.runs.crew import Crew
from atomloom.runs.epoch import Epoch
from atomloom.runs.folder import RunFolder
from atomloom.runs.progress import Display
from atomloom.runs.run import Run
from atomloom.runs.session import Session
from atomloom.runs.store import better

if TYPE_CHECKING:
    import numpy as np


def joined(crew: Crew, folder: str | Path, config: Mapping[str, Any], lead: Callable[[], Run]) -> Run:
    """The run of a crew as this process sees it; all processes have to call it.

    Args:
        crew: the processes.
        folder: of the run; followers do not look into it.
        config: the resolved experiment, as plain data.
        lead: makes or opens the run, and is called in the first process alone.
    """
    run = lead() if crew.leads else None
    if crew.processes == 1:
        assert run is not None, "a process alone leads"
        return run
    kept = (None, None) if run is None else (run.latest(), run.best())
    latest, best = (crew.from_first(b"" if each is None else packed(each)) for each in kept)
    return run or Follower(folder, config, Memory(*(unpacked(each) if each else None for each in (latest, best))))


class Memory:
    """The checkpoints of a follower.

    Args:
        latest: the state to go on from, if there is one.
        best: the one of the lowest score.
    """

    def __init__(self, latest: Checkpoint | None = None, best: Checkpoint | None = None) -> None:
        self.latest, self.best = latest, best

    def epochs_done(self) -> int:
        """How many epochs are behind the latest."""
        return self.latest.epoch if self.latest else 0

    def save(self, state: Checkpoint) -> None:
        """Hold a checkpoint as what it deserves to be."""
        self.latest = state
        if better(state, self.best):
            self.best = state


class Follower(Run):
    """A run that another process writes.

    Args:
        folder: of the run.
        config: the resolved experiment, as plain data.
        memory: the checkpoints so far.
    """

    leads = False

    def __init__(self, folder: str | Path, config: Mapping[str, Any], memory: Memory) -> None:
        self.files = RunFolder(Path(folder))
        self.config = dict(config)
        self.logger = logging.getLogger("atomloom.run.followed")
        self.logger.addHandler(logging.NullHandler())
        self.logger.propagate = False  # the first process says it all
        self.quiet = True
        self._stopped = False
        self._memory = memory

    @property
    def epochs_done(self) -> int:
        """How many epochs are behind the latest checkpoint."""
        return self._memory.epochs_done()

    def latest(self) -> Checkpoint | None:
        """The state to go on from."""
        return self._memory.latest

    def best(self) -> Checkpoint | None:
        """The state of the lowest score."""
        return self._memory.best

    @contextmanager
    def session(self) -> Iterator[None]:
        """Nothing is held and nothing recorded."""
        yield

    def epochs(self, total: int, save_every: int = 0, keep_last: int = 3) -> Iterator[Epoch]:
        """The epochs that are still to be done; see `Run.epochs`."""
        self._stopped = False
        for number in range(self.epochs_done + 1, total + 1):
            yield _FollowedEpoch(number, self.files, self._memory, Display(), Session(self.files, self.logger))
            if self._stopped:
                return

    def note(self, **facts: Any) -> None:
        """The first process notes it."""

    def steps(self, block: Mapping[str, np.ndarray]) -> None:
        """The first process passes it on."""


class _FollowedEpoch(Epoch):
    """An epoch that leaves nothing on disk."""

    def end(self) -> None:
        """Let no more metrics be given."""
        self._written = True
