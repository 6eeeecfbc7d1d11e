"""A run to start from is looked at before anything is made of the experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset, RunError
from atomloom.experiment import loads, resolved
from atomloom.pipeline import Job, prepare
from atomloom.writers import write
from atomloom_jax import Training

EXPERIMENT = """\
[[data.source]]
path = "molecules.npz"
reader = "npz"
unit = {{ E = "eV", R = "angstrom", F = "eV/angstrom" }}
[data.split]
train = 0.5
valid = 0.5
[batching]
batch_size = 4
[model]
name = "pair-potential"
functions = {functions}
[training]
init_from = "{source}"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, fit_data: Any, trained: Any, molecules: Dataset) -> Path:
    """A run of six functions for each pair of elements, beside its data."""
    folder = tmp_path_factory.mktemp("start")
    write(molecules, folder / "molecules.npz")
    trained(folder / "first", fit_data(molecules, 70, batch_size=8), Training(num_epochs=1))
    return folder / "first"


def prepared(run: Path, functions: int, source: Path) -> Job:
    """The job of an experiment that starts from `source`."""
    return prepare(resolved(loads(EXPERIMENT.format(functions=functions, source=source)), run.parent))


def test_a_start_that_does_not_fit_is_refused_before_there_is_a_run(run: Path) -> None:
    """With the leaves that differ."""
    with pytest.raises(RunError, match=r"start from the run .*: `weights` is \[.*6\] and the model has \[.*9\]"):
        prepared(run, 9, run)


def test_a_start_that_fits_is_let_through(run: Path) -> None:
    """The check refuses no run of the same model."""
    assert np.asarray(prepared(run, 6, run).fresh()["weights"]).shape[-1] == 6
