"""Experiments fitted as a user would, with the processor time of each epoch, and errors of what was held out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

from atomloom import Dataset
from atomloom.experiment import loads, resolved
from atomloom.pipeline import Fitted, Job, predict, prepare
from atomloom.pipeline.fitting import fitted_in
from atomloom.report import mae
from atomloom.runs import Run
from atomloom.units import factor

SHARED = Path(os.environ.get("ATOMLOOM_SHARED_DATA", "../shared/data")).resolve()
"""Where data lie that are not in the repository."""
KCAL = factor("eV", "kcal/mol")

ETHANOL = """\
[[data.source]]
path = "{path}"
reader = "npz"
unit = {{ E = "kcal/mol", F = "kcal/mol/angstrom", R = "angstrom" }}
[batching]
batch_size = 5
[model]
name = "physnet"
assume_charge = 0
assume_spin = 1
"""
"""What experiments on ethanol have in common: the source, of units that its file does not say, and the model."""


@dataclass
class Clock:
    """CPU seconds of this process at the end of each epoch, without those that are spent in `pause`.

    The first epoch holds the preparation and all compiling. `at` counts it as one like the others.
    """

    ends: list[float] = field(default_factory=list)
    paused: float = 0.0

    def epoch(self) -> None:
        """An epoch has ended."""
        self.ends.append(process_time() - self.paused)

    def pause(self, work: Callable[[], object]) -> None:
        """Do something whose time does not count."""
        start = process_time()
        work()
        self.paused += process_time() - start

    def at(self, epoch: int) -> float:
        """Seconds of training until the end of an epoch, of which two are over at least."""
        each = (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)
        return self.ends[epoch - 1] - self.ends[0] + each


@dataclass(frozen=True)
class Trained:
    """A run at some epoch or at its end, a state of its model to fill, and the frames that it never saw."""

    run: Run
    job: Job
    clock: Clock
    blank: Any

    @property
    def seconds(self) -> float:
        """CPU seconds of the training so far, without compiling."""
        return self.clock.at(len(self.clock.ends))

    @property
    def test(self) -> Dataset:
        """The frames that were kept for the end."""
        return self.job.data.dataset[self.job.parts.test]

    @property
    def fitted(self) -> Fitted:
        """The model as its latest epoch left it."""
        checkpoint, job = self.run.latest(), self.job
        assert checkpoint is not None, "an epoch was saved"
        state = job.model.with_leaves(self.blank, checkpoint.model_leaves)
        return Fitted(job.model, job.model_spec, state, job.schema, checkpoint.epoch, job.backend, job.config)

    def predicted(self) -> Dataset:
        """What the model says of the test frames."""
        return predict(self.fitted, self.test)


class Errors(NamedTuple):
    """Mean absolute errors in kcal/mol and kcal/mol/angstrom."""

    energy: float
    force: float


def errors_of(done: Trained) -> Errors:
    """On the frames that were held out."""
    test, found = done.test, done.predicted()
    return Errors(*(KCAL * mae(found[name], test[name]) for name in ("E", "F")))


def started(text: str, folder: Path) -> Job:
    """The job of an experiment with its data in `folder` or at absolute paths."""
    return prepare(resolved(loads(text), folder))


def trained(job: Job, folder: Path, look: Callable[[Trained, int], None] | None = None) -> Trained:
    """Fit a job in `folder`; `look` is given the run after every epoch, and its time does not count."""
    clock, blank = Clock(), job.fresh()

    def watch(run: Run, epoch: int, _: Any) -> None:
        clock.epoch()
        if look is not None:
            clock.pause(lambda: look(Trained(run, job, clock, blank), epoch))

    return Trained(fitted_in(folder / "run", job, watch), job, clock, blank)
