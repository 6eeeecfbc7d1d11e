"""From an experiment to a fitted run: splits, matching, killing and resuming, predicting and judging."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomloom import AtomloomError, ConfigError, DataError, Dataset, Run, RunError, harmonize, read
from atomloom.batching import PaddedBatch
from atomloom.data import PerFrame
from atomloom.data.schema import declared
from atomloom.examples.demo import as_strangers_write
from atomloom.examples.morse import make
from atomloom.experiment import Split, load, resolved
from atomloom.model import Model
from atomloom.numpy_backend import NumpyBackend
from atomloom.pipeline import Fitted, Job, fit, predict, prepare, resume, split
from atomloom.pipeline.job import load_model, schema_of
from atomloom.pipeline.planning import steps
from atomloom.report import to_text
from atomloom.specs import Field, ModelSpec

EXPERIMENT = """\
[[data.source]]
path = "molecules.npz"
reader = "npz"
unit = { E = "kcal/mol", R = "angstrom", F = "kcal/mol/angstrom" }
[data.split]
train = 0.8
valid = 0.1
test = 0.1
[model]
name = "ridge"
[training]
num_epochs = 5
"""
EPOCHS = 150
"""Of the fits that are killed."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data and an experiment."""
    np.savez(tmp_path / "molecules.npz", **as_strangers_write(make(60, seed=7)))  # type: ignore[arg-type]
    (tmp_path / "exp.toml").write_text(EXPERIMENT)
    return tmp_path


def job_in(folder: Path, *changes: tuple[str, str]) -> Job:
    """The experiment's job, with some of its text exchanged."""
    text = EXPERIMENT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "exp.toml").write_text(text)
    return prepare(resolved(load(folder / "exp.toml"), folder))


# Splits


def frames(count: int, **columns: Any) -> Dataset:
    """A data set of so many frames with these columns."""
    values = {"E": np.arange(float(count)), **{name: np.asarray(column) for name, column in columns.items()}}
    fields = {name: Field(name=name, dims=("frame",)) for name in values}
    return Dataset({name: PerFrame(rows) for name, rows in values.items()}, fields)


def parts_of(dataset: Dataset, **how: Any) -> dict[str, list[int]]:
    """The frames of every part."""
    parts = split(dataset, Split(**how))
    return {name: getattr(parts, name).tolist() for name in ("train", "valid", "test")}


@given(st.integers(10, 400), st.integers(0, 9), st.tuples(*[st.integers(1, 5)] * 3))
@settings(deadline=None)
def test_fractions_are_kept_and_disjoint(count: int, seed: int, weights: tuple[int, int, int]) -> None:
    """Fractions that add up to one hold every frame once, each within a frame of its share."""
    shares = dict(zip(("train", "valid", "test"), (weight / sum(weights) for weight in weights), strict=True))
    if min(shares.values()) * count < 1:
        return
    parts = parts_of(frames(count), seed=seed, **shares)
    assert sorted(frame for part in parts.values() for frame in part) == list(range(count))
    assert all(abs(len(parts[name]) - share * count) <= 1 for name, share in shares.items())
    assert all(part == sorted(part) for part in parts.values())
    assert parts == parts_of(frames(count), seed=seed, **shares)


def test_another_seed_is_another_split() -> None:
    """The seed decides who goes where, and the digest tells splits apart."""
    one, other = (split(frames(50), Split(seed=seed)) for seed in (1, 2))
    assert one.described() == split(frames(50), Split(seed=1)).described()
    assert one.described()["digest"] != other.described()["digest"]


def test_fractions_below_one_leave_frames_out() -> None:
    """What no part asks for is in none."""
    parts = parts_of(frames(100), train=0.3, test=0.2)
    assert (len(parts["train"]), len(parts["valid"]), len(parts["test"])) == (30, 0, 20)
    assert not set(parts["train"]) & set(parts["test"])


def test_groups_stay_together() -> None:
    """Frames of one value are in one part, whichever frames they are."""
    names = np.random.default_rng(0).choice([f"p{number}" for number in range(40)], size=400)
    parts = parts_of(frames(400, protein=names), group="protein", seed=3)
    owners = {name: {str(names[frame]) for frame in part} for name, part in parts.items()}
    assert not owners["train"] & (owners["valid"] | owners["test"])
    assert 250 < len(parts["train"]) < 370


