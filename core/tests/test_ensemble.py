"""Ensembles: members and what they say together, uncertainties that hold, frames to label next, kills and commands."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import ConfigError, DataError, Dataset, ModelSpec, Run, RunError, hookimpl
from atomloom.batching import PaddedBatch
from atomloom.data import PerFrame
from atomloom.ensemble import Calibration, Ensemble, Selection, loaded, mean_and_spread, select
from atomloom.ensemble.calibration import (
    Deviations,
    Scale,
    coverage,
    fitted_scale,
    levels,
    miscalibration_area,
    nll,
    rank_correlation,
)
from atomloom.ensemble.fitting import member
from atomloom.ensemble.likeness import Likeness
from atomloom.ensemble.students import ONE_SIGMA, half_width, neg_log_density, within
from atomloom.examples.morse import make
from atomloom.experiment import loads, resolved
from atomloom.model import FitData, Model, Schema, WeightedLoss
from atomloom.pipeline import Fitted, Job, fit, predict, prepare, resume
from atomloom.registry import Registry, use
from atomloom.registry.find import find
from atomloom.registry.records import Found
from atomloom.report import Curve, Hexbin, KeyFigures, Report, Scatter, to_text
from atomloom.runs import history
from atomloom.writers import write

Array = np.ndarray
State = dict[str, Array]

EXPERIMENT = """\
ensemble = 4
[[data.source]]
path = "molecules.npz"
reader = "npz"
[data.split]
train = 0.5
valid = 0.25
test = 0.25
[model]
name = "guesses"
[training]
num_epochs = 3
seed = 7
"""
MEMBERS = 4

api = 1


class Guesses(Model[State]):
    """Energies and forces that are off by random amounts, which the seed and the order of frames decide."""

    def init(self, schema: Schema, config: Any, seed: int) -> State:
        """What the errors depend on."""
        return {"frequencies": np.random.default_rng(seed).normal(size=3), "epochs": np.zeros(1)}

    def predict(self, state: State, batch: PaddedBatch) -> dict[str, Array]:
        """No energy is right, and those of stretched molecules are least so."""
        sizes = np.linalg.norm(batch["R"], axis=1)
        off = np.sin(batch["R"] * state["frequencies"]) * sizes[:, None] ** 2 + state["epochs"]
        sums = np.zeros(batch.shape.frames)
        np.add.at(sums, batch["batch_segments"], off.sum(axis=1) * batch["atom_mask"])
        return {"E": sums, "F": off}

    def fit(self, state: State, data: FitData, losses: tuple[WeightedLoss, ...], run: Run) -> State:
        """Epochs that count themselves."""
        if last := run.latest():
            state = dict(last.leaves)
        for epoch in run.epochs(run.config["training"]["num_epochs"]):
            state = {**state, "epochs": state["epochs"] + 0.1}
            epoch.log({"train/loss": 1.0 / epoch.number, "valid/loss": 2.0 / epoch.number})
            epoch.save(state, {}, score=2.0 / epoch.number)
        return state


@hookimpl
def atomloom_models() -> Iterator[ModelSpec]:
    """The model of these tests."""
    yield ModelSpec(
        name="guesses",
        summary="Guesses",
        load=f"{__name__}:Guesses",
        needs=("Z", "R"),
        predicts=("E", "F"),
        backend="numpy",
        losses={"energy": 1.0},
    )


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    use(Registry(found=[find([])[0], Found("guesses", target=sys.modules[__name__])]))
    yield
    use(None)


def write_molecules(folder: Path) -> None:
    """A file of molecules whose energies are small enough to be guessed."""
    dataset = make(120, seed=3)
    energies = PerFrame(np.random.default_rng(0).normal(size=len(dataset)))
    write(dataset.with_columns({"E": energies}, {}), folder / "molecules.npz")


def job_in(folder: Path, *changes: tuple[str, str]) -> Job:
    """The job of the experiment, with some of its text exchanged."""
    text = EXPERIMENT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return prepare(resolved(loads(text), folder))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Run, Report]:
    """An ensemble with its job and its report."""
    folder = tmp_path_factory.mktemp("ensemble")
    write_molecules(folder)
    job = job_in(folder)
    run, report = fit(job, folder / "run", quiet=True)
    return job, run, report


# The distribution of errors in units of a spread


@pytest.mark.parametrize("dof", [1, 2, 3, 6, 9, 40])
def test_the_distribution_is_the_integral_of_its_density(dof: int) -> None:
    """For few and many degrees of freedom, odd and even; and the width of an interval is its inverse."""
    x = np.linspace(0.0, 5.0, 20001)
    density = np.exp(-neg_log_density(x, dof))
    integral = 2 * np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2) * (x[1] - x[0])])
    np.testing.assert_allclose(within(x, dof), integral, atol=1e-8)
    for probability in (0.1, ONE_SIGMA, 0.95):
        assert within(half_width(probability, dof), dof) == pytest.approx(probability, abs=1e-12)


def sample(members: int, components: int, overconfidence: float, frames: int, seed: int) -> Deviations:
    """Members that scatter about a value, and a truth that scatters by more, each frame with a spread of its own."""
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.normal(size=(frames, 1)))
    found = spread * rng.normal(size=(members, frames, components))
    truth = overconfidence * spread * rng.normal(size=(frames, components))
    mean, std = mean_and_spread(list(found))
    return Deviations.of(mean, truth, std, (members - 1) * components)


def test_the_spread_of_few_members_is_not_too_small() -> None:
    """Its square is on average the variance that the members are drawn with, also of two."""
    rng = np.random.default_rng(1)
    for members in (2, 3, 5):
        _, spread = mean_and_spread(list(3.0 * rng.normal(size=(members, 20000))))
        assert np.mean(spread**2) == pytest.approx(9.0, rel=0.05)


def test_the_spread_of_vectors_does_not_depend_on_how_they_are_turned() -> None:
    """One number a row, the same after a rotation."""
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(4, 10, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    one, other = (mean_and_spread(list(each))[1] for each in (vectors, vectors @ turn))
    assert one.shape == (10,)
    np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("overconfidence", [0.5, 1.0, 4.0])
@pytest.mark.parametrize(("members", "components"), [(2, 1), (4, 1), (4, 3), (8, 1)])
def test_a_known_overconfidence_is_found(members: int, components: int, overconfidence: float) -> None:
    """The truth is k spreads away and the mean of n members off by 1/sqrt(n): the factor is sqrt(k^2 + 1/n).

    On other frames the intervals then hold what they say.
    """
    scale = fitted_scale(sample(members, components, overconfidence, 10000, seed=0))
    assert scale is not None
    assert scale.factor == pytest.approx(np.sqrt(overconfidence**2 + 1 / members), rel=0.05)
    others = sample(members, components, overconfidence, 10000, seed=1)
    assert miscalibration_area(levels(others, scale)) < 0.01
    inside = np.abs(others.errors) < scale.width * others.spread[:, None]
    assert inside.mean() == pytest.approx(ONE_SIGMA, abs=0.01)


def test_the_likelihood_is_greatest_at_the_factor() -> None:
    """Any other factor, and shorter tails, make the same errors less likely; a normal distribution finds another."""
    errors = sample(4, 1, 2.0, 4000, seed=3)
    scale = fitted_scale(errors)
    assert scale is not None
    least = nll(errors, scale)
    assert all(nll(errors, Scale(scale.factor * off, scale.dof, 0)) > least for off in (0.97, 1.03))
    normal = float(np.sqrt(np.mean(errors.ratios() ** 2)))
    assert normal > 1.4 * scale.factor


def test_errors_with_longer_tails_get_them() -> None:
    """Where errors are no sample of one distribution, the degrees of freedom say so, and coverage holds."""
    rng = np.random.default_rng(4)
    spread = np.exp(rng.normal(size=20000))
    errors = 1.5 * spread * rng.standard_t(3, size=20000)
    found = Deviations.of(errors, np.zeros(20000), spread, 9)
    scale = fitted_scale(found)
    assert scale is not None
    assert (scale.dof, scale.factor) == (3, pytest.approx(1.5, rel=0.03))
    assert miscalibration_area(levels(found, scale)) < 0.01


def test_rows_whose_members_agree_exactly_are_left_out() -> None:
    """And counted; where all do there is no scale."""
    found = Deviations.of([1.0, 2.0, np.nan], np.zeros(3), [0.0, 1.0, 1.0], 3)
    assert (found.errors.tolist(), found.left_out) == ([[2.0]], 2)
    assert fitted_scale(Deviations.of([1.0, 2.0], np.zeros(2), [0.0, 0.0], 3)) is None


def test_the_area_is_that_between_the_curves() -> None:
    """Against a fine grid."""
    found = levels(sample(4, 1, 3.0, 50, seed=5), Scale(1.0, 3, 0))
    grid = np.linspace(0.0, 1.0, 200001)
    assert miscalibration_area(found) == pytest.approx(np.mean(np.abs(coverage(found, grid) - grid)), abs=1e-4)


def test_ranks_of_equal_values_are_shared() -> None:
    """Spearman's coefficient is Pearson's of the ranks, ties having the mean of theirs."""
    one, other = np.array([1.0, 2.0, 2.0, 5.0]), np.array([0.3, 0.1, 0.4, 0.4])
    expected = np.corrcoef([0.0, 1.5, 1.5, 3.0], [1.0, 0.0, 2.5, 2.5])[0, 1]
    assert rank_correlation(one, other) == pytest.approx(expected)


# A run of several members


def test_members_differ_by_their_seeds_alone(made: tuple[Job, Run, Report]) -> None:
    """Each has its own, all have one split, and the first is the run that there would be without an ensemble."""
    job, run, _ = made
    members = [Run.open(run.files.member(number).path) for number in range(1, MEMBERS + 1)]
    assert [each.provenance["seeds"]["training"] for each in members] == [7, 8, 9, 10]
    assert {each.provenance["split"]["digest"] for each in members} == {job.parts.described()["digest"]}
    alone, _ = fit(member(job, 1), run.folder.parent / "alone", quiet=True)
    assert (alone.folder / "metrics.jsonl").read_bytes() == (members[0].folder / "metrics.jsonl").read_bytes()
    ours, theirs = alone.latest(), members[0].latest()
    assert ours is not None
    assert theirs is not None
    np.testing.assert_array_equal(ours.leaves["frequencies"], theirs.leaves["frequencies"])


def test_predictions_are_means_with_calibrated_uncertainties(made: tuple[Job, Run, Report]) -> None:
    """Against the members one by one, and a calibration made by hand from the validation part alone."""
    job, run, _ = made
    ensemble = loaded(run)
    assert isinstance(ensemble, Ensemble)
    watched = job.data.dataset[job.parts.valid]
    found = predict(ensemble, watched)
    members = [predict(Fitted.load(Run.open(run.files.member(k).path)), watched) for k in range(1, MEMBERS + 1)]
    assert found.fields["F_std"].dims == ("frame", "atom")
    for name, dof in (("E", 3), ("F", 9)):
        each = np.array([predicted[name] for predicted in members], dtype=np.float64)
        mean, spread = each.mean(axis=0), np.sqrt(each.reshape(*each.shape[:2], -1).var(axis=0, ddof=1).mean(axis=1))
        scale = fitted_scale(Deviations.of(mean, watched[name], spread, dof))
        assert ensemble.calibration.scales[name] == scale
        assert scale is not None
        np.testing.assert_allclose(found[name], mean, rtol=1e-6)
        np.testing.assert_allclose(found[f"{name}_std"], scale.width * spread, rtol=1e-6)


def test_the_report_judges_on_the_test_part(made: tuple[Job, Run, Report]) -> None:
    """With a plot of the calibration, of groups of like uncertainty and of all errors for each field."""
    job, _, report = made
    titles = [section.title for section in report.sections]
    assert {"Uncertainty of E", "Uncertainty of F", "Members"} <= set(titles)
    section = report.sections[titles.index("Uncertainty of F")]
    assert [type(block) for block in section.blocks] == [KeyFigures, Curve, Scatter, Hexbin]
    (first,) = (block for block in section.blocks if isinstance(block, KeyFigures))
    figures = {figure.name: figure for figure in first.figures}
    atoms = int(job.data.dataset.sizes["atom"][job.parts.test].sum())
    assert f"of {atoms} rows" in figures["sharpness"].note
    assert set(figures) >= {"calibration factor", "miscalibration area", "NLL", "rank correlation"}


def test_a_run_is_listed_once_with_its_members_within(made: tuple[Job, Run, Report]) -> None:
    """Epochs of all members, means of their metrics, and a path that leads to each."""
    _, run, _ = made
    (found,) = [one for one in history.list_runs(run.folder.parent) if one.name == "run"]
    assert (found.status, found.members, found.epochs, found.total) == ("finished", MEMBERS, 12, 12)
    assert found.final["valid/loss"] == pytest.approx(2 / 3)
    assert history.find("run/member-2", run.folder.parent).name == "member-2"
    with pytest.raises(RunError, match=r"it is an ensemble of 4 members\. Name one of them, such as '.*member-1'"):
        Fitted.load(run)


def test_a_finished_ensemble_has_nothing_left_to_do(made: tuple[Job, Run, Report]) -> None:
    """And one whose calibration was deleted gets the same again."""
    _, run, _ = made
    before = run.files.calibration.read_bytes()
    assert resume(run.folder, quiet=True)[1] is None
    run.files.calibration.unlink()
    assert resume(run.folder, quiet=True)[1] is not None
    assert run.files.calibration.read_bytes() == before


def test_members_that_are_missing_are_an_error(made: tuple[Job, Run, Report], tmp_path: Path) -> None:
    """Which says how to get them; an ensemble of fewer would be another one."""
    folder = shutil.copytree(made[1].folder, tmp_path / "run")
    shutil.rmtree(folder / "member-4")
    with pytest.raises(RunError, match=r"3 of its 4 members are there\. Go on with `atomloom resume"):
        loaded(Run.open(folder))


def test_without_a_validation_part_nothing_is_calibrated(tmp_path: Path) -> None:
    """Uncertainties are then the spread, and the report says so."""
    write_molecules(tmp_path)
    changes = (("valid = 0.25\n", ""), ("ensemble = 4", "ensemble = 2"))
    run, report = fit(job_in(tmp_path, *changes), tmp_path / "run", quiet=True)
    assert Ensemble.load(run).calibration == Calibration()
    assert "there is no calibration" in to_text(report)


def test_an_ensemble_is_not_searched_for(tmp_path: Path) -> None:
    """And has two members at least."""
    with pytest.raises(ConfigError, match="`ensemble` and `search` exclude each other"):
        loads(EXPERIMENT + '[search.space]\n"training.num_epochs" = [1, 2]\n')
    with pytest.raises(ConfigError, match=r"`ensemble` is 1\. It has to be a whole number of at least 2"):
        loads(EXPERIMENT.replace("ensemble = 4", "ensemble = 1"))


# Frames to label next


def turned(frame: Mapping[str, Array], seed: int = 0) -> dict[str, Array]:
    """A frame that was turned, mirrored, moved and renumbered."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(len(frame["Z"]))
    return {**frame, "Z": frame["Z"][order], "R": (-frame["R"] @ turn + 5.0)[order]}


