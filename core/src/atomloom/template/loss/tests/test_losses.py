"""What atomloom-NAME guarantees."""

from __future__ import annotations

import numpy as np
import pytest
from atomloom.batching import PaddedBatch, fixed_shape, in_order
from atomloom.numpy_backend import BACKEND
from atomloom.testing.examples import molecules
from atomloom_NAME.losses import SIZE, robust_forces


@pytest.fixture
def batch() -> PaddedBatch:
    """Six molecules in a batch with room for eight."""
    dataset = molecules()
    return next(in_order(dataset, fixed_shape(dataset, 8)))


def loss_of(batch: PaddedBatch, error: float) -> tuple[float, float]:
    """Sum and count where every force component is wrong by `error`, and padding by more."""
    wrong = np.where(batch["atom_mask"][:, None], error, 1e6)
    total, count = robust_forces({"F": batch["F"] + wrong}, batch, batch["frame_mask"] * 1.0, BACKEND.ops)
    return float(total.sum()), float(count.sum())


def test_it_is_zero_at_the_truth(batch: PaddedBatch) -> None:
    """And counts the components of real atoms."""
    assert loss_of(batch, 0.0) == (0.0, 3.0 * batch.atoms)


@pytest.mark.parametrize(("error", "slope"), [(1e-3 * SIZE, 2.0), (1e3 * SIZE, 1.0)])
def test_small_errors_are_squared_and_large_ones_are_not(error: float, slope: float, batch: PaddedBatch) -> None:
    """The power of the error with which the loss grows is two at first and one in the end."""
    ratio = loss_of(batch, 1.01 * error)[0] / loss_of(batch, error)[0]
    assert np.log(ratio) / np.log(1.01) == pytest.approx(slope, abs=2e-3)
