"""Fits the members of an ensemble one after the other, calibrates their spread, and reports on them together."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec.structs import replace as replaced

from atomloom.ensemble.calibration import Calibration, fitted_scale
from atomloom.ensemble.predictor import Ensemble
from atomloom.ensemble.report import report_on
from atomloom.ensemble.uncertainty import deviations
from atomloom.errors import ConfigError
from atomloom.experiment import InFile, dumps, load
from atomloom.pipeline.fitting import check_same_data, fitted_in, fully_resolved, provenance
from atomloom.pipeline.job import Job, prepare
from atomloom.pipeline.predicting import predict
from atomloom.report import Report, save
from atomloom.runs import Run

SEED = "seed"
"""The training option that sets a member's parameters and the order of its frames."""


class _Nobody:
    """Observers of an ensemble as such: it has no epochs, and its members have observers of their own."""

    def run_started(self, run: Run) -> None: ...
    def steps_finished(self, run: Run, block: Mapping[str, Any]) -> None: ...
    def run_finished(self, run: Run, outcome: str) -> None: ...


def fit(job: Job, folder: str | Path, *, quiet: bool = False) -> tuple[Run, Report]:
    """Start an ensemble in a new folder, fit its members and write its report.

    Args:
        job: of an experiment that asks for an ensemble.
        quiet: show no progress even to a person.

    Raises:
        ConfigError: when its members could not differ, or several processes are to fit it.
        RunError: when the folder exists.
        KeyboardInterrupt: on Ctrl-C; the run is left so that `resume` goes on.
    """
    _check(job)
    config = tomllib.loads(dumps(fully_resolved(job)))
    run = Run.create(folder, config, provenance(job), observers=_Nobody())
    return run, _fit(job, run, quiet)


def resume(folder: str | Path, *, quiet: bool = False) -> tuple[Run, Report | None]:
    """Go on with the members and epochs that are missing; a finished ensemble is left as it is, without a report."""
    run = Run.open(folder, observers=_Nobody())
    if run.finished and run.files.report.is_dir() and run.files.calibration.is_file():
        return run, None
    job = prepare(load(run.files.config), InFile(str(run.files.config)))
    check_same_data(job, run)
    return run, _fit(job, run, quiet)


def member(job: Job, number: int) -> Job:
    """The job of one member, counted from 1; the first is what a run without an ensemble would be."""
    seed = getattr(job.training, SEED) + number - 1
    training = replaced(job.training, **{SEED: seed})
    return replace(job, training=training, experiment=replaced(job.experiment, ensemble=None))


def calibrated(ensemble: Ensemble, job: Job) -> Calibration:
    """The calibration of an ensemble on the validation part; the test part is left alone.

    Fields that the validation part has no reference for have no scale.
    """
    frames = job.parts.valid
    if not len(frames):
        return Calibration()
    watched = job.data.dataset[frames]
    raw = replace(ensemble, calibration=Calibration())
    found = deviations(raw, predict(raw, watched), watched)
    scales = {name: fitted_scale(each) for name, each in found.items()}
    return Calibration({name: scale for name, scale in scales.items() if scale is not None})


def _fit(job: Job, run: Run, quiet: bool) -> Report:
    size = job.experiment.ensemble
    assert size is not None, "the job is that of an ensemble"
    with run.session():
        for number in range(1, size + 1):
            run.logger.info("member %d of %d", number, size)
            fitted_in(run.files.member(number).path, member(job, number), quiet=quiet)
        ensemble = Ensemble.load(run)
        calibration = calibrated(ensemble, job)
        calibration.save(run.files.calibration)
        report = report_on(replace(ensemble, calibration=calibration), job, run)
        save(report, run.files.report)
    return report


def _check(job: Job) -> None:
    asked = f"fit an ensemble of the model {job.model_spec.name!r}"
    if not hasattr(job.training, SEED):
        found = f"its backend {job.model_spec.backend!r} has no option {SEED!r}, by which members could differ"
        raise ConfigError(asked, found, "Fit single runs")
    if job.backend.crew().processes > 1:
        found = "several processes are to fit it together"
        raise ConfigError(asked, found, "Fit it in one process, or fit its members as runs of their own")
