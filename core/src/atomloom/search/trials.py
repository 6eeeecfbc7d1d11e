"""One trial: an ordinary run, watched epoch by epoch, and stopped where it promises nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atomloom.errors import ConfigError
from atomloom.experiment import Experiment, InFile
from atomloom.experiment.searching import Search
from atomloom.experiment.wording import nearest
from atomloom.pipeline import Harmonised, prepare
from atomloom.pipeline.fitting import fitted_in
from atomloom.runs import Run
from atomloom.runs.history import summarize
from atomloom.search.folder import SearchFolder
from atomloom.search.space import Dimension, applied

if TYPE_CHECKING:
    from optuna.trial import Trial

PRUNED = "pruned"
"""The attribute of a trial that says after which epoch it was stopped."""


class NoSuchMetric(ConfigError):
    """The runs of this search do not measure what it is to judge by."""


@dataclass(frozen=True)
class Bench:
    """What all trials of a search share.

    Args:
        experiment: with its search.
        space: the options that are tried.
        folder: of the search.
        data: read once.
    """

    experiment: Experiment
    space: tuple[Dimension, ...]
    folder: SearchFolder
    data: Harmonised

    @property
    def search(self) -> Search:
        """The ``[search]`` table."""
        assert self.experiment.search is not None
        return self.experiment.search

    def run(self, trial: Trial) -> float | None:
        """Fit the run of a trial, or go on with it: what it is judged by, None where it was stopped.

        Raises:
            NoSuchMetric: when the metric is none of the run's.
        """
        values = {(dimension.table, dimension.name): dimension.drawn(trial) for dimension in self.space}
        path = self.folder.trial(trial.number)
        if path.exists():
            self._catch_up(trial, Run.open(path))
        if PRUNED not in trial.user_attrs:
            job = prepare(applied(self.experiment, values), InFile(str(self.folder.config)), self.data)
            fitted_in(path, job, lambda run, epoch, metrics: self._watch(trial, run, epoch, metrics))
        if PRUNED in trial.user_attrs:
            return None
        came_to = summarize(Run.open(path).files)
        found = came_to.best or came_to.final
        return self._metric(found)

    def _catch_up(self, trial: Trial, run: Run) -> None:
        """Tell of the last epoch that was saved, if a kill came before it was told."""
        columns, done = run.metrics(), run.epochs_done
        if not done or done in trial.study.trials[trial.number].intermediate_values:
            return
        row = int((columns["epoch"] == done).argmax())
        self._watch(trial, run, done, {name: float(values[row]) for name, values in columns.items()})

    def _watch(self, trial: Trial, run: Run, epoch: int, metrics: Mapping[str, float]) -> None:
        trial.report(self._metric(metrics), epoch)
        if trial.should_prune():
            trial.set_user_attr(PRUNED, epoch)
            run.stop(f"the trial was pruned after epoch {epoch}")

    def _metric(self, metrics: Mapping[str, float]) -> float:
        name = self.search.metric
        if name not in metrics:
            near = nearest(name, metrics)
            todo = f"the nearest is '{near}'" if near else f"there are {', '.join(metrics)}"
            found = f"the runs do not measure it; {todo}"
            raise NoSuchMetric(f"judge trials by '{name}'", found, "Correct `search.metric`")
        return float(metrics[name])
