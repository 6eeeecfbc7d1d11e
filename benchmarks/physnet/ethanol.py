"""Ethanol at CCSD(T): 900 frames to learn from, 100 that judge the end and choose nothing, beside a model of e3x.

The split is the same for all seeds. CPU seconds are those of the training without compiling: preparation and first
epoch are counted as one epoch like the others. Of the learning curve every point but the last is from the middle of a
training whose learning rate is still large. The model of e3x is the one of its own example, at our width, degree 2,
fitted by the same engine with the learning rate of that example, for a few epochs, which take longer than all of ours.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace as replaced
from tables import Limit, table

from atomloom.pipeline import Job
from atomloom.report import Axis, Curve, Report, Section, Series, save
from physnet.training import ETHANOL, SHARED, Errors, Trained, errors_of, started, trained

DATA = SHARED / "md17_ethanol" / "ethanol_ccsd_t-train.npz"
EXPERIMENT = f"""{ETHANOL}\
[data.split]
train = 0.9
test = 0.1
seed = 0
[training]
num_epochs = {{epochs}}
seed = {{seed}}
table_every_n_epochs = 0
"""
ENERGY, FORCE, SECONDS = 0.07, 0.36, 300.0
"""The largest errors in kcal/mol and kcal/mol/angstrom, and CPU seconds, that are asked for."""
EPOCHS = 100
FEATURES, RATE, E3X_EPOCHS = 64, 1e-3, 6
POINTS = 10
"""Of a learning curve."""


class Point(NamedTuple):
    """Errors on the held-out frames after an epoch, and the CPU seconds until then."""

    epoch: int
    seconds: float
    errors: Errors


def learnt(job: Job, folder: Path) -> list[Point]:
    """Fit a job; its learning curve, whose last point is the result."""
    every, found = max(1, job.training.num_epochs // POINTS), dict[int, Errors]()

    def look(done: Trained, epoch: int) -> None:
        if epoch % every == 0:
            found[epoch] = errors_of(done)

    clock = trained(job, folder, look).clock
    return [Point(epoch, clock.at(epoch), errors) for epoch, errors in found.items()]


def ours(seed: int, epochs: int) -> list[Point]:
    """With the defaults of the model."""
    with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
        job = started(EXPERIMENT.format(path=DATA, epochs=epochs, seed=seed), Path(folder))
        return learnt(job, Path(folder))


def theirs(epochs: int) -> list[Point]:
    """e3x, on the same frames in the same batches."""
    from physnet.e3x_model import E3x, Network

    with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
        job = started(EXPERIMENT.format(path=DATA, epochs=epochs, seed=0), Path(folder))
        training = replaced(job.training, learning_rate=RATE)
        return learnt(replace(job, model=E3x(Network(features=FEATURES)), training=training), Path(folder))


def run(seeds: int, epochs: int, folder: Path | None = None) -> list[Limit]:
    """Print results and curves, and draw these into a folder where one is named."""
    if not DATA.is_file():
        print("\nethanol: ATOMLOOM_SHARED_DATA does not have it")
        return []
    curves = {f"physnet, seed {seed}": ours(seed, epochs) for seed in range(seeds)}
    limits = [limit for name, curve in curves.items() for limit in asked(name, curve[-1])]
    if find_spec("e3x") is not None:
        curves["e3x, degree 2"] = theirs(E3X_EPOCHS)
    show(curves)
    if folder is not None:
        save(drawn(curves), folder)
    return limits


def asked(name: str, end: Point) -> list[Limit]:
    """What is asked of a training."""
    return [
        Limit(f"{name}: energy MAE, kcal/mol", end.errors.energy, ENERGY, least=False),
        Limit(f"{name}: force MAE, kcal/mol/A", end.errors.force, FORCE, least=False),
        Limit(f"{name}: CPU s", end.seconds, SECONDS, least=False),
    ]


def show(curves: Mapping[str, Sequence[Point]]) -> None:
    """Print the curves as a table, a row a point."""
    rows = [
        [name, str(epoch), f"{seconds:.0f}", f"{errors.energy:.3f}", f"{errors.force:.3f}"]
        for name, curve in curves.items()
        for epoch, seconds, errors in curve
    ]
    heads = ("", "epoch", "CPU s", "E MAE, kcal/mol", "F MAE, kcal/mol/A")
    table("Ethanol, CCSD(T): errors of 100 held-out frames after 900 were learnt from", heads, rows)


def drawn(curves: Mapping[str, Sequence[Point]]) -> Report:
    """The errors of forces over CPU seconds."""
    series = tuple(
        Series(name, [point.seconds for point in curve], [point.errors.force for point in curve])
        for name, curve in curves.items()
    )
    error = Axis("force MAE", "kcal/mol/angstrom", "log")
    figure = Curve(title="Learning ethanol at CCSD(T)", series=series, x=Axis("CPU time", "s"), y=error)
    return Report("Ethanol", (Section("Learning curves", (figure,)),))