def test_near_duplicates_are_of_one_shape_and_state() -> None:
    """However they are turned and numbered; another charge or a longer bond is another frame."""
    frame = {**make(1, seed=0).take([0], ["Z", "R"]).frame(0), "charge": np.array(0)}
    own = Likeness.of(frame, ["charge"])
    assert own.near(Likeness.of(turned(frame), ["charge"]), 1e-6)
    assert not own.near(Likeness.of({**frame, "charge": np.array(1)}, ["charge"]), 0.1)
    stretched = {**frame, "R": frame["R"] * 1.2}
    assert not own.near(Likeness.of(stretched, ["charge"]), 0.1)
    assert not own.near(own, 0.0)


def test_atoms_that_leave_a_cell_at_one_side_are_where_they_enter() -> None:
    """Distances are those to the nearest image."""
    rng = np.random.default_rng(6)
    cell = np.array([[4.0, 0.0, 0.0], [0.5, 5.0, 0.0], [0.2, 0.3, 6.0]])
    frame = {"Z": np.array([6, 8, 1, 1]), "R": rng.uniform(size=(4, 3)) @ cell, "cell": cell}
    moved = {**frame, "R": frame["R"] + rng.integers(-2, 3, size=(4, 3)) @ cell}
    assert Likeness.of(frame).near(Likeness.of(moved), 1e-6)
    assert not Likeness.of(frame).near(Likeness.of({**moved, "pbc": np.zeros(3, dtype=bool)}), 0.1)


