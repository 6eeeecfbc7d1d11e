"""What atomloom-NAME guarantees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from atomloom.pipeline import Fitted, predict
from atomloom.report import Table
from atomloom.testing.examples import ridge_run
from atomloom_NAME.worst import worst


def test_the_largest_errors_come_first(tmp_path: Path) -> None:
    """The table holds the errors of the run's own predictions, the largest on top."""
    run, dataset = ridge_run(tmp_path)
    table = next(block for block in worst(run, dataset).sections[0].blocks if isinstance(block, Table))
    errors = predict(Fitted.load(run), dataset)["E"] - dataset["E"]
    assert table.cells("error") == tuple(sorted(errors.tolist(), key=abs, reverse=True)[: len(table.rows)])
    assert [errors[frame] for frame in table.cells("frame")] == list(table.cells("error"))
    assert np.array_equal(table.cells("atoms"), dataset.sizes["atom"][list(table.cells("frame"))])
