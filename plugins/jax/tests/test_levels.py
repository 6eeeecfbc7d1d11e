"""Energies of the elements at several levels of theory, and where a training starts from that of another level."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from atomloom import Dataset, Run
from atomloom.data import PerFrame
from atomloom.data.levels import INDEX, LEVEL, levels_of, numbered
from atomloom.data.schema import declared
from atomloom_jax import Training

SHIFTS = np.array([-13.0, -1000.0, -1500.0, -2000.0])
"""Of the energies of hydrogen, carbon, nitrogen and oxygen between two levels, in eV."""


def at_two_levels(dataset: Dataset) -> Dataset:
    """Every other frame at a level of theory that differs by energies of the elements."""
    other, lengths = np.arange(len(dataset)) % 2 == 1, dataset.sizes["atom"]
    shifts = np.add.reduceat(SHIFTS[np.searchsorted([1, 6, 7, 8], dataset["Z"])], np.cumsum(lengths) - lengths)
    columns = {
        LEVEL: PerFrame(np.where(other, "high", "low")),
        "E": PerFrame(dataset["E"] + np.where(other, shifts, 0.0)),
    }
    mixed = dataset.with_columns(columns, {name: declared(name) for name in columns})
    return numbered(mixed, levels_of(mixed))


def test_a_transfer_fits_the_references_of_each_level_to_what_the_loaded_model_leaves(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path
) -> None:
    """Shifts of thousands of eV between levels cost no accuracy, before anything is trained."""
    first = trained(tmp_path / "first", fit_data(molecules, 60, batch_size=16), Training(num_epochs=3))
    still = Training(num_epochs=1, init_from=str(tmp_path / "first"), learning_rate=1e-30, use_ema=False)
    mixed = fit_data(at_two_levels(molecules), 60, batch_size=16)
    again = trained(tmp_path / "again", replace(mixed, needs=(*mixed.needs, INDEX)), still)
    np.testing.assert_array_equal(again["weights"], first["weights"])
    assert (first["references"].shape[0], again["references"].shape[0]) == (1, 2)
    before, after = (Run.open(tmp_path / name).metrics()["valid/E/mae"][-1] for name in ("first", "again"))
    assert after < 1.2 * before
