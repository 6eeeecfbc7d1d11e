"""The tutorial's model and its data: right forces, the symmetries it claims, and the solution it should reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset, Run
from atomloom.batching import PaddedBatch, Shape, pad
from atomloom.examples import morse
from atomloom.examples.ridge import Config, Ridge, collect, polynomial
from atomloom.experiment import Batching
from atomloom.model import FitData
from atomloom.pipeline.job import schema_of

MODEL = Ridge()
DATA = morse.make(40, seed=3)
EPOCHS = 60


class Nobody:
    """Observers who do nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def fit_data(dataset: Dataset = DATA, **batching: Any) -> FitData:
    """Thirty frames to learn from, the rest to watch."""
    return FitData(dataset[:30], dataset[30:], Batching(**batching), 0)


def run_in(folder: Path, epochs: int = EPOCHS) -> Run:
    """A new run, or one that goes on."""
    if folder.exists():
        return Run.open(folder, observers=Nobody())  # type: ignore[arg-type]
    training = {"num_epochs": epochs, "save_every_n_epochs": 0, "keep_last": 3}
    return Run.create(folder, {"training": training}, {}, observers=Nobody())  # type: ignore[arg-type]


def fitted(folder: Path, data: FitData | None = None, ridge: float = 1e-3) -> dict[str, np.ndarray]:
    """The state after a whole fit."""
    state = MODEL.init(schema_of(DATA), Config(ridge=ridge), 0)
    return MODEL.fit(state, data or fit_data(), (), run_in(folder))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """A fitted state."""
    return fitted(tmp_path_factory.mktemp("ridge") / "run")


def energies(state: dict[str, np.ndarray], dataset: Dataset, shape: Shape | None = None) -> np.ndarray:
    """Predictions for all frames in one batch."""
    return predicted(state, batch_of(dataset, shape))


def batch_of(dataset: Dataset, shape: Shape | None = None) -> PaddedBatch:
    """All frames in one batch, exactly as large as they are unless a shape is given."""
    batch = dataset.take(range(len(dataset)))
    return pad(batch, shape or Shape(batch.frames, int(batch.sizes["atom"].sum())))


def predicted(state: dict[str, np.ndarray], batch: PaddedBatch) -> np.ndarray:
    """The energies of the real frames."""
    return MODEL.predict(state, batch)["E"][batch["frame_mask"]]


@pytest.mark.parametrize("name", morse.MOLECULES)
def test_forces_are_the_negative_gradient_of_the_energy(name: str) -> None:
    """Central differences of the energy give the forces, to the error of the differences."""
    molecule, step = morse.MOLECULES[name], 1e-5
    positions = np.array(molecule.positions) + np.random.default_rng(0).normal(
        scale=0.1, size=(len(molecule.numbers), 3)
    )
    forces = morse.energy_and_forces(molecule, positions)[1]
    differences = np.zeros_like(positions)
    for place in np.ndindex(*positions.shape):
        move = np.zeros_like(positions)
        move[place] = step
        up, down = (morse.energy_and_forces(molecule, positions + sign * move)[0] for sign in (1, -1))
        differences[place] = -(up - down) / (2 * step)
    np.testing.assert_allclose(forces, differences, atol=1e-6)
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-12)


@pytest.mark.parametrize("name", morse.MOLECULES)
def test_molecules_rest_at_their_equilibrium(name: str) -> None:
    """There the energy is that of the elements, and no force acts."""
    molecule = morse.MOLECULES[name]
    energy, forces = morse.energy_and_forces(molecule, np.array(molecule.positions))
    assert energy == sum(morse.ELEMENT_ENERGIES[number] for number in molecule.numbers)
    assert not forces.any()


def moved(dataset: Dataset, how: str) -> Dataset:
    """Every frame moved, turned, mirrored or with its atoms in another order."""
    random = np.random.default_rng(1)
    frames = []
    for number in range(len(dataset)):
        frame = dataset.take([number]).frame(0)
        order = random.permutation(len(frame["Z"])) if how == "permutation" else slice(None)
        turn = np.linalg.qr(random.normal(size=(3, 3)))[0] if how in {"rotation", "reflection"} else np.eye(3)
        turn *= np.sign(np.linalg.det(turn)) * (-1 if how == "reflection" else 1)
        shift = random.normal(size=3) * (100.0 if how == "translation" else 0.0)
        frames.append({"Z": frame["Z"][order], "R": (frame["R"] @ turn.T + shift)[order]})
    return Dataset.from_frames(frames)


