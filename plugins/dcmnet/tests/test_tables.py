"""What the files and parts of an analysis promise: the same rows in every format, with and without masked points."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from atomloom.data import Dataset
from atomloom_dcmnet.analysis import MoleculeErrors
from atomloom_dcmnet.checkpoints import analyze_checkpoint
from atomloom_dcmnet.example import surfaces
from atomloom_dcmnet.surfaces import surface
from atomloom_dcmnet.tables import save_analysis

WITHIN = 1.0  # van der Waals radii, nearer than points count


@pytest.fixture(scope="module")
def analysis(trained):
    """Of molecules that have points where the density is felt too, which do not count."""
    frames = []
    for number in range(3):
        held = surfaces().take([number]).frame(0)
        near = surface(held["Z"], held["R"], WITHIN, 0.1)
        both = {"vdw_surface": np.concatenate([held["vdw_surface"], near])}
        both["esp"] = np.concatenate([held["esp"], np.full(len(near), 0.3)])
        frames.append({**{name: held[name] for name in ("Z", "R", "total_charge", "total_spin", "D")}, **both})
    return analyze_checkpoint(trained.exp_dir, Dataset.from_frames(frames))


def test_errors_are_told_with_and_without_masked_points(analysis):
    """For each molecule: the masked points are those that the potential is most wrong at here."""
    for each in analysis.molecules:
        assert each.points < each.points_all
        assert (each.rmse_all, each.mae_all, each.largest_all) > (each.rmse, each.mae, each.largest)


@pytest.mark.parametrize("name", ["elements", "shells"])
def test_parts_add_up_to_all_points(analysis, name):
    """By element and by shell, points that count and all of them; a shell within the limit has none that count."""
    parts = getattr(analysis, name)
    for points, rmse in (("points", "rmse"), ("points_all", "rmse_all")):
        squares = sum(getattr(p, points) * getattr(p, rmse) ** 2 for p in parts if getattr(p, points))
        expected = sum(getattr(m, points) * getattr(m, rmse) ** 2 for m in analysis.molecules)
        assert sum(getattr(p, points) for p in parts) == sum(getattr(m, points) for m in analysis.molecules)
        assert squares == pytest.approx(expected)
    inner = {part.name: part.points for part in analysis.shells}
    assert inner["0 to 1.2"] == 0


def test_csv_json_and_parquet_hold_the_same_rows(analysis, tmp_path):
    """To the digit; a number that is not there is null in JSON."""
    parquet = pytest.importorskip("pyarrow.parquet")
    save_analysis(analysis, tmp_path)
    kept = json.loads((tmp_path / "best_analysis.json").read_text())
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = parquet.read_table(tmp_path / "predictions.parquet")
    assert tuple(table.column_names) == MoleculeErrors._fields
    assert table["rmse"].to_pylist() == [float(row["rmse"]) for row in rows] == [m["rmse"] for m in kept["molecules"]]
    assert [m["quadrupole"] for m in kept["molecules"]] == [None] * 3
    assert kept["shells"][0]["rmse"] is None
