"""The search itself: one trial after the other, each told to the study; what is killed goes on where it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from atomloom.errors import AtomloomError, ConfigError, RunError, RunFailed
from atomloom.experiment import Experiment, InFile, Place, load
from atomloom.pipeline import load_data
from atomloom.pipeline import resume as resume_run
from atomloom.progress import track
from atomloom.report import Report, save
from atomloom.runs import describe
from atomloom.runs.atomic import atomic_file, remove_folder
from atomloom.runs.lock import holder, locked
from atomloom.runs.session import reason_of
from atomloom.search.folder import SearchFolder, made
from atomloom.search.space import dimensions
from atomloom.search.study import check_installed, left_over, next_trial, opened
from atomloom.search.summary import summary_of
from atomloom.search.trials import Bench, NoSuchMetric

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

REASON = "reason"
"""The attribute of a trial that says why it failed."""

Told = Callable[["FrozenTrial"], None]


@dataclass(frozen=True)
class Found:
    """A search that is over.

    Args:
        folder: of the search.
        trials: all of them.
        best: the best one.
        report: of the search.
    """

    folder: SearchFolder
    trials: tuple[FrozenTrial, ...]
    best: FrozenTrial
    report: Report


def search(experiment: Experiment, path: Path, where: Place, told: Told = lambda _: None) -> Found:
    """Search in the folder `path`, which is made, or held this search already and then goes on.

    Args:
        experiment: with resolved paths and a search.
        where: it was written, for messages.
        told: of each trial that has ended.

    Raises:
        ConfigError: when the space holds what cannot be tried; nothing was written.
        RunError: when the folder holds something else, or another process searches in it.
        KeyboardInterrupt: on Ctrl-C; the same call goes on.
    """
    if experiment.search is None:
        todo = "Give it the table [search.space], with options and what they may be"
        raise ConfigError("search the options", "the experiment has no [search]", todo)
    check_installed()
    space = dimensions(experiment, where)
    data = load_data(experiment.data.source)
    folder, new = made(path, experiment)
    bench = Bench(experiment, space, folder, data)
    try:
        with locked(folder.lock, path, _held):
            return _searched(bench, opened(folder.journal, experiment.search), told)
    except NoSuchMetric:
        if new:
            remove_folder(path)
        raise


def resume(path: Path, told: Told = lambda _: None) -> Found:
    """Go on with the search in a folder."""
    folder = SearchFolder(path)
    return search(load(folder.config), path, InFile(str(folder.config)), told)


def _searched(bench: Bench, study: Study, told: Told) -> Found:
    _check_same_data(bench, study)
    for trial in track(_trials(bench, study), total=bench.search.trials, label="trials"):
        _try(bench, study, trial)
        told(study.trials[trial.number])
    return _ended(bench, study)


def _trials(bench: Bench, study: Study) -> Iterator[Trial]:
    """The one that was cut short, and new ones until there are enough."""
    began, search = monotonic(), bench.search
    if (trial := left_over(study)) is not None:
        yield trial
    while len(study.trials) < search.trials and monotonic() - began <= (search.timeout or math.inf):
        yield next_trial(study, search)


def _try(bench: Bench, study: Study, trial: Trial) -> None:
    """Run a trial; what goes wrong in it is its own affair and is kept with it."""
    from optuna.trial import TrialState

    try:
        value = bench.run(trial)
    except NoSuchMetric:
        raise
    except Exception as error:
        trial.set_user_attr(REASON, reason_of(error))
        study.tell(trial.number, state=TrialState.FAIL)
        return
    if value is None:
        study.tell(trial.number, state=TrialState.PRUNED)
    elif math.isfinite(value):
        study.tell(trial.number, value)
    else:
        trial.set_user_attr(REASON, f"{bench.search.metric} is {value}")
        study.tell(trial.number, state=TrialState.FAIL)


def _ended(bench: Bench, study: Study) -> Found:
    """The best experiment and the reports, of its run and of the search."""
    from optuna.trial import TrialState

    folder, trials = bench.folder, study.trials
    if not any(trial.state == TrialState.COMPLETE for trial in trials):
        reasons = [trial.user_attrs[REASON] for trial in trials if REASON in trial.user_attrs]
        found = f"none of its {len(trials)} trials came to an end" + (f" ({reasons[0]})" if reasons else "")
        raise RunFailed(f"name the best trial of '{folder.path}'", found, "Change what [search.space] holds")
    best = study.best_trial
    resume_run(folder.trial(best.number), quiet=True)  # which gives it its report
    text = (folder.trial(best.number) / "config.toml").read_text(encoding="utf-8")
    with atomic_file(folder.best, "w") as file:
        file.write(text)
    report = summary_of(bench, study)
    save(report, folder.report)
    return Found(folder, tuple(trials), best, report)


def _check_same_data(bench: Bench, study: Study) -> None:
    now = describe(data=bench.data.files)["data"]
    before = study.user_attrs.get("data")
    if before is None:
        study.set_user_attr("data", now)
    elif before != now:
        found = "its data have changed since it was started"
        raise RunError(f"go on with the search '{bench.folder.path}'", found, "Bring the data back, or start a new one")


def _held(lock: Path, path: Path) -> AtomloomError:
    by = holder(lock)
    who = f"process {by.pid} on {by.host}" if by else "another process"
    return RunError(f"search in '{path}'", f"{who} searches in it", "Wait for its end")