def test_blocks_stay_together() -> None:
    """Frames of one stretch of a trajectory are in one part."""
    parts = parts_of(frames(100), blocks=10, seed=1)
    blocks = {name: {frame // 10 for frame in part} for name, part in parts.items()}
    assert [len(blocks[name]) for name in parts] == [8, 1, 1]
    assert not blocks["train"] & blocks["test"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 0, 1], {"train": [0, 2], "valid": [], "test": [1, 3]}),
        ([False, True, False, False], {"train": [0, 2, 3], "valid": [], "test": [1]}),
        (["test", "train", "valid", "train"], {"train": [1, 3], "valid": [2], "test": [0]}),
    ],
)
def test_a_field_says_the_part(values: list[Any], expected: dict[str, list[int]]) -> None:
    """A flag keeps frames for the end, and names of parts are taken at their word."""
    assert parts_of(frames(4, flag=values), field="flag") == expected


def test_a_flag_within_frames_leaves_them_whole() -> None:
    """A flag of every reflection divides each crystal within itself, and all of them are fitted to."""
    flags = {"free_flag": np.array([[True, False, False]] * 2)}
    crystals = Dataset.from_arrays(flags, lengths={"reflection": [3, 3]})
    assert parts_of(crystals, field="free_flag") == {"train": [0, 1], "valid": [], "test": []}


@pytest.mark.parametrize("suffix", ["npy", "txt"])
def test_files_name_the_frames(tmp_path: Path, suffix: str) -> None:
    """Indices in files, one a line or as an array, are the parts."""
    shares = {"train": [3, 1, 2], "test": [0]}
    for name, indices in shares.items():
        path = tmp_path / f"{name}.{suffix}"
        np.save(path, indices) if suffix == "npy" else path.write_text("".join(f"{index}\n" for index in indices))
    files = {name: str(tmp_path / f"{name}.{suffix}") for name in shares}
    assert parts_of(frames(5), **files) == {"train": [1, 2, 3], "valid": [], "test": [0]}


@pytest.mark.parametrize(
    ("content", "error", "found"),
    [
        (None, ConfigError, "there is no file"),
        ("1\n9\n", DataError, "it holds 9 and the frames are numbered 0 to 4"),
        ("-1\n", DataError, "it holds -1 and the frames are numbered"),
        ("1\n1\n", DataError, "some occur twice"),
        ("1\nabc\n", DataError, "Write one whole number a line"),
        ("0.5\n", DataError, "Write one whole number a line"),
        ("0\n", DataError, "frame 0 is both in 'train' and in 'test'"),
        ("", DataError, "5 frames leave none for 'train'"),
        (np.array([0.5, 1.0]), DataError, "float64"),
        (np.array([[0, 1]]), DataError, "shape (1, 2)"),
    ],
)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_files_of_wrong_indices_are_told(tmp_path: Path, content: Any, error: type[Exception], found: str) -> None:
    """Indices that are none, repeat, are missing or belong to two parts stop the split."""
    path = tmp_path / ("train.npy" if isinstance(content, np.ndarray) else "train.txt")
    if isinstance(content, np.ndarray):
        np.save(path, content)
    elif content is not None:
        path.write_text(content)
    (tmp_path / "test.txt").write_text("0\n")
    with pytest.raises(error) as raised:
        parts_of(frames(5), train=str(path), test=str(tmp_path / "test.txt"))
    assert found in str(raised.value)


@pytest.mark.parametrize(
    ("dataset", "how", "found"),
    [
        (frames(3), {}, "3 frames leave none for 'test'. Give that part a larger share"),
        (frames(9, parent=["a"] * 9), {"group": "parent"}, "9 frames in 1 group by parent leave none for 'valid'"),
        (frames(20, flag=np.ones(20)), {"field": "flag"}, "leave none for 'train'"),
        (frames(3, flag=["trian", "test", "test"]), {"field": "flag"}, "it holds 'trian'"),
        (frames(3, flag=[0, 1, 2]), {"field": "flag"}, "it holds 2"),
        (frames(3, flag=[0, np.nan, 1]), {"field": "flag"}, "it holds nan"),
        (frames(20), {"field": "flag"}, "the data has no value of 'flag' for each frame. Choose one of E"),
        (frames(20), {"group": "protein"}, "the data has no value of 'protein' for each frame. Group by one of E"),
    ],
)
def test_splits_that_cannot_be_are_told(dataset: Dataset, how: dict[str, Any], found: str) -> None:
    """Too few frames for a part that was asked for, or a field that says no part, stop the split."""
    with pytest.raises(DataError) as error:
        parts_of(dataset, **how)
    assert found in str(error.value)


