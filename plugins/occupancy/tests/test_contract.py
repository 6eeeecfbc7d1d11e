"""A crystal through the hooks: data sets, losses, and an experiment beside the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gemmi
import numpy as np
import pandas as pd
import pytest

from atomloom.batching import fixed_shape, pad
from atomloom.harmonizing import Choices
from atomloom.numpy_backend import BACKEND
from atomloom.runs import Run
from atomloom_occupancy import contract_examples, examples
from atomloom_occupancy.crystal_fields import reflections_of, structure_of
from atomloom_occupancy.demo import WRONG
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.harmonizers import amplitudes_from_intensities, flags_made
from atomloom_occupancy.likelihood import Amplitudes, Errors, LeastSquares, MaximumLikelihood
from atomloom_occupancy.losses import ls, ml
from atomloom_occupancy.reading import read_data, read_model
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.structure import load_structure
from atomloom_occupancy.structure_factors import direct_sum


def atomloom(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "atomloom", "--quiet", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=300)


def test_model_survives_the_contract(tmp_path: Path) -> None:
    """A model that was made into fields and back scatters the same, and has the same states."""
    path = examples.mmcif_file(tmp_path)
    before, fields = load_structure(path), read_model(path).take([0])
    after = structure_of(fields)
    hkl = gemmi.make_miller_array(before.cell, before.find_spacegroup(), 4.0)
    np.testing.assert_allclose(direct_sum(after, hkl), direct_sum(before, hkl), rtol=1e-6)
    assert find_network(after) == find_network(before)


def test_data_survive_the_contract(tmp_path: Path) -> None:
    """Amplitudes that were made into fields and back are those that the command reads."""
    path = examples.mtz_file(tmp_path)
    before, after = load_reflections(path), reflections_of(read_data(path).take([0]))
    np.testing.assert_array_equal(after.hkl, before.hkl)
    np.testing.assert_array_equal(after.amplitude, before.amplitude)
    np.testing.assert_array_equal(after.free, before.free)
    np.testing.assert_allclose(after.d, before.d, rtol=1e-9)


def test_intensities_are_harmonised() -> None:
    """Intensities get amplitudes near their square roots, all above zero, and free flags."""
    dataset = contract_examples.intensities()
    for harmonizer in (amplitudes_from_intensities, flags_made):
        dataset, findings = harmonizer(dataset, choices=Choices())
        assert len(findings) == 1
    strong = dataset["I_obs"] > 400
    np.testing.assert_allclose(dataset["F_obs"][strong] ** 2, dataset["I_obs"][strong], rtol=0.05)
    assert np.all(dataset["F_obs"] > 0)
    assert 0 < dataset["free_flag"].sum() < len(dataset["free_flag"]) / 2


@pytest.mark.parametrize("name", ["ml", "ls"])
def test_losses_are_the_targets(name: str) -> None:
    """A loss is the sum that a refinement lowers, up to the constant of least squares."""
    dataset = contract_examples.amplitudes()
    target = pad(dataset.take([0, 1]), fixed_shape(dataset, 2))
    model = np.asarray(target["F_obs"]) * 1.1
    lost, count = {"ml": ml, "ls": ls}[name]({**target, "F_obs": model}, target, 1.0, BACKEND.ops)
    work = ~target["free_flag"]
    observed = Amplitudes(target["F_obs"], np.ones(len(work)), target["centric"]).take(work)
    alpha, beta = target["model_alpha"][work], target["model_beta"][work]
    expected = MaximumLikelihood(observed, Errors(alpha, beta)).value(model[work])
    if name == "ls":
        least = LeastSquares(observed, beta)
        expected = least.value(model[work]) - least.value(observed.amplitude)
    assert lost.sum() == pytest.approx(expected, rel=1e-10)
    assert count.sum() == work.sum()


def test_experiment_beside_command(tmp_path: Path) -> None:
    """`atomloom run` comes to the occupancies of the command, and `occupancy-report` to its report."""
    examples.mtz_file(tmp_path)
    examples.crystal(WRONG).write_pdb(str(tmp_path / "crystal.pdb"))
    (tmp_path / "groups.toml").write_text(examples.GROUPS)
    text = contract_examples.EXPERIMENT.replace('"occupancy"', '"occupancy"\ngroups = "groups.toml"')
    (tmp_path / "crystal.toml").write_text(text)
    atomloom("run", "crystal.toml", cwd=tmp_path)
    data = ("--data", "crystal.pdb", "--data", "data.mtz")
    atomloom("evaluate", "runs/crystal", *data, "--mode", "occupancy-report", cwd=tmp_path)
    files = ("crystal.pdb", "data.mtz", "--groups", "groups.toml")
    atomloom("occupancy", "refine", *files, "--out", "refined", cwd=tmp_path)
    checkpoint = Run.open(tmp_path / "runs" / "crystal").best()
    assert checkpoint is not None
    found = np.unique(checkpoint.model_leaves["occupancy"])
    for value in pd.read_csv(tmp_path / "refined" / "occupancies.csv")["occupancy"]:
        assert np.abs(found - value).min() < 1e-5
    report = (tmp_path / "runs" / "crystal" / "analysis" / "occupancy-report" / "report.txt").read_text()
    assert "near A" in report
