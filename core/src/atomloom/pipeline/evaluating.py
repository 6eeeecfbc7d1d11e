"""The data that a run was not fitted to, for judging it."""

from __future__ import annotations

from atomloom.data import Dataset
from atomloom.errors import RunError
from atomloom.experiment import InFile, load
from atomloom.pipeline.job import prepare
from atomloom.runs import Run


def held_out(run: Run) -> Dataset:
    """The frames of the run's own data that its split kept for the end."""
    job = prepare(load(run.files.config), InFile(str(run.files.config)))
    if run.provenance["split"] != job.parts.described():
        found = "its data or their split have changed since it was fitted"
        raise RunError(
            f"judge the run '{run.name}' by its test part", found, "Bring the data back, or name some with --data"
        )
    if not len(job.parts.test):
        raise RunError(f"judge the run '{run.name}' by its test part", "it has none", "Name data with --data")
    return job.data.dataset[job.parts.test]
