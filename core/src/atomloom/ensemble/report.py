"""Reports on an ensemble: the errors of its mean, how sure it is and may be, and its members beside one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atomloom.data import Dataset
from atomloom.ensemble.predictor import Ensemble
from atomloom.ensemble.uncertainty import sections as uncertainties
from atomloom.pipeline.course import Measure
from atomloom.pipeline.error_report import compared_fields, section
from atomloom.pipeline.job import Job
from atomloom.pipeline.predicting import predict
from atomloom.pipeline.run_facts import facts
from atomloom.pipeline.run_report import certified, data, error_sections, head, judged_part
from atomloom.report import Axis, Column, Curve, Link, Links, Report, Section, Series, Table, Text
from atomloom.runs import Run, ensembles

_WATCHED = ("valid/loss", "train/loss")


def report_on(ensemble: Ensemble, job: Job, run: Run) -> Report:
    """The report of an ensemble that was just calibrated: everything is judged on the test part."""
    judged, part = judged_part(job)
    dataset = job.data.dataset[judged]
    predictions = predict(ensemble, dataset)
    if part == "test":
        sure = list(uncertainties(ensemble, predictions, dataset))
    else:
        said = "There is no test part, and the uncertainties are judged on no frames that they were fitted to."
        sure = [Section("Uncertainty", (Text(said),))]
    size = len(ensemble.members)
    summary = (
        f"{size} members of `{job.model_spec.name}` fitted to the same {len(job.parts.train)} frames from other seeds; "
        f"their mean, and how far it is to be trusted, are judged on the {len(judged)} frames of the {part} part. The "
        f"uncertainties were calibrated on {len(job.parts.valid)} frames of the validation part."
    )
    errors = error_sections(job, ensemble, predictions, judged)
    whose = Text("Members differ in their parameters alone. These numbers are of the first.")
    kept = [Section(each.title, (whose, *each.blocks)) for each in certified(job, ensemble.members[0], judged)]
    parts = (*errors, *sure, *kept, _members(run), data(job), facts(run))
    return Report(f"Ensemble {run.name}", parts, summary, head(job, run))


def errors(run: Run, dataset: Dataset) -> Report:
    """The post-processor ``errors`` for an ensemble: errors of its mean, and its uncertainties held against them."""
    ensemble = Ensemble.load(run)
    predictions = predict(ensemble, dataset)
    compared = compared_fields(ensemble, predictions, dataset)
    about = {
        "run": run.name,
        "model": ensemble.spec.name,
        "members": str(len(ensemble.members)),
        "frames": str(len(dataset)),
    }
    parts = [section(name, pair) for name, pair in compared.items()]
    return Report(f"Errors of {run.name}", (*parts, *uncertainties(ensemble, predictions, dataset)), facts=about)


def _members(run: Run) -> Section:
    """Each member: its seed, how it went, and where it is."""
    members = [Run.open(each.path) for each in ensembles.members(run.files)]
    columns = [each.metrics() for each in members]
    watched = next((name for name in _WATCHED if all(name in each for each in columns)), None)
    rows = [_row(member, each, watched) for member, each in zip(members, columns, strict=True)]
    heads = (
        Column("member", kind="text"),
        Column("seed", kind="integer"),
        Column("epochs", kind="integer"),
        Column("best epoch", kind="integer"),
        Column(f"{watched or 'loss'} at the best epoch"),
    )
    links = Links(tuple(Link(f"../{member.name}", f"the run {member.name}") for member in members))
    curves = [] if watched is None else [_curves(members, columns, watched)]
    return Section("Members", (Table(heads, tuple(rows)), *curves, links))


def _row(member: Run, columns: dict[str, np.ndarray], watched: str | None) -> tuple[str | int | float | None, ...]:
    best = member.best()
    value = None
    if best is not None and watched is not None:
        value = float(columns[watched][np.searchsorted(columns["epoch"], best.epoch)])
    seed = int(member.provenance["seeds"]["training"])
    return member.name, seed, member.epochs_done, best.epoch if best else None, value


def _curves(members: Sequence[Run], columns: Sequence[dict[str, np.ndarray]], watched: str) -> Curve:
    part, _, key = watched.partition("/")
    series = tuple(
        Series(member.name, each["epoch"], each[watched]) for member, each in zip(members, columns, strict=True)
    )
    measure = Measure.of(key)
    axis = Axis(f"{part} {measure.label}", measure.unit, "log")
    return Curve(title=f"Learning curves: {axis.label}", series=series, x=Axis("epoch"), y=axis)
