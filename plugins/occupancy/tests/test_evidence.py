"""Profile likelihood, and evidence for and against parameters."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.stats import chi2

from atomloom_occupancy import examples
from atomloom_occupancy.active_set import minimise
from atomloom_occupancy.evidence import of_grouping, of_waters
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.profiling import Profile, intervals
from atomloom_occupancy.refining import How, Refined, prepare, refine
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.standard_form import StandardForm
from atomloom_occupancy.uncertainty import freed_scales, uncertainties

GROUPS = """[states]
joint = ["//W/3", "//W/4"]
bound = ["//B/1", "//W/1"]
apo = ["//W/2"]
"""


@pytest.fixture(scope="module")
def crystal(tmp_path_factory: pytest.TempPathFactory) -> tuple[gemmi.Structure, Refined]:
    """A crystal in which two waters that differ share an occupancy, and none is in the ligand's place."""
    folder = tmp_path_factory.mktemp("evidence")
    model = examples.crystal({**examples.TRUTH, "bound": 0.97, "apo": 0.0})
    examples.observations(model, seed=3).write_to_file(str(folder / "data.mtz"))
    (folder / "groups.toml").write_text(GROUPS)
    network, data = read_groups(folder / "groups.toml", model), load_reflections(folder / "data.mtz")
    return model, refine(prepare(model, data, network, How()), network, How(), np.full(3, 0.6))


def test_profile_is_the_minimum_with_one_occupancy_held(crystal: tuple[gemmi.Structure, Refined]) -> None:
    """The rise is that of a full minimisation with the occupancy held, less what freed scales take away."""
    refined = crystal[1]
    value = float(refined.point[0]) - 0.06
    row = np.eye(1, len(refined.point))
    held = StandardForm(np.vstack([refined.form.matrix, row]), np.append(refined.form.right, value), 3)
    lost = freed_scales(refined)

    def function(point: np.ndarray, hessian: bool) -> object:
        local = refined.objective(point, hessian)
        off, second = (point - refined.point)[:3], local.hessian.copy()
        slope = local.gradient.copy()
        slope[:3] -= lost @ off
        second[:3, :3] -= lost
        return local._replace(value=local.value - off @ lost @ off / 2, gradient=slope, hessian=second)

    exact = minimise(function, held.matrix, held.nearest(refined.point[:3]))[1].value - refined.local.value
    assert Profile(refined).rise(0, value) == pytest.approx(exact, rel=2e-3)


def test_intervals_are_standard_uncertainties_away_from_bounds(crystal: tuple[gemmi.Structure, Refined]) -> None:
    """Where no bound is near, the profile interval is one standard uncertainty to either side."""
    refined = crystal[1]
    low, high = Profile(refined).interval(0)
    assert (high - low) / 2 == pytest.approx(uncertainties(refined).fixed_b[0], rel=0.03)


def test_intervals_near_bounds(crystal: tuple[gemmi.Structure, Refined]) -> None:
    """A state that is not there has an interval from zero, without a standard uncertainty where it ended at zero."""
    refined = crystal[1]
    spread = uncertainties(refined)
    found = intervals(refined, spread)
    assert found[2, 0] == 0
    assert 0 < found[2, 1] < 0.2
    assert np.isnan(found[0]).all()
    assert np.isnan(spread.fixed_b[2]) == (spread.bound[2] == "0")


def test_joint_against_separate(crystal: tuple[gemmi.Structure, Refined]) -> None:
    """Two waters that differ want occupancies of their own, a ligand and its water do not."""
    found = {each.what: each for each in of_grouping(*crystal)}
    assert found["joint"].bic < -10
    assert found["bound"].bic > 0
    assert found["bound"].more == found["joint"].more == 1
    each = found["joint"]
    assert each.chance == pytest.approx(chi2.sf(each.ratio, 1))


def test_waters_that_may_as_well_be_full(tmp_path: Path) -> None:
    """A partial water wants its occupancy, a full one does not."""
    model = examples.crystal()
    examples.observations(model).write_to_file(str(tmp_path / "data.mtz"))
    (tmp_path / "groups.toml").write_text('[states]\npartial = ["//W/3"]\nfull = ["//W/4"]\n')
    network, data = read_groups(tmp_path / "groups.toml", model), load_reflections(tmp_path / "data.mtz")
    found = of_waters(model, refine(prepare(model, data, network, How()), network, How()))
    assert [(each.what, each.bic < 0) for each in found] == [("partial", True), ("full", False)]
