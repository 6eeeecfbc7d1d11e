"""The checkpoints of one run: which are kept, under which names, and in which order they are written.

``latest`` is written last, after all else is in order. Whatever moment a kill strikes at, the fit goes on from a
``latest`` whose companions are there already, or does the epoch again and writes the same once more.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from atomloom.errors import AtomloomError, DataError
from atomloom.runs import checkpoint
from atomloom.runs.checkpoint import Checkpoint, Summary
from atomloom.runs.folder import RunFolder
from atomloom.runs.targets import writing

_PERIODIC = re.compile(r"epoch-(\d+)")


@dataclass(frozen=True)
class Store:
    """The checkpoints in the folder of a run.

    Args:
        files: the run's folder.
        save_every: every how many epochs a checkpoint is kept beside the latest and the best; 0 for never.
        keep_last: how many of those are kept; 0 for all.
    """

    files: RunFolder
    save_every: int = 0
    keep_last: int = 3

    def latest(self) -> Checkpoint | None:
        """The checkpoint to go on from: ``latest``, or the newest other one if that was deleted; None without any.

        Raises:
            DataError: when it is damaged; the message names the newest one that is whole.
        """
        path = self.latest_path()
        return self._load(path) if path else None

    def best(self) -> Checkpoint | None:
        """The checkpoint of the lowest score; None if no score was given yet.

        Raises:
            DataError: when it is damaged.
        """
        path = self.files.checkpoint("best")
        return self._load(path) if path.exists() else None

    def latest_path(self) -> Path | None:
        """The file that `latest` reads."""
        path = self.files.checkpoint("latest")
        return path if path.exists() else next(iter(self._by_age()), None)

    def epochs_done(self) -> int:
        """How many epochs a resumed fit needs not do again."""
        path = self.latest_path()
        if path is None:
            return 0
        try:
            return checkpoint.peek(path).epoch
        except DataError as error:
            raise self._with_way_out(path, error) from error

    def settle(self) -> int:
        """Bring the checkpoints in order before a fit goes on; gives how many epochs need not be done again.

        Without a ``latest`` (the first save was cut short, or somebody deleted it) the newest other one becomes that.
        """
        if not self.files.checkpoint("latest").exists() and (state := self.latest()):
            self.save(state)
        return self.epochs_done()

    def save(self, state: Checkpoint) -> None:
        """Keep a checkpoint under all names that it deserves.

        Raises:
            TargetError: when it cannot be written; the former ones are untouched.
        """
        with writing(self.files.checkpoints):
            self.files.checkpoints.mkdir(exist_ok=True)
        periodic = [f"epoch-{state.epoch:05d}"] if self.save_every and state.epoch % self.save_every == 0 else []
        best = ["best"] if self._is_best(state) else []
        written: Path | None = None
        for name in (*best, *periodic, "latest"):
            if name == "latest":
                self._prune()
            path = self.files.checkpoint(name)
            if written is None:
                checkpoint.save(path, state)
            else:
                checkpoint.copy(written, path)
            written = path

    def _is_best(self, state: Checkpoint) -> bool:
        try:
            return better(state, checkpoint.peek(self.files.checkpoint("best")))
        except DataError:
            return better(state, None)  # there is none, or none that can be read

    def _prune(self) -> None:
        periodic = sorted(self._periodic(), key=_epoch_in_name)
        for path in periodic[: -self.keep_last] if self.keep_last else []:
            path.with_suffix(".json").unlink(missing_ok=True)  # first, for it is found by way of the other
            path.unlink(missing_ok=True)

    def _periodic(self) -> list[Path]:
        found = self.files.checkpoints.glob("epoch-*.safetensors")
        return [path for path in found if _PERIODIC.fullmatch(path.stem)]

    def _by_age(self) -> list[Path]:
        """All checkpoints but the latest, the newest first."""
        best = self.files.checkpoint("best")
        others = [*self._periodic(), *([best] if best.exists() else [])]
        return sorted(others, key=_age, reverse=True)

    def _load(self, path: Path) -> Checkpoint:
        try:
            return checkpoint.load(path)
        except DataError as error:
            raise self._with_way_out(path, error) from error

    def _with_way_out(self, path: Path, error: DataError) -> DataError:
        latest = self.files.checkpoint("latest")
        whole = next((other for other in (latest, *self._by_age()) if other != path and _is_whole(other)), None)
        if whole is None:
            todo = f"No other checkpoint is whole; delete '{self.files.checkpoints}' to start again from the beginning"
        elif path == self.files.checkpoint("best"):
            todo = f"'{whole}' is whole (epoch {checkpoint.peek(whole).epoch}); delete the damaged one"
        else:
            epoch = checkpoint.peek(whole).epoch
            todo = f"'{whole}' is whole (epoch {epoch}); delete the damaged one, and a resumed run goes on from there"
        return DataError(error.asked, error.found, todo)


def better(state: Checkpoint, best: Checkpoint | Summary | None) -> bool:
    """Whether a state is to take the place of the best one so far.

    >>> better(Checkpoint(2, {}, {}, score=0.5), Checkpoint(1, {}, {}, score=0.7))
    True
    """
    if state.score is None or math.isnan(state.score):
        return False
    if best is None or best.score is None or best.epoch == state.epoch:  # the last: it is done again after a kill
        return True
    return state.score < best.score


def _is_whole(path: Path) -> bool:
    try:
        checkpoint.load(path)
    except AtomloomError:
        return False
    return True


def _age(path: Path) -> int:
    try:
        return checkpoint.peek(path).epoch
    except AtomloomError:
        return _epoch_in_name(path)


def _epoch_in_name(path: Path) -> int:
    found = _PERIODIC.fullmatch(path.stem)
    return int(found[1]) if found else -1
