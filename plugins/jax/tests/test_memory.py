"""Batches that do not fit are told before they run, with one that does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jax
import pytest

from atomloom import Dataset, Run
from atomloom.errors import RunFailed
from atomloom_jax import Training, training

SETTINGS = Training(num_epochs=1, table_every_n_epochs=0)


def megabytes(folder: Path) -> float:
    """What the log of a run says that an update takes."""
    (told,) = re.findall(r"compiled an update .* it takes ([\d,]+) MB", Run.open(folder).files.log.read_text())
    return float(told.replace(",", ""))


@pytest.fixture(scope="module")
def many(molecules: Dataset) -> Dataset:
    """Enough frames for a batch of a few megabytes."""
    return molecules[[number % len(molecules) for number in range(2000)]]


def test_a_batch_that_is_too_large_names_one_that_fits(
    fit_data: Any, trained: Any, many: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames that are said to fit do fit, by the compiler's own word, and nearly fill the memory."""
    limit = 4_000_000
    monkeypatch.setattr(training, "memory_limit", lambda devices: limit)
    with pytest.raises(RunFailed, match=r"an update takes .* GB and the device has 0\.004 GB") as raised:
        trained(tmp_path / "large", fit_data(many, 1900, batch_size=1000), SETTINGS)
    (frames,) = re.findall(r"Batches of (\d+) frames a device would fit", str(raised.value))
    assert int(frames) < 1000
    trained(tmp_path / "fitting", fit_data(many, 1900, batch_size=int(frames)), SETTINGS)
    assert 0.5 * limit <= 1e6 * megabytes(tmp_path / "fitting") <= limit


def test_memory_that_runs_out_later_is_told_as_well(
    fit_data: Any, trained: Any, many: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAX's own error comes as one that says what to do; other errors of JAX pass."""

    def fails(self: Any, epoch: Any, prepared: Any) -> None:
        raise jax.errors.JaxRuntimeError(text)

    text = "RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."
    train = training._Loop._train

    def trains_and_fails(self: Any, epoch: Any, prepared: Any) -> None:
        train(self, epoch, prepared)
        fails(self, epoch, prepared)

    monkeypatch.setattr(training._Loop, "_train", trains_and_fails)
    with pytest.raises(RunFailed, match="Batches of 150 frames a device would fit"):
        trained(tmp_path / "run", fit_data(many, 1900, batch_size=300), SETTINGS)
    text = "INTERNAL: something else"
    with pytest.raises(jax.errors.JaxRuntimeError, match="something else"):
        trained(tmp_path / "other", fit_data(many, 1900, batch_size=300), SETTINGS)
