"""Rare states: a split that leaves them to other parts is refused in words, and one by strata trains on all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atomloom import DataError, Dataset
from atomloom.experiment import loads, resolved
from atomloom.pipeline import Job, prepare
from atomloom.writers import write

EXPERIMENT = """\
[[data.source]]
path = "rare.npz"
reader = "npz"
unit = {{ E = "eV", R = "angstrom" }}
[data.split]
{split}
[batching]
batch_size = 4
[model]
name = "physnet"
"""

COUNT = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hydrogen molecules, the last of which is a cation; and indices that leave it to the test part."""
    folder = tmp_path_factory.mktemp("rare")
    positions = np.zeros((COUNT, 2, 3))
    positions[:, 1, 2] = 0.7 + 0.01 * np.arange(COUNT)
    rare = np.arange(COUNT) == COUNT - 1
    arrays = {"Z": np.ones((COUNT, 2), int), "R": positions, "E": -31.0 - 0.1 * np.arange(COUNT)}
    write(Dataset.from_arrays({**arrays, "total_charge": 1.0 * rare, "total_spin": 1 + rare}), folder / "rare.npz")
    for name, frames in (("train", np.arange(30)), ("valid", np.arange(30, 35)), ("test", np.arange(35, COUNT))):
        np.save(folder / f"{name}.npy", frames)
    return folder


def prepared(folder: Path, split: str) -> Job:
    """The job of the experiment with a split."""
    return prepare(resolved(loads(EXPERIMENT.format(split=split)), folder))


def test_a_state_that_is_only_tested_on_is_named_before_there_is_a_run(folder: Path) -> None:
    """With the states that are trained on, how many frames lack them, and how to divide them."""
    files = "\n".join(f'{name} = "{name}.npy"' for name in ("train", "valid", "test"))
    found = r"the train part has a total charge of 0, and the test part has frames of 1 \(1 frame\).*--stratify total_c"
    with pytest.raises(DataError, match=found):
        prepared(folder, files)


@pytest.mark.parametrize("seed", range(8))
def test_a_split_by_strata_trains_on_every_state(folder: Path, seed: int) -> None:
    """However rare it is, whatever the seed."""
    parts = prepared(folder, f'seed = {seed}\nstratify = ["total_charge", "total_spin"]').parts
    assert COUNT - 1 in parts.train
    assert (len(parts.valid), len(parts.test)) == (4, 4)
