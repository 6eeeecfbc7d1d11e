"""The report of a finished run: how well it does on frames that it never saw, how it got there, and on what."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset
from atomloom.data.references import composition
from atomloom.pipeline.course import course
from atomloom.pipeline.error_report import comparisons, findings_table, section
from atomloom.pipeline.fitted import Fitted
from atomloom.pipeline.job import Job
from atomloom.pipeline.predicting import Predictor, predict
from atomloom.pipeline.run_facts import facts
from atomloom.report import Column, Report, Section, Table, Text
from atomloom.runs import Run


def report_on(job: Job, run: Run) -> Report:
    """Errors on the test part, learning curves, and how the data was read and split."""
    fitted = Fitted.load(run)
    judged, part = judged_part(job)
    sections = error_sections(job, fitted, predict(fitted, job.data.dataset[judged]), judged)
    summary = (
        f"`{job.model_spec.name}` fitted for {run.epochs_done} epochs to {len(job.parts.train)} frames; the state "
        f"after epoch {fitted.epoch} is judged on the {len(judged)} frames of the {part} part."
    )
    sections += certified(job, fitted, judged)
    return Report(f"Run {run.name}", (*sections, course(run), data(job), facts(run)), summary, head(job, run))


def head(job: Job, run: Run) -> dict[str, str]:
    """What a report on a run is about."""
    split = job.parts.described()
    return {
        "run": run.name,
        "model": job.model_spec.name,
        "frames": f"{split['train']} train, {split['valid']} valid, {split['test']} test",
        "data": ", ".join(path.name for path in job.data.files),
        "atomloom": str(run.provenance["versions"].get("atomloom", "")),
    }


def judged_part(job: Job) -> tuple[np.ndarray, str]:
    """The frames that a run is judged by, and which part they are: the one that least is known of."""
    for name in ("test", "valid", "train"):
        frames = getattr(job.parts, name)
        if len(frames):
            return frames, name
    raise AssertionError("a split always has frames to train on")


def error_sections(job: Job, predictor: Predictor, predictions: Dataset, judged: np.ndarray) -> list[Section]:
    """The errors of predictions for these frames of a job's data, beside what their composition alone says."""
    compared = comparisons(predictor, predictions, job.data.dataset[judged])
    return [section(name, pair, _composition_part(job, name, judged)) for name, pair in compared.items()]


def certified(job: Job, fitted: Fitted, judged: np.ndarray) -> list[Section]:
    """The certificate, where the model of a job has one in every report."""
    if not job.model_spec.certificate:
        return []
    from atomloom.invariance.judging import certificate  # which measures by way of the pipeline

    return [certificate(fitted, job.data.dataset[judged])]


def _composition_part(job: Job, name: str, judged: np.ndarray) -> np.ndarray | None:
    """What a constant for each element, fitted in float64 to the training part, says of a per-frame field."""
    dataset = job.data.dataset
    if dataset.columns[name].lengths is not None or "Z" not in dataset:
        return None
    counts, train = _composition(dataset, job.schema.elements), job.parts.train
    values = dataset[name].reshape(len(dataset), -1).astype(np.float64)
    constants, *_ = np.linalg.lstsq(counts[train], values[train], rcond=None)
    part: np.ndarray = (counts[judged] @ constants).reshape(dataset[name][judged].shape)
    return part


def _composition(dataset: Dataset, elements: tuple[int, ...]) -> np.ndarray:
    """How many atoms of each element every frame has, ``[frames, elements]``."""
    blocks = dataset.blocks(4096, ["Z"])
    return np.concatenate([composition(each["Z"], each.segments(), each.frames, elements) for each in blocks])


def data(job: Job) -> Section:
    """How the data of a job was read and split."""
    split = job.parts.described()
    parts = Table(
        (Column("part", kind="text"), Column("frames", kind="integer")),
        tuple((name, int(split[name])) for name in ("train", "valid", "test")),
        title="Split",
    )
    off = tuple(Text(f"The loss `{name}` is off: {reason}.") for name, reason in job.off.items())
    warnings = tuple(Text(f"*Warning:* {warning}") for warning in job.warnings)
    return Section("Data", (*warnings, findings_table(job.report), parts, *off))
