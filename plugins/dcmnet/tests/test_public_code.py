"""Defects of public code for distributed charges that no test of a single part rules out: of trainings as a whole."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

from atomloom import Dataset
from atomloom.errors import DataError
from atomloom.experiment import InFile, load
from atomloom.harmonizing import harmonize
from atomloom.pipeline import prepare
from atomloom.pipeline.fitting import fitted_in
from atomloom.runs import Run
from atomloom_dcmnet import DCMNet
from atomloom_jax import DeviceBatch
from atomloom_jax.precision import precise

EPOCHS, RATE = 3, 2e-3
"""Of the training that the tests share."""


@pytest.fixture(scope="module")
def whole(trained):
    """A run without a disturbance."""
    return Run.open(trained.exp_dir)


def test_a_run_that_was_stopped_goes_on_to_the_bit(whole, tmp_path):
    """Parameters, their average, moments of the optimizer, order of frames and metrics are those of an unbroken run."""

    def stop(run, epoch, metrics):
        if epoch == 1:
            raise KeyboardInterrupt

    job = prepare(load(whole.files.config), InFile(str(whole.files.config)))
    with pytest.raises(KeyboardInterrupt):
        fitted_in(tmp_path / "run", job, stop)
    resumed = fitted_in(tmp_path / "run", job)
    for which in ("latest", "best"):
        one, other = (getattr(run, which)() for run in (whole, resumed))
        assert (one.epoch, one.score, one.extra) == (other.epoch, other.score, other.extra)
        assert one.leaves.keys() == other.leaves.keys()
        assert all(np.array_equal(one.leaves[name], other.leaves[name]) for name in one.leaves)
    assert np.array_equal(whole.metrics()["train/loss"], resumed.metrics()["train/loss"])


def test_a_schedule_counts_updates_and_not_batches(whole):
    """With two batches in each, the rate is still high after a third of the epochs, and low after the last."""
    rates = whole.metrics()["train/learning_rate"]
    assert rates[0] > 0.5 * RATE
    assert rates[-1] < 0.2 * RATE


def test_a_checkpoint_needs_no_program_to_be_read(whole):
    """It holds arrays under names, the bound of displacements among them, and no pickled objects."""
    arrays = load_file(whole.files.path / "checkpoints" / "latest.safetensors")
    assert {name for name in arrays if name.endswith("d_max")}
    assert all(array.dtype.kind in "fiub" for array in arrays.values())
    assert Run.open(whole.files.path).latest().epoch == EPOCHS


def test_the_total_charge_is_exact_in_training_too(molecule, padded, state):
    """A charge that all sites would gain changes nothing in what is trained, so no gradient drives it."""
    batch = DeviceBatch.of(padded([molecule(4, 1.0, seed=3)]), "float32")

    def loss(parameters):
        return jnp.sum(DCMNet().predict({**state, "parameters": parameters}, batch)["esp"] ** 2)

    with precise("float32"):
        slopes = jax.grad(loss)(state["parameters"])["charges"]["out"]["bias"]
    assert float(jnp.abs(slopes).max()) > 0
    assert float(slopes.sum()) == pytest.approx(0.0, abs=1e-2 * float(jnp.abs(slopes).max()))


def _with_dipoles(dipoles):
    positions = np.random.default_rng(0).normal(size=(3, 2, 3))
    given = {"Z": np.ones((3, 2), int), "R": positions, "D": dipoles}
    return harmonize(Dataset.from_arrays(given), choices={"unit": {"D": "e*angstrom", "R": "angstrom"}})[0]


def test_dipoles_keep_to_their_molecules():
    """The vector of a frame is that of its own row; vectors in another shape are refused, and none is cut up."""
    vectors = np.arange(9.0).reshape(3, 3)
    assert np.array_equal(_with_dipoles(vectors)["D"], vectors)
    with pytest.raises(DataError, match=r"its shape is \[3, 1, 3\]"):
        _with_dipoles(vectors[:, None])