@pytest.mark.parametrize("how", ["permutation", "rotation", "translation", "reflection"])
def test_the_energy_does_not_change(state: dict[str, np.ndarray], how: str) -> None:
    """Moving, turning and relabelling a molecule leave its energy as it was."""
    np.testing.assert_allclose(energies(state, moved(DATA, how)), energies(state, DATA), rtol=1e-9)


@pytest.mark.parametrize("shape", [Shape(50, 300), Shape(40, 200, 0, 0, 5), Shape(41, 287, 0, 0, 7)])
def test_the_energy_does_not_depend_on_padding(state: dict[str, np.ndarray], shape: Shape) -> None:
    """Slots that are not used change nothing."""
    np.testing.assert_allclose(energies(state, DATA, shape), energies(state, DATA), rtol=1e-12)


@pytest.mark.parametrize("size", [1, 3, 16])
def test_the_energy_does_not_depend_on_the_company(state: dict[str, np.ndarray], size: int) -> None:
    """A frame has the same energy alone and in any batch, in any order."""
    order = np.random.default_rng(0).permutation(len(DATA))
    parts = [energies(state, DATA[order[start : start + size]]) for start in range(0, len(DATA), size)]
    np.testing.assert_allclose(np.concatenate(parts), energies(state, DATA)[order], rtol=1e-12)


def test_the_fit_reaches_the_closed_form(state: dict[str, np.ndarray]) -> None:
    """Conjugate gradients end where the normal equations of ridge regression are solved."""
    x, reference = collect(fit_data(order="file"), DATA[:30], 5)
    features = polynomial((x - x.mean(axis=0)) / x.std(axis=0))
    matrix = features.T @ features / len(x) + 1e-3 * np.eye(features.shape[1])
    weights = np.linalg.solve(matrix, features.T @ (reference - reference.mean()) / len(x))
    np.testing.assert_allclose(state["weights"], weights, atol=1e-6 * np.abs(weights).max())
    exact = features @ weights + reference.mean()
    np.testing.assert_allclose(energies(state, DATA[:30]), exact, rtol=1e-9)


def test_spectra_are_those_of_the_coulomb_matrix() -> None:
    """Two atoms have the eigenvalues that the formula gives, filled up with zeros."""
    data = Dataset.from_frames([{"Z": [1, 6], "R": [[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]], "E": 0.0}])
    a, b, c = 0.5, 0.5 * 6**2.4, 3.0
    middle, half = (a + b) / 2, np.sqrt((a - b) ** 2 / 4 + c**2)
    x, _ = collect(FitData(data, data, Batching(), 0), data, 3)
    np.testing.assert_allclose(x, [sorted([middle + half, middle - half, 0.0], reverse=True)])


@pytest.mark.parametrize("batching", [{"batch_size": 1}, {"batch_size": 7}, {"atoms": 11}, {"buckets": 2}])
def test_batches_do_not_change_the_fit(tmp_path: Path, state: dict[str, np.ndarray], batching: dict[str, Any]) -> None:
    """However the frames are put together, the same energies come out."""
    other = fitted(tmp_path / "run", fit_data(**batching))
    np.testing.assert_allclose(energies(other, DATA), energies(state, DATA), rtol=1e-8)


def test_a_column_that_never_varies_does_no_harm(tmp_path: Path) -> None:
    """Training on molecules of one size leaves predictions for them finite and right."""
    waters = [number for number in range(len(DATA)) if DATA.sizes["atom"][number] == 3]
    data = FitData(DATA[waters], DATA[waters[:2]], Batching(), 0)
    state = fitted(tmp_path / "run", data, ridge=1e-8)
    np.testing.assert_allclose(energies(state, DATA[waters]), DATA[waters]["E"], atol=0.5)
    assert np.isfinite(energies(state, DATA)).all()


@pytest.mark.parametrize("stop", [1, 2, 30, EPOCHS - 1])
def test_an_interrupted_fit_goes_on_bit_for_bit(tmp_path: Path, stop: int) -> None:
    """Stopped after any epoch and resumed, the fit has the same state and the same metrics, to the last bit."""
    whole = fitted(tmp_path / "whole")
    run = run_in(tmp_path / "parts")
    epochs = run.epochs

    def until_stop(*options: Any) -> Any:
        for epoch in epochs(*options):
            yield epoch
            if epoch.number == stop:
                raise KeyboardInterrupt

    run.epochs = until_stop  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        MODEL.fit(MODEL.init(schema_of(DATA), Config(ridge=1e-3), 0), fit_data(), (), run)
    assert Run.open(tmp_path / "parts").epochs_done == stop
    parts = fitted(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert all(whole[name].tobytes() == parts[name].tobytes() for name in whole)
    lines = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "parts")]
    assert lines[0] == lines[1]
    assert len(lines[0].splitlines()) == EPOCHS