@pytest.fixture(scope="module")
def pool() -> Dataset:
    """Other molecules, of which the first is there twice, turned."""
    frames = [make(20, seed=11)[k : k + 1].take([0], ["Z", "R", "E"]).frame(0) for k in range(20)]
    return Dataset.from_frames([*frames, turned(frames[0])])


def selected(made: tuple[Job, Run, Report], pool: Dataset, count: int, **how: Any) -> Selection:
    """What that ensemble would have labelled."""
    return select(Ensemble.load(made[1]), pool, count, **how)


def test_the_least_certain_frames_are_chosen_and_none_twice(made: tuple[Job, Run, Report], pool: Dataset) -> None:
    """The largest uncertainty of an atom decides; a near duplicate is passed over, unless it is let in."""
    predictions = predict(Ensemble.load(made[1]), pool)
    cuts = np.cumsum(pool.sizes["atom"])[:-1]
    scores = np.array([part.max() for part in np.split(predictions["F_std"], cuts)])
    order = np.argsort(-scores, kind="stable").tolist()
    second = max(0, 20, key=order.index)
    found = selected(made, pool, 21, apart=1e-4)
    assert found.frames.tolist() == [frame for frame in order if frame != second]
    np.testing.assert_allclose(found.scores, scores[found.frames])
    assert found.skipped == 1
    assert selected(made, pool, 21, apart=0).frames.tolist() == order


