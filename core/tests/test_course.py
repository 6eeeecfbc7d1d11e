"""The course of a fit in its report: every metric has its unit, the right axis and the parts side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atomloom import Run
from atomloom.pipeline.course import Measure, course
from atomloom.pipeline.run_facts import facts
from atomloom.report import Curve, KeyFigures, Section, Table
from atomloom.runs import describe


def fitted(folder: Path, epochs: int) -> Run:
    """A run whose loss falls by orders of magnitude and whose errors hardly change."""
    run = Run.create(folder, {"model": {"name": "ridge"}}, describe(seeds={"split": 3}))
    for epoch in run.epochs(epochs):
        run.note(waiting_for_data=0.25, devices=["cpu:0"])
        for part, factor in (("train", 1.0), ("valid", 1.5)):
            loss, spread = factor * 10.0**-epoch.number, {"mean": 0.1, "std": 0.5, "min": -2.0, "max": 3.0}
            epoch.log({f"{part}/loss/forces": loss, f"{part}/E/mae": factor})
            epoch.log({f"{part}/E/{name}": factor * value for name, value in spread.items()})
        epoch.log({"train/learning_rate": 1e-3})
        epoch.save({"a": np.zeros(1)}, {})
    return run


def figures(section: Section) -> dict[str, Curve]:
    """The curves by title."""
    return {block.title: block for block in section.blocks if isinstance(block, Curve)}


def tables(section: Section) -> dict[str, Table]:
    """The tables by title."""
    return {block.title: block for block in section.blocks if isinstance(block, Table)}


def test_curves_have_units_parts_and_the_axis_that_shows_most(tmp_path: Path) -> None:
    """What spans more than a decade is logarithmic; means have their spread as a band; extremes share a figure."""
    found = figures(course(fitted(tmp_path / "run", 3)))
    assert list(found) == ["Loss: forces", "MAE of E", "Mean error of E", "Extreme errors of E", "Learning rate"]
    assert (found["Loss: forces"].y.unit, found["Loss: forces"].y.scale) == ("eV^2/angstrom^2", "log")
    assert (found["MAE of E"].y.unit, found["MAE of E"].y.scale) == ("eV", "linear")
    assert [series.name for series in found["MAE of E"].series] == ["train", "valid"]
    band = found["Mean error of E"].series[1]
    assert band.low is not None
    np.testing.assert_allclose(band.low, 1.5 * (0.1 - 0.5))
    assert len(found["Extreme errors of E"].series) == 4


def test_the_last_epoch_compares_the_parts(tmp_path: Path) -> None:
    """The difference is valid less train, in the metric's unit and as a share of train."""
    table = tables(course(fitted(tmp_path / "run", 2)))["After epoch 2"]
    row = next(row for row in table.rows if row[0] == "MAE of E")
    assert row == ("MAE of E", "eV", 1.0, 1.5, 0.5, 50.0)


@pytest.mark.parametrize(("epochs", "rows"), [(3, 3), (7, 3), (8, 4)])
def test_the_table_of_epochs_has_a_bound_and_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int, rows: int
) -> None:
    """Of many epochs every second, third, ... is shown, and the end in any case."""
    monkeypatch.setattr("atomloom.pipeline.course.ROWS", 3)
    table = tables(course(fitted(tmp_path / "run", epochs)))["Epochs"]
    assert (len(table.rows), table.cells("epoch")[-1]) == (rows, epochs)


def test_an_unknown_metric_goes_by_its_own_name() -> None:
    """What no field and no loss explains has no unit."""
    assert Measure.of("charge_penalty") == Measure("charge_penalty", "charge penalty", "")


def test_what_an_engine_noted_is_shown_with_its_unit(tmp_path: Path) -> None:
    """Shares are percentages, and what is no key figure stands in the table of the origin."""
    section = facts(fitted(tmp_path / "run", 1))
    (keys,) = (block for block in section.blocks if isinstance(block, KeyFigures))
    waiting = next(figure for figure in keys.figures if figure.name == "waiting for data")
    assert (waiting.value, waiting.unit) == (25.0, "%")
    assert ("devices", "cpu:0") in tables(section)["Origin"].rows
    assert ("seed of the split", "3") in tables(section)["Origin"].rows
