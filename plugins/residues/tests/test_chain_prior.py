"""The prior of chains: known springs come back, padding, buckets and packing are one function, and the demo runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from atomloom.batching import BucketPlan, FixedPlan, Near, Order, PackedPlan, PaddedBatch, Plan, Shape, Sizes, feed
from atomloom.cli.frame import atomloom
from atomloom.data import Dataset
from atomloom.losses import forces
from atomloom.numpy_backend import NumpyOps
from atomloom.pipeline import Fitted
from atomloom.pipeline.job import load_model, schema_of
from atomloom.registry import registry, resolve
from atomloom.report import KeyFigures, Report
from atomloom_residues import combine_and_pad_npz_bucketed, demo, layouts
from atomloom_residues.chain_prior import ChainPrior, design
from atomloom_residues.chains import chains

STATE = {"stiffness": np.array([2.0, 0.2]), "pull": np.array([7.6, 1.12])}


EXPERIMENT = """\
[[data.source]]
path = "03_bucketed_npz"
reader = "buckets"
[data.split]
train = 0.8
valid = 0.2
[batching]
buckets = 2
batch_size = 4
order = "interleaved"
[model]
name = "chain-prior"
"""


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Chains of three lengths, whose springs are those of `STATE`, beside a repulsion."""
    return chains(frames=7, lengths=(5, 9, 16), seed=4)


def plans(dataset: Dataset) -> dict[str, Plan]:
    """The same frames padded, in buckets, and packed."""
    sizes, order = Sizes.of(dataset), Order(len(dataset), 0)
    return {
        "padded": FixedPlan(sizes, order, 4),
        "bucketed": BucketPlan(sizes, order, (9, 16), batch_size=4),
        "packed": PackedPlan(sizes, order, Shape(frames=8, atoms=40)),
    }


def outcome(dataset: Dataset, plan: Plan) -> tuple[float, np.ndarray, dict[int, np.ndarray]]:
    """The loss over all frames, its gradient by stiffness and pull, and the forces of each frame."""
    total, count, slope, found = 0.0, 0.0, np.zeros(4), {}
    planned = list(plan.batches(0))
    for batch, which in zip(feed(dataset, planned), planned, strict=True):
        predicted = ChainPrior().predict(STATE, batch)
        sums, counts = forces(predicted, batch, batch["frame_mask"].astype(float), NumpyOps())
        total, count = total + sums.sum(), count + counts.sum()
        wrong = np.where(batch["atom_mask"][:, None], predicted["F"] - batch["F"], 0.0)
        slope += 2 * design(batch, 2).T @ wrong.reshape(-1)
        for slot, frame in enumerate(which.frames):
            real = batch["atom_mask"] & (batch["batch_segments"] == slot)
            found[int(frame)] = predicted["F"][real]
    return total / count, slope / count, found


@pytest.mark.parametrize("layout", ["bucketed", "packed"])
def test_one_function_in_every_layout(layout: str, dataset: Dataset) -> None:
    """The same parameters give the same forces, loss and gradient padded, in buckets and packed."""
    made = plans(dataset)
    expected, found = outcome(dataset, made["padded"]), outcome(dataset, made[layout])
    assert found[0] == pytest.approx(expected[0], rel=1e-10)
    assert found[1] == pytest.approx(expected[1], rel=1e-10, abs=1e-12)
    assert found[2].keys() == expected[2].keys() == set(range(len(dataset)))
    for frame, values in expected[2].items():
        assert found[2][frame] == pytest.approx(values, abs=1e-10)


class Padded(ChainPrior):
    """A model that is wrong: what it predicts depends on how many slots its batch has."""

    def predict(self, state: dict[str, np.ndarray], batch: PaddedBatch) -> dict[str, np.ndarray]:
        """Forces that shrink with the padding."""
        return {"F": super().predict(state, batch)["F"] * batch["atom_mask"].mean()}


@pytest.mark.parametrize(("model", "holds"), [(ChainPrior(), True), (Padded(), False)])
def test_the_certificate(model: ChainPrior, *, holds: bool, dataset: Dataset) -> None:
    """It is given to a model that is one function in all layouts, and not to one that looks at its padding."""
    _, spec, _ = load_model("chain-prior")
    fitted = Fitted(model, spec, STATE, schema_of(dataset), 1, resolve(registry().get("backends", "numpy").spec.load))
    near = Near(dataset, 0.0)
    padded, *others = (layouts.outcome(fitted, near, plan) for plan in layouts.plans(near).values())
    assert [layouts.apart(padded, other).holds for other in others] == [holds, holds]