def test_what_is_to_be_labelled_has_no_labels(made: tuple[Job, Run, Report], pool: Dataset) -> None:
    """Only what a model reads, the uncertainties, and where the frames come from."""
    found = selected(made, pool, 3).dataset
    assert set(found.columns) == {"Z", "R", "E_std", "F_std", "pool_frame", "score"}
    np.testing.assert_array_equal(found["R"], pool[found["pool_frame"]]["R"])


def test_a_field_may_be_named(made: tuple[Job, Run, Report], pool: Dataset) -> None:
    """One that the model predicts; there may be fewer frames than were asked for, and none is an error."""
    by_energy = selected(made, pool, 100, by="E", apart=0)
    assert (len(by_energy.frames), by_energy.by, by_energy.unit) == (21, "E", "eV")
    assert (np.diff(by_energy.scores) <= 0).all()
    with pytest.raises(DataError, match="the model predicts E, F"):
        selected(made, pool, 1, by="D")
    with pytest.raises(DataError, match="the pool has no frames"):
        selected(made, pool[:0], 1)


# Commands

RIDGE = ("ridge", "--data", "molecules.npz", "--ensemble", "2")


def atomloom(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a shell would run it."""
    command = [sys.executable, "-m", "atomloom", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_a_killed_ensemble_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    """Killed within its second member, it leaves the first alone and ends as one that was left alone."""
    write_molecules(tmp_path)
    epochs = ("--num-epochs", "60")
    assert atomloom(tmp_path, "train", *RIDGE, *epochs, "--name", "whole").returncode == 0
    command = [sys.executable, "-m", "atomloom", "train", *RIDGE, *epochs, "--name", "killed"]
    second = tmp_path / "runs" / "killed" / "member-2" / "metrics.jsonl"
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (second.exists() and second.stat().st_size > 500):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    listed = json.loads(atomloom(tmp_path, "runs", "list", "--json").stdout)
    (killed,) = [one for one in listed if one["name"] == "killed"]
    assert (killed["status"], killed["members"], 60 < killed["epochs"] < 120) == ("interrupted", 2, True)
    first = tmp_path / "runs" / "killed" / "member-1"
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    done = atomloom(tmp_path, "resume", "killed")
    assert done.returncode == 0, done.stderr
    assert before == {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    for number in (1, 2):
        whole, again = (tmp_path / "runs" / name / f"member-{number}" / "metrics.jsonl" for name in ("whole", "killed"))
        assert whole.read_bytes() == again.read_bytes()
    finished = atomloom(tmp_path, "resume", "killed")
    assert (finished.returncode, "'killed' is finished" in finished.stderr) == (0, True)


def test_commands_take_an_ensemble_where_it_makes_sense(tmp_path: Path) -> None:
    """To predict, to judge and to show; where one model is needed they name a member."""
    write_molecules(tmp_path)
    assert atomloom(tmp_path, "train", *RIDGE, "--num-epochs", "3", "--name", "both").returncode == 0
    shown = atomloom(tmp_path, "runs", "show", "both").stdout
    assert "ridge (2 members)" in shown
    assert "member-2" in shown
    predicted = atomloom(tmp_path, "predict", "both", "--data", "molecules.npz", "--out", "out.npz")
    assert predicted.returncode == 0, predicted.stderr
    with np.load(tmp_path / "out.npz") as written:
        assert written["E_std"].shape == written["E"].shape
    judged = atomloom(tmp_path, "evaluate", "both")
    assert (judged.returncode, "Their seeds change" in " ".join(judged.stdout.split())) == (0, True)  # ridge has none
    refused = atomloom(tmp_path, "evaluate", "both", "--mode", "invariance")
    assert (refused.returncode, "Name one of them, such as 'runs/both/member-1'" in refused.stderr) == (2, True)
    assert atomloom(tmp_path, "evaluate", "both/member-1", "--mode", "invariance").returncode == 0
    wanted = ("--data", "molecules.npz", "--count", "4", "--out", "next.npz", "--json")
    chosen = atomloom(tmp_path, "select", "both", *wanted)
    assert chosen.returncode == 0, chosen.stderr
    with np.load(tmp_path / "next.npz") as written:
        assert written["pool_frame"].tolist() == [each["pool_frame"] for each in json.loads(chosen.stdout)["frames"]]
    single = atomloom(tmp_path, "select", "both/member-1", *wanted, "--overwrite")
    assert (single.returncode, "it is no ensemble. Fit one with --ensemble 4" in single.stderr) == (2, True)