# Matching data, model and losses


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([("[training]", "[losses]\nforces = 1.0\n[training]")], "it compares F, and the model predicts E. Leave it"),
        ([("[training]", "[losses]\ndipole = 1.0\n[training]")], "it compares D, and the model predicts E"),
        ([('"npz"', '"npz"\nas = { coords = "ignore" }'), ('R = "angstrom", ', "")], "it needs R [frame"),
        ([('"npz"', '"npz"\nas = { energies = "ignore" }'), ('E = "kcal/mol", ', "")], "no loss is left"),
        ([('"kcal/mol"', '"nm"')], "'nm' is a length and 'eV' is an energy"),
        ([('"ridge"', '"rigde"')], "Did you mean 'ridge'"),
        ([('"molecules.npz"', '"molecule.npz"')], "Did you mean molecules.npz"),
        ([("num_epochs = 5", "num_epoch = 5")], "num_epochs"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(folder: Path, changes: list[tuple[str, str]], found: str) -> None:
    """Data, model and losses that do not match stop before anything is fitted, with what is missing."""
    with pytest.raises(AtomloomError) as error:
        job_in(folder, *changes)
    assert found in str(error.value)


def test_a_loss_that_is_on_by_default_is_switched_off_and_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A default loss that the data cannot serve is off, and the run's report says why."""
    found, spec, model = load_model("ridge")
    greedy = spec.replace(losses={"energy": 1.0, "dipole": 2.0}, predicts=("E", "D"))
    monkeypatch.setattr("atomloom.pipeline.job.load_model", lambda name: (found, greedy, model))
    job = job_in(folder)
    assert [loss.name for loss in job.losses] == ["energy"]
    assert "it needs D [frame x xyz] in e*angstrom" in job.off["dipole"]
    _, report = fit(job, folder / "run")
    assert "The loss `dipole` is off" in to_text(report)


def test_labels_that_are_no_numbers_stop_the_fit(folder: Path) -> None:
    """A NaN in what a loss compares is an error that names the frame."""
    arrays = dict(np.load(folder / "molecules.npz"))
    arrays["energies"][7] = np.nan
    np.savez(folder / "molecules.npz", **arrays)
    with pytest.raises(DataError, match=r"NaN or infinite in 1 of \d+ frames \(7\)"):
        job_in(folder, ("train = 0.8\nvalid = 0.1\ntest = 0.1", "train = 1.0"))


# Fitting, resuming, predicting


def test_a_run_predicts_what_it_was_judged_by(folder: Path) -> None:
    """Predictions of a run opened again are those of its model, for any choice of frames."""
    run, _ = fit(job_in(folder), folder / "run")
    dataset, _ = harmonize(read(folder / "molecules.npz"), {"unit": {"R": "angstrom", "E": "kcal/mol"}})
    fitted = Fitted.load(Run.open(run.folder))
    everything = predict(fitted, dataset)["E"]
    np.testing.assert_allclose(predict(fitted, dataset[[5, 3]])["E"], everything[[5, 3]], rtol=1e-12)
    assert len(everything) == 60


class Echo(Model[dict[str, Any]]):
    """Predicts fields that it is given."""

    def init(self, schema: Any, config: Any, seed: int) -> dict[str, Any]:
        """Nothing."""
        return {}

    def predict(self, state: dict[str, Any], batch: PaddedBatch) -> dict[str, Any]:
        """Positions as forces, potentials and energies as they are."""
        return {"F": batch["R"], "esp": batch["esp"], "E": batch["E"]}


def test_predictions_stand_where_their_frames_and_atoms_do() -> None:
    """Whatever slots of a batch are padding, every frame, atom and grid point gets its own value."""
    chance = np.random.default_rng(0)
    sizes = [(1, 4), (5, 2), (3, 7)] * 30
    frames = [
        {"Z": [1] * atoms, "R": chance.normal(size=(atoms, 3)), "esp": chance.normal(size=grid), "E": chance.normal()}
        for atoms, grid in sizes
    ]
    data = Dataset.from_frames(frames)
    spec = ModelSpec(name="echo", load="", needs=("R", "esp", "E"), predicts=("F", "esp", "E"))
    predicted = predict(Fitted(Echo(), spec, {}, schema_of(data), 1, NumpyBackend()), data)
    for name, source in (("F", "R"), ("esp", "esp"), ("E", "E")):
        np.testing.assert_array_equal(predicted[name], data[source])


class Assuming(Echo):
    """Takes every energy to be what its options say, and has no answer for atoms beyond helium."""

    def complete(self, dataset: Dataset, config: float) -> Dataset:
        """With energies, where there are light atoms alone."""
        if dataset["Z"].max() > 2:
            raise DataError("predict for these atoms", "there are heavy ones", "Leave them out")
        return dataset.with_columns({"E": PerFrame(np.full(len(dataset), config))}, {"E": declared("E")})


def test_a_model_completes_the_data_before_it_predicts() -> None:
    """What its options stand for is in the batches that it gets, and what it refuses is never predicted for."""
    arrays = {"Z": [[1, 1]], "R": np.zeros((1, 2, 3)), "esp": np.zeros((1, 1))}
    data = Dataset.from_arrays(arrays)
    spec = ModelSpec(name="assuming", load="", needs=("R", "esp", "E"), predicts=("E",))
    fitted = Fitted(Assuming(), spec, {}, schema_of(data), 1, NumpyBackend(), 2.5)
    assert predict(fitted, data)["E"].tolist() == [2.5]
    with pytest.raises(DataError, match="there are heavy ones"):
        predict(fitted, Dataset.from_arrays({**arrays, "Z": [[1, 3]]}))


def test_large_frames_are_predicted_a_few_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many frames go together depends on how many pairs they have, and changes nothing."""
    run, _ = fit(job_in(folder), folder / "run")
    dataset, _ = harmonize(read(folder / "molecules.npz"), {"unit": {"R": "angstrom"}})
    before = predict(Fitted.load(run), dataset)["E"]
    monkeypatch.setattr("atomloom.pipeline.predicting.PAIRS", 45)
    np.testing.assert_allclose(predict(Fitted.load(run), dataset)["E"], before, rtol=1e-12)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda arrays: arrays.update(energies=arrays["energies"] + 1.0), "is not the file that it was fitted to"),
        (lambda arrays: arrays.update({name: rows[:50] for name, rows in arrays.items()}), "is not the file"),
    ],
)
def test_a_run_is_not_resumed_with_other_data(
    folder: Path, spoil: Callable[[dict[str, Any]], None], found: str
) -> None:
    """A data file that changed since the run was started is refused."""
    run, _ = fit(job_in(folder), folder / "run")
    unfinish(run)
    arrays = dict(np.load(folder / "molecules.npz"))
    spoil(arrays)
    np.savez(folder / "molecules.npz", **arrays)
    with pytest.raises(RunError) as error:
        resume(run.folder)
    assert found in str(error.value)


def unfinish(run: Run) -> None:
    """Let a finished run want more epochs."""
    config = run.files.config
    config.write_text(config.read_text().replace("num_epochs = 5", "num_epochs = 9"))
    provenance = json.loads(run.files.provenance.read_text())
    provenance["sessions"][-1]["outcome"] = "interrupted"
    run.files.provenance.write_text(json.dumps(provenance))


def test_a_finished_run_has_nothing_left_to_do(folder: Path) -> None:
    """Resuming a finished run leaves every file as it is."""
    run, _ = fit(job_in(folder), folder / "run")
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    assert resume(run.folder)[1] is None
    assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before


def atomloom(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a shell would run it."""
    command = [sys.executable, "-m", "atomloom", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A command that goes on in the background."""
    command = [sys.executable, "-m", "atomloom", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines_of(run: Path) -> int:
    """How many epochs have been logged so far."""
    metrics = run / "metrics.jsonl"
    return len(metrics.read_bytes().splitlines()) if metrics.exists() else 0


def wait_for(process: subprocess.Popen[str], run: Path, epochs: int) -> None:
    """Wait until so many epochs are logged, or the process has ended."""
    while process.poll() is None and lines_of(run) < epochs:
        time.sleep(0.001)


def same_runs(one: Path, other: Path) -> None:
    """Asserts that two runs have the same states, leaf by leaf, and the same metrics, line by line."""
    assert (one / "metrics.jsonl").read_text().splitlines() == (other / "metrics.jsonl").read_text().splitlines()
    for which in ("latest", "best"):
        first, second = (getattr(Run.open(folder), which)() for folder in (one, other))
        assert (first.epoch, first.score) == (second.epoch, second.score)
        assert first.leaves.keys() == second.leaves.keys()
        for name, leaf in first.leaves.items():
            assert leaf.tobytes() == second.leaves[name].tobytes()


def test_a_killed_run_goes_on_bit_for_bit(folder: Path) -> None:
    """Killed at random moments, before the first epoch too, a run ends exactly as one that was left alone."""
    setting = ("--set", f"training.num_epochs={EPOCHS}")
    assert atomloom(folder, "run", "exp.toml", "--name", "whole", *setting).returncode == 0
    chance = random.Random(5)
    command: tuple[str, ...] = ("run", "exp.toml", "--name", "killed", *setting)
    run = folder / "runs" / "killed"
    for epochs in (0, chance.randint(1, EPOCHS // 2), chance.randint(EPOCHS // 2, EPOCHS - 50)):
        with start(folder, *command) as process:
            while process.poll() is None and not (run / "provenance.json").exists():
                time.sleep(0.001)
            wait_for(process, run, epochs)
            time.sleep(chance.uniform(0.0, 0.01))
            process.send_signal(signal.SIGKILL)
        command = ("resume", "killed")
    assert 0 < lines_of(run) < EPOCHS
    done = atomloom(folder, "resume", "killed")
    assert done.returncode == 0, done.stderr
    same_runs(folder / "runs" / "whole", run)


def test_ctrl_c_leaves_a_run_that_goes_on(folder: Path) -> None:
    """Ctrl-C exits with 130, says how to go on, and loses nothing."""
    setting = ("--set", "training.num_epochs=2000")
    with start(folder, "run", "exp.toml", *setting) as process:
        wait_for(process, folder / "runs" / "exp", 10)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "`atomloom resume runs/exp` goes on" in told
    assert "Traceback" not in told
    run = Run.open(folder / "runs" / "exp")
    assert (run.status, 9 <= run.epochs_done < 2000) == ("interrupted", True)
    config = run.files.config
    config.write_text(config.read_text().replace("num_epochs = 2000", f"num_epochs = {run.epochs_done + 3}"))
    assert atomloom(folder, "resume", "exp").returncode == 0
    assert Run.open(run.folder).finished


def test_runs_predict_and_are_judged_from_the_command_line(folder: Path) -> None:
    """`predict` writes what the model gives beside the geometries, `evaluate` judges by the test part or other data."""
    units = ("--unit", "R=angstrom", "--unit", "E=kcal/mol", "--unit", "F=kcal/mol/angstrom")
    assert atomloom(folder, "run", "exp.toml").returncode == 0
    done = atomloom(folder, "predict", "exp", "--data", "molecules.npz", "--out", "out.npz", *units)
    assert (done.returncode, "60 frames" in done.stdout + done.stderr) == (0, True)
    written, _ = harmonize(read(folder / "out.npz"))
    raw, _ = harmonize(read(folder / "molecules.npz"), {"unit": {"R": "angstrom"}})
    np.testing.assert_array_equal(written["R"], raw["R"])
    expected = predict(Fitted.load(Run.open(folder / "runs" / "exp")), raw)
    np.testing.assert_array_equal(written["E"], expected["E"])
    own = atomloom(folder, "evaluate", "exp")
    assert (own.returncode, "6 values" in own.stdout) == (0, True)
    other = atomloom(folder, "evaluate", "exp", "--data", "molecules.npz", "--out", "judged", *units)
    assert (other.returncode, "60 values" in other.stdout) == (0, True)
    assert (folder / "judged" / "report.json").exists()
    again = atomloom(folder, "predict", "exp", "--data", "molecules.npz", "--out", "out.npz", *units)
    assert (again.returncode, "it exists" in again.stderr) == (2, True)


def test_a_plan_says_what_an_epoch_costs(folder: Path) -> None:
    """Seconds that were measured, and the bytes of the arrays that a state of the model holds."""
    job = job_in(folder)
    (cost,) = (step for step in steps(job) if step.step == "cost")
    held = sum(values.nbytes for values in job.model.leaves(job.model.init(job.schema, job.config, 0)).values())
    assert float(cost.what.split()[0]) > 0
    assert cost.detail.endswith(f"{held} bytes of parameters")
