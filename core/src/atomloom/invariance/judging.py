"""The post-processor ``invariance``: holds a fitted model to what its spec claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.invariance.gradient import COORDINATES
from atomloom.invariance.gradient import FRAMES as GRADIENTS
from atomloom.invariance.precision import RELATIVE, STEP
from atomloom.invariance.probes import PROBES, Probe
from atomloom.invariance.trial import Deviation, Trial
from atomloom.pipeline.fitted import Fitted
from atomloom.progress import track
from atomloom.report import Column, KeyFigure, KeyFigures, Report, Section, Table, Text
from atomloom.runs import Run

FRAMES = 16
"""How many frames the promises are measured on, evenly from all over the data."""

FEW = 4
"""How many for a certificate, which every report has: fewer atoms at a time compile faster."""


class Measured(NamedTuple):
    """A probe with what it found, or why it could not be measured."""

    probe: Probe
    claimed: bool
    deviations: list[Deviation]
    hindrance: str = ""

    @property
    def broken(self) -> bool:
        """Whether the model claims what does not hold."""
        return self.claimed and not all(each.holds for each in self.deviations)


def invariance(run: Run, dataset: Dataset, /) -> Report:
    """Measures all that the model of a run claims, on some frames of `dataset`."""
    fitted = Fitted.load(run)
    dataset = fitted.complete(dataset)
    if not len(dataset):
        raise DataError(f"measure what {fitted.spec.name} promises", "the data has no frames", "Bring some")
    trial = Trial.of(fitted, some(dataset, FRAMES))
    measured = list(measure(trial))
    failures = tuple(f"{each.probe.name}: {_worst(each)}" for each in measured if each.broken)
    return Report(
        f"What {fitted.spec.name} promises",
        (Section("Measured", (_figures(measured, trial), _table(measured), *_remarks(measured, trial))),),
        summary=_summary(fitted, measured),
        facts={"run": run.name, "model": fitted.spec.name, "epoch": str(fitted.epoch)},
        failures=failures,
    )


def certificate(fitted: Fitted, dataset: Dataset) -> Section:
    """All that a model could promise, measured on a few frames of `dataset`: a section of the report of a run."""
    trial = Trial.of(fitted, some(fitted.complete(dataset), FEW))
    measured = list(measure(trial))
    said = Text(_summary(fitted, measured))
    return Section("Certificate", (said, _figures(measured, trial), _table(measured), *_remarks(measured, trial)))


def some(dataset: Dataset, count: int) -> Dataset:
    """So many frames evenly from all over the data, or all if there are fewer."""
    return dataset[np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(np.int64))]


def measure(trial: Trial, probes: Iterable[Probe] = PROBES) -> Iterator[Measured]:
    """Every probe that applies to the model."""
    spec = trial.fitted.spec
    applying = [probe for probe in probes if probe.applies_to(spec)]
    for probe in track(applying, total=len(applying), label="measuring"):
        hindrance = probe.hindrance(trial)
        yield Measured(probe, probe.claimed_by(spec), [] if hindrance else probe.worst(trial), hindrance)


def _summary(fitted: Fitted, measured: list[Measured]) -> str:
    claimed = [each for each in measured if each.claimed and not each.hindrance]
    kept = [each for each in claimed if not each.broken]
    if not claimed:
        return f"`{fitted.spec.name}` claims nothing that could be measured."
    broken = ", ".join(each.probe.name for each in claimed if each.broken)
    said = f"`{fitted.spec.name}` keeps {len(kept)} of the {len(claimed)} promises that it makes"
    return f"{said}; it breaks: {broken}." if broken else f"{said}."


def _worst(measured: Measured) -> str:
    return "; ".join(str(each) for each in measured.deviations if not each.holds)


def _figures(measured: list[Measured], trial: Trial) -> KeyFigures:
    claimed = [each for each in measured if each.claimed and not each.hindrance]
    longest = int(trial.dataset.sizes["atom"].max(initial=0))
    return KeyFigures(
        (
            KeyFigure("promises kept", sum(not each.broken for each in claimed), note=f"of {len(claimed)}"),
            KeyFigure("frames", len(trial.dataset), note=f"with up to {longest} atoms"),
            KeyFigure("precision", trial.precision),
        )
    )


def _table(measured: list[Measured]) -> Table:
    columns = (
        Column("promise", kind="text"),
        Column("field", kind="text"),
        Column("largest deviation"),
        Column("tolerance"),
        Column("unit", kind="text"),
        Column("verdict", kind="text"),
    )
    rows = [
        (each.probe.name, one.field, one.size, one.tolerance, one.unit, _verdict(each, one))
        for each in measured
        for one in each.deviations
    ]
    return Table(columns, tuple(rows), title="Every promise", caption=_CAPTION)


_CAPTION = "In brackets: what the model does not claim, and what is not held against it."


def _verdict(measured: Measured, deviation: Deviation) -> str:
    holds = "holds" if deviation.holds else "broken"
    return holds if measured.claimed else f"({holds})"


def _remarks(measured: list[Measured], trial: Trial) -> Iterator[Text]:
    precision = trial.precision
    yield Text(
        f"Two ways to the same number may differ by {RELATIVE[precision]:g} of the largest number of that field, or of "
        f"one unit if that is larger: the model was computed in {precision}."
    )
    if any(each.probe.name == "conservative" for each in measured):
        yield Text(
            f"The gradient is taken at up to {COORDINATES} coordinates of {GRADIENTS} frames, with steps of "
            f"{STEP[precision]:g} angstrom."
        )
    yield Text("\n\n".join(f"*{each.probe.name}*: {each.probe.promise}" for each in measured))
    for each in measured:
        if each.hindrance:
            yield Text(f"*{each.probe.name}* could not be measured: {each.hindrance}.")
