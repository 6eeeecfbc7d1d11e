"""Fits a job in a run folder, resumes one, and writes its report."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace as replaced

from atomloom.errors import RunError
from atomloom.experiment import Experiment, InFile, dumps, load, plain
from atomloom.model import Model
from atomloom.pipeline.fitted import schema_to
from atomloom.pipeline.job import Job, prepare
from atomloom.pipeline.run_report import report_on
from atomloom.report import Report, from_json, save, to_json
from atomloom.runs import Crew, Run, cite, describe, ensembles, joined

Watch = Callable[[Run, int, Mapping[str, float]], None]
"""Is told of a run, the number of an epoch that has ended, and its metrics."""


def fit(job: Job, folder: str | Path, *, quiet: bool = False) -> tuple[Run, Report]:
    """Start a run of `job` in a new folder, or an ensemble of them, fit it to the end and write its report.

    Args:
        quiet: show no progress even to a person.

    Raises:
        RunError: when the folder exists.
        KeyboardInterrupt: on Ctrl-C; the run is left so that `resume` goes on.
    """
    if job.experiment.ensemble is not None:
        from atomloom.ensemble.fitting import fit as fit_ensemble  # which fits members by way of this module

        return fit_ensemble(job, folder, quiet=quiet)
    config = tomllib.loads(dumps(fully_resolved(job)))
    crew = job.backend.crew()
    run = joined(crew, folder, config, lambda: Run.create(folder, config, provenance(job)))
    run.quiet = run.quiet or quiet
    return run, _fit(job, run, crew)


def resume(folder: str | Path, *, quiet: bool = False) -> tuple[Run, Report | None]:
    """Go on with a run from its latest checkpoint; a finished one is left as it is, and there is no new report."""
    found = Run.open(folder)
    if ensembles.size(found.files):
        from atomloom.ensemble.fitting import resume as resume_ensemble  # as above

        return resume_ensemble(folder, quiet=quiet)
    if found.finished and found.files.report.is_dir():
        return found, None
    job = prepare(load(found.files.config), InFile(str(found.files.config)))
    check_same_data(job, found)
    crew = job.backend.crew()
    run = joined(crew, folder, found.config, lambda: found)
    run.quiet = run.quiet or quiet
    return run, _fit(job, run, crew)


def fitted_in(folder: Path, job: Job, watch: Watch | None = None, *, quiet: bool = True) -> Run:
    """The run of a job in `folder`, new or gone on with, fitted to its end without a report.

    Args:
        watch: is told of each epoch that has ended; it may stop the run.
        quiet: show no progress even to a person.
    """
    if not folder.exists():
        run = Run.create(folder, tomllib.loads(dumps(fully_resolved(job))), provenance(job))
    else:
        run = Run.open(folder)
        check_same_data(job, run)
    run.quiet = run.quiet or quiet
    if watch is not None:
        run.watch = lambda epoch, metrics: watch(run, epoch, metrics)
    if not run.finished:
        with run.session():
            _train(job, run)
    return run


def fully_resolved(job: Job) -> Experiment:
    """The experiment with every option of its model and its training written out."""
    model = {"name": job.model_spec.name, **plain(job.config)}
    losses = {loss.name: loss.weight for loss in job.losses}
    return replaced(job.experiment, model=model, losses=losses, training=plain(job.training))


def provenance(job: Job) -> dict[str, Any]:
    """Where a new run of this job comes from."""
    described = describe(
        data=job.data.files,
        seeds={"training": int(getattr(job.training, "seed", 0)), "split": job.experiment.data.split.seed},
        split=job.parts.described(),
        used=[cite.used(found.kind, found.spec, found.plugin) for found in job.used],
    )
    preset = {"preset": job.preset.name} if job.preset else {}
    return {**described, **preset, "schema": schema_to(job.schema)}


def _fit(job: Job, run: Run, crew: Crew) -> Report:
    """Fit, and report on it; of several processes the first writes the report, and each of them gets it."""
    with run.session():
        _train(job, run)
        if run.leads:
            save(report := report_on(job, run), run.files.report)
    if crew.processes == 1:
        return report
    return from_json(crew.from_first(to_json(report) if run.leads else b""))


def _train(job: Job, run: Run) -> None:
    if job.preset:
        run.logger.info("preset %s, %s: %s", job.preset.name, job.preset.reason, job.preset.told)
    for name, reason in job.off.items():
        run.logger.warning("the loss %s is off: %s", name, reason)
    _fit_of(job)(job.fresh(), job.fit_data(), job.losses, run)


def _fit_of(job: Job) -> Any:
    """The model's own fit where it brings one, its backend's otherwise."""
    if type(job.model).fit is not Model.fit:
        return job.model.fit

    def fit(*arguments: Any) -> Any:
        return job.backend.fit(job.model, *arguments)

    return fit


def check_same_data(job: Job, run: Run) -> None:
    """Stops where the data of a job or their split are not those that a run was started with."""
    known = run.provenance
    now = describe(data=job.data.files)["data"]
    for before, after in zip(known["data"], now, strict=False):
        if before != after:
            found = f"'{after['path']}' is not the file that it was fitted to"
            raise RunError(f"resume the run '{run.name}'", found, "Bring that file back, or start a new run")
    if len(known["data"]) != len(now) or known["split"] != job.parts.described():
        found = "its data or their split have changed since it was started"
        raise RunError(f"resume the run '{run.name}'", found, "Bring the data back, or start a new run")


__all__ = ["check_same_data", "fit", "fitted_in", "fully_resolved", "provenance", "resume"]
