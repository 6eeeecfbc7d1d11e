"""Packages that are asked for by an option: told beforehand where they are missing, used where they are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import pytest

from atomloom import Dataset
from atomloom.errors import ConfigError, RunFailed
from atomloom_jax import Training, checking
from atomloom_jax.checking import check
from atomloom_jax.pair_potential import PairPotential


@pytest.mark.parametrize("extra", ["lovely", "tensorboard"])
def test_a_missing_package_is_told_beforehand(
    extra: str, fit_data: Any, molecules: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for what a package does hears how to install it."""
    monkeypatch.setattr(checking, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=rf'pip install "atomloom-jax\[{extra}\]"'):
        check(fit_data(molecules, 60), Training(**{extra: True}))


class Overflowing(PairPotential):
    """Gives energies without bounds."""

    def predict(self, state: dict[str, Any], batch: Any) -> dict[str, Any]:
        """Infinity wherever a frame is."""
        found = super().predict(state, batch)
        return {**found, "E": jnp.where(batch["frame_mask"], jnp.inf, found["E"])}


def test_arrays_are_told_where_numbers_break(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path, run_log: Callable[[], list[str]]
) -> None:
    """With `lovely` every array has a line with its shape, at the start and at the update that broke."""
    training = Training(num_epochs=1, lovely=True)
    with pytest.raises(RunFailed):
        trained(tmp_path / "run", fit_data(molecules, 60, batch_size=20), training, Overflowing())
    lines = [line for line in run_log() if ": weights " in line]
    assert [line.partition(":")[0] for line in lines] == ["before this session", "in update 1 of epoch 1"]
    assert all("Array[4, 4, 6]" in line for line in lines)