def test_energy_and_forces_of_a_dimer() -> None:
    """k d^2 / 2 - c d, and its negative slope."""
    two = Dataset.from_frames([{"R": np.array([[0.0, 0, 0], [4.0, 0, 0]]), "F": np.zeros((2, 3))}])
    (batch,) = feed(two, plans_of_one(two))
    found = ChainPrior().predict({"stiffness": np.array([2.0]), "pull": np.array([7.6])}, batch)
    assert found["E"].tolist() == pytest.approx([2.0 * 16 / 2 - 7.6 * 4])
    assert found["F"].tolist() == [[pytest.approx(0.4), 0, 0], [pytest.approx(-0.4), 0, 0]]


def plans_of_one(dataset: Dataset) -> list:  # type: ignore[type-arg]
    """One batch of all frames."""
    return list(FixedPlan(Sizes.of(dataset), Order(len(dataset), 0), len(dataset)).batches(0))


TRAIN = ["train", "chain-prior", "--multi-protein-dir", "DIR/03_bucketed_npz", "--batch-size", "4"]


@pytest.mark.parametrize(
    ("command", "order"),
    [
        (["run", "DIR/prior.toml"], "interleaved"),
        (TRAIN, "interleaved"),
        ([*TRAIN, "--bucket-order", "sequential"], "sequential"),
    ],
)
def test_a_folder_of_buckets_is_trained_on(command: list[str], order: str, dataset: Dataset, tmp_path: Path) -> None:
    """By its reader, in the layout that the experiment asks for, with springs close to those that made the data."""
    paths = []
    for length in (5, 9, 16):
        batch = dataset.take(np.flatnonzero(dataset.sizes["atom"] == length))
        held = {name: batch[name].reshape(7, length, *batch[name].shape[1:]) for name in ("R", "F", "resname")}
        paths.append(tmp_path / f"chain{length}.npz")
        np.savez(paths[-1], R=held["R"], F=held["F"] / 0.0433641153087705, resname=held["resname"])
    combine_and_pad_npz_bucketed(paths, tmp_path / "03_bucketed_npz", n_buckets=2)
    (tmp_path / "prior.toml").write_text(EXPERIMENT)
    words = [str(word).replace("DIR", str(tmp_path)) for word in command]
    done = CliRunner().invoke(atomloom, ["--quiet", *words, "--runs", str(tmp_path), "--name", "prior"])
    assert done.exit_code == 0, done.output
    from atomloom.runs import Run

    fitted = Run.open(tmp_path / "prior")
    assert fitted.config["batching"]["order"] == order
    state = fitted.latest()
    assert state is not None
    assert state.leaves["stiffness"][0] == pytest.approx(2.0, rel=0.05)
    assert state.leaves["pull"][0] / state.leaves["stiffness"][0] == pytest.approx(3.8, rel=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "missing option '--data'"),
        (["--data", "a.npz", "--multi-protein-dir", "b"], "--data and --multi-protein-dir are both given"),
        (
            ["--data", "a.npz", "--bucket-order", "sequential"],
            "--bucket-order is of the buckets of --multi-protein-dir",
        ),
        (["--multi-protein-dir", "."], "it has no bucket_N0100.npz or the like"),
    ],
)
def test_what_to_train_on_is_said_once(options: list[str], message: str) -> None:
    """Exit code 2, and what is wrong."""
    done = CliRunner().invoke(atomloom, ["train", "chain-prior", *options])
    assert done.exit_code == 2
    assert message in done.stderr


def titles(report: Report) -> list[str]:
    """Of its sections."""
    return [section.title for section in report.sections]


def test_the_demo_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reports buckets, layouts and errors of the prior, which lie above the noise, and says how to get averages."""
    monkeypatch.setattr(demo, "NETWORK", "a network that is not installed")
    report = demo.run(tmp_path)
    assert titles(report)[:4] == ["Length buckets", "Layouts", "Averages of checkpoints", "All beads"]
    (figures,) = (block for block in report.blocks if isinstance(block, KeyFigures) and len(block.figures) > 5)
    found = {figure.name: figure.value for figure in figures.figures}
    assert found["RMSE, noise floor"] == pytest.approx(demo.NOISE * np.sqrt(3), rel=0.05)
    assert found["RMSE, noise floor"] < found["vector RMSE"] == pytest.approx(found["RMSE, prior"])
    assert found["vector RMSE"] < found["RMSE of zero forces"]


@pytest.mark.slow
def test_the_demo(tmp_path: Path) -> None:
    """With a network: its soup is better than the last file, and its errors lie between prior and noise."""
    report = demo.run(tmp_path)
    (table,) = (block for block in report.blocks if getattr(block, "title", "") == "Averages")
    losses = dict(zip((name.split()[0] for name in table.cells("average")), table.cells("loss"), strict=True))
    assert losses["greedy"] < losses["last"]
    (figures,) = (block for block in report.blocks if isinstance(block, KeyFigures) and len(block.figures) > 5)
    found = {figure.name: figure.value for figure in figures.figures}
    assert found["RMSE, noise floor"] < found["vector RMSE"] < found["RMSE, prior"]
