"""Optuna's memory of a search, which lies as a journal in its folder and outlives a kill."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from atomloom.errors import ConfigError
from atomloom.experiment.searching import Search

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import Trial

_NAME = "search"


def check_installed() -> None:
    """Stop where there is no Optuna."""
    if find_spec("optuna") is None:
        raise ConfigError(
            "search options", "Optuna is not installed", 'Install it with `pip install "atomloom[search]"`'
        )


def opened(path: Path, search: Search) -> Study:
    """The study in the journal at `path`, made if there is none."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _cut_back(path)
    backend = JournalFileBackend(str(path), lock_obj=_Ours())  # type: ignore[arg-type]  # its base is not public
    return optuna.create_study(
        study_name=_NAME,
        storage=JournalStorage(backend),
        direction=search.direction,
        pruner=_pruner(search),
        load_if_exists=True,
    )


def next_trial(study: Study, search: Search) -> Trial:
    """A new trial, whose options follow from the seed, its number and the trials before, whenever it is asked for."""
    study.sampler = _sampler(search, len(study.trials))
    return study.ask()


def left_over(study: Study) -> Trial | None:
    """The trial that a kill or Ctrl-C cut short, to go on with; None if there is none."""
    from optuna.trial import Trial, TrialState

    for frozen in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        return Trial(study, frozen._trial_id)
    return None


class _Ours:
    """No lock: that of the folder lets one process in, and one of a killed process would be waited for."""

    def acquire(self) -> bool:
        """At once."""
        return True

    def release(self) -> None:
        """Nothing was taken."""


def _cut_back(path: Path) -> None:
    """Take away a last line that a kill cut short, or the next one would be written behind it."""
    if path.exists():
        text = path.read_bytes()
        if whole := text.rfind(b"\n") + 1 - len(text):
            with path.open("rb+") as file:
                file.truncate(len(text) + whole)


def _sampler(search: Search, number: int) -> BaseSampler:
    import numpy as np
    from optuna.samplers import RandomSampler, TPESampler

    seed = int(np.random.SeedSequence([search.seed, number]).generate_state(1)[0])
    if search.sampler == "random":
        return RandomSampler(seed=seed)
    return TPESampler(seed=seed, n_startup_trials=search.startup_trials)


def _pruner(search: Search) -> BasePruner:
    from optuna.pruners import MedianPruner, NopPruner, SuccessiveHalvingPruner

    if search.pruner == "median":
        return MedianPruner(n_startup_trials=search.startup_trials, n_warmup_steps=search.warmup_epochs)
    return NopPruner() if search.pruner == "none" else SuccessiveHalvingPruner()
