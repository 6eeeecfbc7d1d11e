"""The post-processor ``checkpoint-average``: the files of a run and their averages, judged by held-out data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomloom.data import Dataset
from atomloom.errors import ConfigError
from atomloom.experiment import InFile, load
from atomloom.pipeline import prepare
from atomloom.report import Axis, Bars, Column, Heights, Report, Section, Table, Text
from atomloom_residues.averaging import average, survey
from atomloom_residues.choosing import Chosen, Request, choose
from atomloom_residues.judging import Judge
from atomloom_residues.series import Series, find
from atomloom_residues.soup import greedy

if TYPE_CHECKING:
    from atomloom.runs import Run

_REQUESTS = (Request(), Request(profile="uniform"), Request(decay=0.9, per="checkpoint"))
"""Averages that need no validation data, those that make sense for the run at hand."""


def compare(run: Run, dataset: Dataset, /) -> Report:
    """The weighted losses of the last file, the best file and averages, on the frames of `dataset`.

    The best file and the soup are chosen on the validation part of the run's own data.
    """
    job = prepare(load(run.files.config), InFile(str(run.files.config)))
    series = survey(find(run.folder))
    judge = Judge(job, dataset)
    rows = [
        (chosen.rule, judge(average(series.files, chosen.weights)), chosen.spread.effective)
        for chosen in (*_fixed(series), *_validated(series, job_judge=Judge(job)))
    ]
    columns = (Column("average", kind="text"), Column("loss"), Column("effective number", precision=2))
    bars = Bars(
        title="Loss on these frames",
        labels=tuple(rule for rule, _, _ in rows),
        series=(Heights("loss", np.array([loss for _, loss, _ in rows])),),
        y=Axis("weighted loss"),
    )
    best = min(rows, key=lambda row: row[1])
    summary = f"Of {len(series.files)} checkpoints, `{best[0]}` has the lowest loss on these {len(dataset)} frames."
    excluded = "\n\n".join(f"`{each.path.name}` is left out: {each.reason}." for each in series.excluded)
    blocks = (Table(columns, tuple(rows), title="Averages"), bars, Text(excluded or "No file is left out."))
    facts = {"run": run.name, "frames": str(len(dataset)), "checkpoints": str(len(series.files))}
    return Report(f"Averages of the checkpoints of {run.name}", (Section("Averages", blocks),), summary, facts)


def _fixed(series: Series) -> Iterator[Chosen]:
    """The last file, and those averages that are no other one in disguise."""
    count = len(series.files)
    yield Chosen(f"last file, {series.unit} {series.times[-1]:g}", np.eye(count)[-1])
    for request in _REQUESTS if count > 1 else ():
        try:
            yield choose(request, series)
        except ConfigError:
            continue  # for these files it is degenerate, and the row would say what another one says


def _validated(series: Series, job_judge: Judge) -> Iterator[Chosen]:
    cooked = greedy(series, job_judge)
    place = int(np.nanargmin(cooked.scores))
    yield Chosen(f"best file on validation, {series.unit} {series.times[place]:g}", np.eye(len(series.files))[place])
    yield Chosen(f"greedy soup of {int((cooked.weights > 0).sum())} files", cooked.weights)


def example(folder: Path) -> tuple[Run, Dataset]:
    """A run with four checkpoints, and frames to judge it by."""
    from atomloom.examples.morse import make
    from atomloom.experiment import resolved
    from atomloom.pipeline import fit
    from atomloom.writers import write

    write(make(frames=60, seed=2), folder / "molecules.npz")
    experiment = folder / "experiment.toml"
    experiment.write_text(_EXAMPLE)
    run, _ = fit(prepare(resolved(load(experiment), folder)), folder / "run")
    return run, make(frames=8, seed=3)


_EXAMPLE = """\
[[data.source]]
path = "molecules.npz"
reader = "npz"
[data.split]
train = 0.6
valid = 0.2
test = 0.2
[model]
name = "ridge"
[training]
num_epochs = 4
save_every_n_epochs = 1
keep_last = 4
"""
