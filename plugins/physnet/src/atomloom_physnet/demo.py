"""The demo: one potential for all states of the bundled molecules, and what it says of geometries that it never saw."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.experiment import loads, resolved
from atomloom.pipeline import Fitted, fit, predict, prepare
from atomloom.pipeline.evaluating import held_out
from atomloom.report import Axis, Column, Report, Section, Table, Text, bias, mae, parity
from atomloom.runs import Run
from atomloom.writers import write
from atomloom_physnet.bundled import states
from atomloom_physnet.gaps import AFFINITY, IONISATION, TRIPLET, State, gaps

EXPERIMENT = """\
title = "One potential for neutral molecules, ions, radicals and triplets"

[[data.source]]
path = "states.npz"
reader = "npz"

[data.split]
train = 0.8
valid = 0.05
test = 0.15
group = "geometry"

[batching]
batch_size = 16

[model]
name = "physnet"
features = 48
charge_min = -1
charge_max = 1
spin_max = 3

[training]
num_epochs = 22
learning_rate = 3e-3
ema_decay = 0.99
"""

Gaps = dict[str, NDArray[np.float64]]
"""Differences in eV ``[geometries]`` by name."""

NAMES = (IONISATION, AFFINITY, TRIPLET)


def run(folder: Path, /) -> Report:
    """Write the data, fit a potential, and compare differences between states with the reference."""
    write(states(), folder / "states.npz")
    fitted, report = fit(prepare(resolved(loads(EXPERIMENT), folder)), folder / "run")
    wanted, found = compared(fitted)
    told = (f"{name} {mae(found[name], wanted[name]):.2f} eV" for name in wanted)
    summary = f"Mean absolute errors for geometries that were held out: {', '.join(told)}. {report.summary}"
    return replace(report, sections=(section(wanted, found), *report.sections), summary=summary)


def compared(run: Run) -> tuple[Gaps, Gaps]:
    """Vertical differences of the geometries of the test part: those of the reference, and those that are predicted."""
    test = held_out(run)
    predicted = predict(Fitted.load(run), test)
    return differences_of(test, test["E"]), differences_of(test, predicted["E"])


def differences_of(dataset: Dataset, energies: NDArray[Any]) -> Gaps:
    """The differences from charge zero of every geometry in a data set, from the energies of its frames in eV."""
    by_geometry: dict[int, dict[State, float]] = defaultdict(dict)
    states_of_frames = (dataset[name].tolist() for name in ("geometry", "total_charge", "total_spin"))
    for geometry, charge, spin, energy in zip(*states_of_frames, energies.tolist(), strict=True):
        by_geometry[geometry][round(charge), spin] = energy
    every = [gaps(own, 0) for _, own in sorted(by_geometry.items())]
    found = {name: np.array([each[name] for each in every if name in each]) for name in NAMES}
    return {name: values for name, values in found.items() if values.size}


def section(wanted: Gaps, found: Gaps) -> Section:
    """A table and a plot of each difference."""
    columns = (
        Column("difference", kind="text"),
        Column("geometries", kind="integer"),
        Column("mean of the reference", "eV", precision=3),
        Column("its spread", "eV", precision=3),
        Column("MAE", "eV", precision=3),
        Column("bias", "eV", precision=3),
    )
    rows = [
        (name, truth.size, truth.mean(), truth.std(), mae(found[name], truth), bias(found[name], truth))
        for name, truth in wanted.items()
    ]
    plots = [parity(name.capitalize(), found[name], truth, Axis(name, "eV")) for name, truth in wanted.items()]
    return Section("Between the states of one geometry", (Text(_WHAT), Table(columns, tuple(rows)), *plots))


_WHAT = (
    "For geometries that were held out with all of their states: what it takes to remove an electron, what adding one "
    "gives, and what lies between singlet and triplet, each from the lowest multiplicity of a charge. The reference is "
    "GFN2-xTB, which was not made for such differences; they are consistent, and no match for experiments."
)
