"""One pass over the data, as an engine sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from atomloom.errors import PluginError, RunFailed
from atomloom.runs import metrics
from atomloom.runs.checkpoint import Checkpoint
from atomloom.runs.folder import RunFolder
from atomloom.runs.progress import Display
from atomloom.runs.session import Session

if TYPE_CHECKING:
    import numpy as np

LOSS = "train/loss"
"""The metric that must stay finite."""


class Keeper(Protocol):
    """Where checkpoints go."""

    def save(self, state: Checkpoint) -> None:
        """Keep one."""

    def epochs_done(self) -> int:
        """How many epochs are behind the latest."""


class Epoch:
    """An epoch of a fit, from `Run.epochs`.

    Args:
        number: how many epochs are completed once this one ends; the first has 1.
        files: the run's folder.
        store: where checkpoints go.
        display: who is told of progress.
        session: who is told that the fit cannot go on.
    """

    def __init__(self, number: int, files: RunFolder, store: Keeper, display: Display, session: Session) -> None:
        self.number = number
        self._files = files
        self._store = store
        self._display = display
        self._session = session
        self._values: dict[str, float] = {}
        self._written = False

    def advance(self, done: int, of: int) -> None:
        """Tell that `done` of the epoch's `of` structures have been seen."""
        self._display.advanced(done, of)

    def tell(self, text: str) -> None:
        """Put some lines into the log of the run and, where a person looks, above the bar."""
        self._session.logger.info("%s", text)
        self._display.told(text)

    def log(self, values: Mapping[str, float]) -> None:
        """Give metrics of this epoch, before its state is saved; several calls add up to one line.

        Args:
            values: by name; the part before the first slash is the data that they were measured on, as in
                ``"valid/energy/mae"``.

        Raises:
            RunFailed: when ``train/loss`` is not finite.
            PluginError: when the epoch's line is written already.
        """
        if self._written:
            raise PluginError(
                f"log {', '.join(values)} in epoch {self.number}",
                "the epoch was saved before, and its metrics with it",
                "The engine has to call epoch.log before epoch.save",
            )
        self._values.update({name: float(value) for name, value in values.items()})
        if not math.isfinite(self._values.get(LOSS, 0.0)):
            self._give_up()

    def save(self, leaves: Mapping[str, np.ndarray], extra: Mapping[str, Any], score: float | None = None) -> None:
        """Keep the state at the end of this epoch: as the latest, as the best if its score is, and periodically.

        Args:
            leaves: everything that is an array, by name.
            extra: everything else that is needed to go on, as plain data.
            score: what the best is chosen by; lower is better.
        """
        self.end()
        self._store.save(Checkpoint(self.number, leaves, extra, score))

    @property
    def values(self) -> Mapping[str, float]:
        """The metrics that were given so far."""
        return dict(self._values)

    def end(self) -> None:
        """Write the epoch's line of metrics, once; called by `save` and at the end of the epoch."""
        if not self._written:
            self._written = True
            metrics.append(self._files.metrics, self.number, self._values)
            self._display.logged(self.number, self._values)

    def _give_up(self) -> None:
        value = self._values[LOSS]
        self.end()
        done = self._store.epochs_done()
        state = f"The state after epoch {done} is kept" if done else "No state was saved before"
        self._session.trouble = RunFailed(
            f"go on with the run '{self._files.name}'",
            f"{LOSS} is {value} in epoch {self.number}",
            f"{state}; lower the learning rate, or look for outliers with `atomloom inspect`",
        )
        raise self._session.trouble
