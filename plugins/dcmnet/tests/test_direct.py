"""What fits without a network promise: exact sums, bounded places, right slopes, and errors below known ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.optimize import approx_fprime

from atomloom.data import Dataset, concatenate
from atomloom.errors import DataError
from atomloom.writers import write
from atomloom_dcmnet.cli import dcmnet
from atomloom_dcmnet.conformers import conformers
from atomloom_dcmnet.direct import Search, _Projected, fit_sites
from atomloom_dcmnet.example import surfaces
from atomloom_dcmnet.fits import read_fit, told
from atomloom_dcmnet.linear import fit_charges, matrix
from atomloom_dcmnet.local_frames import LocalModel, choose_frames
from atomloom_dcmnet.molecules import KCAL, drawn, subject
from atomloom_dcmnet.surfaces import surface

WATER, BROMOFORM = "esp_cubes_water/h2o-pot.cube", "esp_msk_cbr3/molecule-esp-record-cbr3.json"


@pytest.fixture(scope="module")
def potential():
    """That of made-up charges near the atoms of a molecule."""
    return subject(surfaces(density=0.1)).potential


def test_charges_have_the_exact_sum_and_the_least_error(potential):
    """Of all charges with this sum: moving some from one atom to another makes the error larger."""
    found = fit_charges(potential.points, potential.values, potential.positions, total=1.0, ridge=0.0)
    assert found.charges.sum() == pytest.approx(1.0, abs=1e-14)
    whole = matrix(potential.points, potential.positions)
    for first in range(1, len(found.charges)):
        for step in (1e-3, -1e-3):
            moved = found.charges.copy()
            moved[[0, first]] += [step, -step]
            assert np.sqrt(np.mean((whole @ moved - potential.values) ** 2)) > found.rmse


def test_the_sum_of_squares_has_the_slope_that_the_jacobian_says(potential):
    """By finite differences. What the Jacobian leaves out is at right angles to the residual, so the slope is exact."""
    search = Search(sites=2)
    u = np.random.default_rng(1).normal(size=6 * len(potential.positions))
    state = _Projected(u, (potential,), search)

    def half_of_squares(moved):
        return 0.5 * np.sum(_Projected(moved, (potential,), search).residual ** 2)

    expected = approx_fprime(u, half_of_squares, 1e-6)
    assert state.jacobian().T @ state.residual == pytest.approx(expected, rel=1e-3, abs=1e-4 * np.abs(expected).max())


def test_fitted_charges_keep_to_sum_and_bound(potential):
    """To rounding, and better than one charge at each atom."""
    found = fit_sites(potential, Search(sites=2, d_max=0.2, starts=1))
    assert found.charges.sum() == pytest.approx(potential.total, abs=1e-12)
    assert np.linalg.norm(found.places - potential.positions[:, None], axis=2).max() <= 0.2 + 1e-12
    assert found.rmse < fit_charges(potential.points, potential.values, potential.positions, potential.total).rmse


def test_points_that_judge_a_fit_are_none_of_its_own():
    """Every point is in one of both parts."""
    parts = drawn(1000)
    assert sorted([*parts.fitted, *parts.held_out]) == list(range(1000))


@pytest.mark.parametrize("charge", [-1.0, 0.0, 2.0])
def test_the_charge_of_a_molecule_follows_from_its_potential(charge):
    """Where data do not say it and it is plain."""
    dataset = surfaces().without("total_charge")[:1]
    positions, points = dataset["R"], dataset["vdw_surface"]
    values = matrix(points, positions) @ np.full(len(positions), charge / len(positions)) / KCAL
    held = type(dataset).from_frames([{**dataset.take([0]).frame(0), "esp": values}])
    assert subject(held).potential.total == charge


def test_a_charge_that_is_no_whole_number_is_asked_for():
    """The message says what the potential fits."""
    dataset = surfaces().without("total_charge")[:1]
    positions, points = dataset["R"], dataset["vdw_surface"]
    values = matrix(points, positions) @ np.full(len(positions), 0.5 / len(positions)) / KCAL
    held = type(dataset).from_frames([{**dataset.take([0]).frame(0), "esp": values}])
    with pytest.raises(DataError, match=r"the potential fits one of 0\.50\. Give it with --charge"):
        subject(held)


@pytest.fixture(scope="module")
def moved_water():
    """Three geometries of water with the same charges at the same places in their axes: turned, and bent."""
    random, flat = np.random.default_rng(4), np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    geometries = [flat, flat @ turn.T + 1.0, flat + random.normal(scale=0.08, size=(3, 3))]
    axes = choose_frames(np.stack(geometries))
    local = random.uniform(-0.15, 0.15, size=(6, 3))
    model = LocalModel(axes, np.repeat(np.arange(3), 2), np.array([-0.5, -0.3, 0.1, 0.3, 0.2, 0.2]), local)
    frames = []
    for positions in geometries:
        points = surface(np.array([8, 1, 1]), positions, 1.6, 0.8)
        values = matrix(points, model.places(positions)) @ model.charges / KCAL
        frames.append({"Z": [8, 1, 1], "R": positions, "total_charge": 0.0, "vdw_surface": points, "esp": values})
    return Dataset.from_frames([{name: np.asarray(value) for name, value in frame.items()} for frame in frames])


def test_conformers_that_share_their_charges_are_fitted_to_the_last_digit(moved_water):
    """Charges that turn with the atoms describe all three; one charge at each atom does not."""
    found = conformers(moved_water, (0, 1, 2))
    seen = [each.potential for each in found.subjects]
    fitted = fit_sites(seen, Search(starts=4))
    told_of = told(found, (0, 1, 2), [drawn(len(each.points)) for each in seen], Search(starts=4), fitted)
    assert fitted.rmse < 0.02
    assert max(each.rmse_heldout for each in told_of.conformers) < 0.02
    assert told_of.rmse_heldout_atom_charges > 0.3
    assert told_of.sum_of_charges == pytest.approx(0.0, abs=1e-12)


def test_the_slope_of_a_joint_fit_is_right(moved_water):
    """By finite differences, through the axes of each conformer."""
    seen = tuple(each.potential for each in conformers(moved_water, (0, 2)).subjects)
    u = np.random.default_rng(1).normal(size=18)
    state = _Projected(u, seen, Search())
    expected = approx_fprime(u, lambda v: 0.5 * np.sum(_Projected(v, seen, Search()).residual ** 2), 1e-6)
    assert state.jacobian().T @ state.residual == pytest.approx(expected, rel=1e-3, abs=1e-4 * np.abs(expected).max())


def test_conformers_of_different_molecules_are_refused(moved_water):
    """And those of a molecule on a line, whose axes nothing fixes."""
    other = {name: surfaces().take([0]).frame(0)[name] for name in moved_water.fields}
    whole = concatenate([moved_water, Dataset.from_frames([other])])
    with pytest.raises(DataError, match=r"Cannot fit frames 0 and 3 jointly: their atoms are not the same"):
        conformers(whole, (0, 3))
    line = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    frame = {**moved_water.take([0]).frame(0), "R": line, "vdw_surface": surface(np.array([8, 1, 1]), line, 1.6, 0.8)}
    frame["esp"] = np.zeros(len(frame["vdw_surface"]))
    with pytest.raises(DataError, match=r"nearly on a line.*Fit one frame at a time"):
        conformers(Dataset.from_frames([frame, frame]), (0, 1))


def test_conformers_are_fitted_and_kept_from_the_command_line(moved_water, tmp_path):
    """What is kept holds the charges in axes, which give the places in every conformer."""
    write(moved_water, tmp_path / "water.npz")
    call = ["fit", str(tmp_path / "water.npz"), "--all-frames", "--starts", "2", "--out", str(tmp_path / "fit.json")]
    printed = CliRunner().invoke(dcmnet, call, catch_exceptions=False)
    assert "conformer" in printed.output
    kept = read_fit(tmp_path / "fit.json")
    for each in kept.conformers:
        expected = np.array(each.positions).reshape(-1, 3)
        assert kept.model.places(np.array(each.R)) == pytest.approx(expected, abs=1e-8)


def test_a_frame_that_is_not_there_is_refused():
    """With how many there are."""
    with pytest.raises(DataError, match=r"Cannot fit charges to frame 9: there are 6 frames"):
        subject(surfaces(), frame=9)


@pytest.mark.parametrize(
    ("path", "sites", "charges_only", "limit"),
    [(WATER, 2, 1.36, 0.092), (BROMOFORM, 2, 2.24, 0.503)],
    ids=["water", "bromoform"],
)
def test_fits_are_as_good_as_those_that_were_measured(shared, path, sites, charges_only, limit):
    """RMSE in (kcal/mol)/e on points that a fit has not seen; the limit of CHBr3 is that of 4 sites per atom."""
    call = ["fit", str(shared / path), "--sites-per-atom", str(sites), "--starts", "5", "--json"]
    printed = CliRunner().invoke(dcmnet, call, catch_exceptions=False)
    found = json.loads(printed.stdout)
    assert found["rmse_heldout"] <= limit
    assert found["rmse_heldout_atom_charges"] == pytest.approx(charges_only, abs=0.03)
    assert found["fit_points"] == 600
    assert found["sum_of_charges"] == pytest.approx(0.0, abs=1e-12)
    assert found["largest_displacement"] <= 0.35 + 1e-12
