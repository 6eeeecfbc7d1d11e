"""The loop: accumulation, one program for each shape, metrics of real predictions, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from atomloom import Dataset, Run
from atomloom.batching import fixed_shape, in_order
from atomloom.errors import ConfigError, RunError, RunFailed
from atomloom.model import WeightedLoss
from atomloom.pipeline.job import schema_of
from atomloom_jax import DeviceBatch, Training
from atomloom_jax.checking import check
from atomloom_jax.devices import mesh
from atomloom_jax.gathering import IN_FLIGHT, fetched
from atomloom_jax.objective import Objective
from atomloom_jax.pair_potential import Config, PairPotential
from atomloom_jax.precision import precise
from atomloom_jax.schedules import schedule
from atomloom_jax.step import measure_function, update_function
from atomloom_jax.train_state import Leaves, TrainState

EXACT = {"precision": "float64", "use_ema": False, "optimizer": "sgd", "learning_rate": 1e-5, "use_lr_schedule": False}


@pytest.mark.parametrize("steps", [2, 4])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_accumulated_batches_are_one_large_batch(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path, steps: int, optimizer: str
) -> None:
    """k batches of b frames of unequal sizes, padding and all, give the parameters of one batch of k b to 1e-6."""
    options = {**EXACT, "num_epochs": 2, "optimizer": optimizer}
    whole = trained(tmp_path / "whole", fit_data(molecules, 60, batch_size=16), Training(**options))
    parts = trained(
        tmp_path / "parts",
        fit_data(molecules, 60, batch_size=16 // steps),
        Training(**options, gradient_accumulation_steps=steps),
    )
    for name in ("weights", "energies"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=0, atol=1e-6 * max(1.0, np.abs(whole[name]).max()))


def test_the_last_batch_counts_by_its_real_frames(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path
) -> None:
    """An epoch in one update has the gradient of all frames, however it is cut."""
    options = {**EXACT, "num_epochs": 1}
    one = trained(tmp_path / "one", fit_data(molecules, 60, batch_size=60), Training(**options))
    cut = trained(
        tmp_path / "cut", fit_data(molecules, 60, batch_size=15), Training(**options, gradient_accumulation_steps=4)
    )
    np.testing.assert_allclose(cut["weights"], one["weights"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("batching", [{"batch_size": 8}, {"batch_size": 4, "buckets": [3, 5]}, {"atoms": 40}])
def test_one_program_is_compiled_for_each_shape(
    fit_data: Any,
    trained: Any,
    molecules: Dataset,
    tmp_path: Path,
    run_log: Callable[[], list[str]],
    batching: dict[str, Any],
) -> None:
    """As many updates and validations are compiled as the plan has shapes, over all epochs."""
    data = fit_data(molecules, 60, **batching)
    trained(tmp_path / "run", data, Training(num_epochs=3))
    shapes = {planned.shape for epoch in range(3) for planned in data.plan(data.train, pairs=True).batches(epoch)}
    said = run_log()
    assert sum(text.startswith("compiled an update") for text in said) == len(shapes)
    noted = Run.open(tmp_path / "run").provenance["sessions"][-1]
    assert noted["programs_compiled"] == sum(text.startswith("compiled") for text in said)
    assert noted["structures_per_second"] > 0
    assert 0 <= noted["waiting_for_data"] < 1
    assert all("for " in text for text in said if text.startswith("compiled"))


def test_metrics_are_those_of_the_predictions(fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path) -> None:
    """Validation metrics equal means over predictions of the saved state, made frame by frame in numpy."""
    data = fit_data(molecules, 60, batch_size=16)
    leaves = trained(tmp_path / "run", data, Training(num_epochs=2, precision="float64"))
    model = PairPotential()
    errors: dict[str, list[float]] = {"E": [], "F": []}
    with precise("float64"):
        for batch in in_order(data.valid, fixed_shape(data.valid, 4, pairs=True)):
            predicted = model.predict(dict(leaves), batch)
            energy = np.asarray(predicted["E"]) + model.offsets(leaves, batch)["E"] - batch["E"]
            errors["E"] += energy[batch["frame_mask"]].tolist()
            errors["F"] += (np.asarray(predicted["F"]) - batch["F"])[batch["atom_mask"]].ravel().tolist()
    logged = Run.open(tmp_path / "run").metrics()
    for name, values in errors.items():
        assert logged[f"valid/{name}/mae"][-1] == pytest.approx(np.mean(np.abs(values)), rel=1e-9)
        assert logged[f"valid/{name}/rmse"][-1] == pytest.approx(np.sqrt(np.mean(np.square(values))), rel=1e-9)
        assert logged[f"valid/{name}/max"][-1] == pytest.approx(max(values), rel=1e-9)
    loss = np.mean(np.square(errors["E"])) + 10 * np.mean(np.square(errors["F"]))
    assert logged["valid/loss"][-1] == pytest.approx(loss, rel=1e-9)


def test_validation_uses_the_average(fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path) -> None:
    """With EMA the saved model is the average of the parameters after each update, computed here from SGD."""
    options = {**EXACT, "num_epochs": 1}
    after = []
    for epochs in (1, 2):
        leaves = trained(
            tmp_path / f"plain{epochs}",
            fit_data(molecules, 32, batch_size=32),
            Training(**{**options, "num_epochs": epochs}),
        )
        after.append(leaves["weights"])
    averaged = trained(
        tmp_path / "ema",
        fit_data(molecules, 32, batch_size=32),
        Training(**{**options, "num_epochs": 2, "use_ema": True, "ema_decay": 0.9}),
    )
    expected = [after[0], 0.1 * after[0] + 0.9 * after[1]]
    best = min((0, 1), key=lambda epoch: Run.open(tmp_path / "ema").metrics()["valid/loss"][epoch])
    np.testing.assert_allclose(averaged["weights"], expected[best], rtol=0, atol=1e-12)


class Breaking(PairPotential):
    """Gives NaN for every frame with a certain number of atoms."""

    def predict(self, state: dict[str, Any], batch: Any) -> dict[str, Any]:
        """As usual, but NaN energies for frames of five atoms."""
        predicted = super().predict(state, batch)
        counts = (
            jnp.zeros(batch.shape.frames)
            .at[jnp.asarray(batch["batch_segments"])]
            .add(jnp.asarray(batch["atom_mask"], float))
        )
        return {**predicted, "E": jnp.where(counts == 5, jnp.nan, predicted["E"])}


def test_a_nan_names_update_frames_and_loss_and_keeps_the_last_state(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path
) -> None:
    """The run stops at the first update that is not finite and says which frames and which loss made it so."""
    sizes = molecules.sizes["atom"]
    small = np.concatenate([np.flatnonzero(sizes < 5)[:20], np.flatnonzero(sizes == 5)[:2]])
    data = fit_data(molecules[small], 22, batch_size=22)
    with pytest.raises(RunFailed) as raised:
        trained(tmp_path / "run", data, Training(num_epochs=2), Breaking())
    message = str(raised.value)
    assert "in update 1 of epoch 1, the loss 'energy' is not finite for frames 20, 21" in message
    assert "No state was saved before" in message
    assert Run.open(tmp_path / "run").status == "failed"


@pytest.mark.parametrize(
    ("batching", "training", "found"),
    [
        ({"batch_size": 100}, {}, r"there are 60 frames to train on\. Set batch_size to 60 or less"),
        ({"batch_size": 20}, {"gradient_accumulation_steps": 4}, r"Set gradient_accumulation_steps to 3 or less"),
        ({"batch_size": 4}, {"num_devices": 99}, r"train on 99 devices: there .* of cpu\. Set num_devices to"),
        ({"batch_size": 4}, {"device": "abacus"}, r"train on 'abacus': JAX has only cpu here"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_compiled(
    fit_data: Any, molecules: Dataset, batching: dict[str, Any], training: dict[str, Any], found: str
) -> None:
    """The message says what would do."""
    with pytest.raises(ConfigError, match=found):
        check(fit_data(molecules, 60, **batching), Training(**training))


def test_another_run_may_be_the_start(fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path) -> None:
    """init_from starts from the best state of a run: with a learning rate of next to nothing it stays there."""
    data = fit_data(molecules, 60, batch_size=16)
    first = trained(tmp_path / "first", data, Training(num_epochs=3))
    still = Training(num_epochs=1, init_from=str(tmp_path / "first"), learning_rate=1e-30, use_ema=False)
    again = trained(tmp_path / "again", data, still)
    np.testing.assert_array_equal(again["weights"], first["weights"])


def test_a_start_of_another_model_names_the_leaves(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path
) -> None:
    """Parameters of other shapes are refused, naming them."""
    trained(
        tmp_path / "first", fit_data(molecules[molecules.sizes["atom"] < 4], 10, batch_size=4), Training(num_epochs=1)
    )

    class Wider(PairPotential):
        def init(self, schema: Any, config: Any, seed: int) -> dict[str, Any]:
            state = super().init(schema, config, seed)
            return {**state, "weights": jnp.zeros((*state["weights"].shape[:2], 9))}

    data = fit_data(molecules[molecules.sizes["atom"] < 4], 10, batch_size=4)
    with pytest.raises(RunError, match=r"`weights` is \[.*6\] and the model has \[.*9\]"):
        trained(tmp_path / "second", data, Training(num_epochs=1, init_from=str(tmp_path / "first")), Wider())


def test_a_resumed_run_of_a_changed_model_names_the_leaves(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path
) -> None:
    """A model whose state has changed since its run was started is refused, naming what is new, and nothing is lost."""

    class Grown(PairPotential):
        def init(self, schema: Any, config: Any, seed: int) -> dict[str, Any]:
            return {**super().init(schema, config, seed), "charges": jnp.zeros(3)}

    data = fit_data(molecules, 60, batch_size=30)
    trained(tmp_path / "run", data, Training(num_epochs=1))
    with pytest.raises(RunError, match="`charges` is missing"):
        trained(tmp_path / "run", data, Training(num_epochs=2), Grown())
    assert Run.open(tmp_path / "run").epochs_done == 1


def test_training_stops_when_nothing_improves(fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path) -> None:
    """Early stopping ends the run as finished after the epochs that it waits."""
    options = {**EXACT, "num_epochs": 50, "learning_rate": 1e-30, "early_stopping_patience": 3}
    trained(tmp_path / "run", fit_data(molecules, 60, batch_size=30), Training(**options))
    run = Run.open(tmp_path / "run")
    assert (run.status, run.epochs_done) == ("finished", 4)


def test_a_run_without_validation_is_steered_by_training(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path
) -> None:
    """No validation part is no error; the best state is that of the lowest training loss."""
    trained(tmp_path / "run", fit_data(molecules, 80, batch_size=16), Training(num_epochs=2))
    assert not any(name.startswith("valid/") for name in Run.open(tmp_path / "run").metrics())


def test_the_table_of_an_epoch_is_in_the_log(fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path) -> None:
    """Each metric has a row of its values on both parts and how far they are apart; every other epoch has a table."""
    trained(tmp_path / "run", fit_data(molecules, 60, batch_size=30), Training(num_epochs=4, table_every_n_epochs=2))
    run = Run.open(tmp_path / "run")
    logged, text = run.metrics(), run.files.log.read_text()
    heads = [line.split() for line in text.splitlines() if line.startswith("Metric")]
    assert heads == [["Metric", "Train", "Valid", "Diff", "%", "Diff"]] * 2
    assert "epoch 2 of 4" in text
    assert "epoch 3 of 4" not in text
    rows = [line.split() for line in text.split("epoch 4 of 4", 1)[1].splitlines()]
    for name in ("loss", "loss/F", "E/mae", "E/rmse", "F/mean", "F/std", "F/min", "F/max"):
        train, valid = (logged[f"{part}/{name}"][-1] for part in ("train", "valid"))
        (row,) = (row for row in rows if row[:1] == [name])
        assert [float(value) for value in row[1:]] == pytest.approx(
            [train, valid, valid - train, 100 * (valid - train) / abs(train)], rel=1e-2, abs=0.05
        )


class Noisy(PairPotential):
    """Energies with noise while training."""

    def predict_with_noise(self, state: dict[str, Any], batch: Any, key: Any) -> dict[str, Any]:
        """As usual, with a standard deviation of an electronvolt."""
        predicted = self.predict(state, batch)
        return {**predicted, "E": predicted["E"] + jax.random.normal(key, predicted["E"].shape)}


def test_noise_is_there_in_updates_alone_and_the_same_again(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path
) -> None:
    """Noise differs from batch to batch, not from run to run, and validation has none."""
    data = fit_data(molecules, 60, batch_size=20)
    still = {**EXACT, "num_epochs": 3, "learning_rate": 1e-30, "table_every_n_epochs": 0}
    for name, model in (("one", Noisy()), ("again", Noisy()), ("plain", PairPotential())):
        trained(tmp_path / name, data, Training(**still), model)
    one, again, plain = (Run.open(tmp_path / name).metrics() for name in ("one", "again", "plain"))
    np.testing.assert_array_equal(one["train/loss"], again["train/loss"])
    np.testing.assert_array_equal(one["valid/loss"], plain["valid/loss"])
    assert len(set(one["train/E/mean"].tolist())) == 3
    noise = one["train/E/mean"] - plain["train/E/mean"]
    assert 0 < np.abs(noise).max() < 5 / np.sqrt(60)


def test_a_nan_in_validation_names_the_frames(fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path) -> None:
    """A frame that only validation sees stops the run as well, called by its number in the data."""
    sizes = molecules.sizes["atom"]
    order = np.concatenate([np.flatnonzero(sizes < 5)[:24], np.flatnonzero(sizes == 5)[:1]])
    data = fit_data(molecules[order], 20, batch_size=4)
    with pytest.raises(RunFailed) as raised:
        trained(tmp_path / "run", data, Training(num_epochs=2), Breaking())
    assert "of the validation after epoch 1, the loss 'energy' is not finite for frame 24" in str(raised.value)


def test_a_run_that_was_killed_after_its_last_epoch_does_no_further_one(
    fit_data: Any, trained: Any, molecules: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped early and killed before that was written down, a run is finished as it was when it goes on."""
    data = fit_data(molecules, 60, batch_size=30)
    training = Training(**{**EXACT, "num_epochs": 50, "learning_rate": 1e-30, "early_stopping_patience": 3})

    def killed(run: Run, reason: str) -> None:
        raise KeyboardInterrupt(reason)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "stop", killed)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "run", data, training)
    assert Run.open(tmp_path / "run").status == "interrupted"
    trained(tmp_path / "run", data, training)
    run = Run.open(tmp_path / "run")
    assert (run.status, run.epochs_done, len(run.metrics()["epoch"])) == ("finished", 4, 4)


def test_many_batches_are_validated_a_few_at_a_time() -> None:
    """However many are sent, no more than a few wait to be fetched, and they come in their order."""
    sent: list[int] = []

    def sending() -> Any:
        for number in range(5 * IN_FLIGHT):
            sent.append(number)
            yield jnp.asarray(number), number

    for place, (vector, number) in enumerate(fetched(sending())):
        assert int(vector) == number == place
        assert len(sent) - place <= IN_FLIGHT + 1


def test_validation_differentiates_nothing_by_parameters(molecules: Dataset, losses: tuple[WeightedLoss, ...]) -> None:
    """The derivative of a parameter is asked for by an update and never by a measurement."""
    asked: list[str] = []

    @jax.custom_vjp
    def watched(values: jax.Array) -> jax.Array:
        return values

    def backward(_: None, slope: jax.Array) -> tuple[jax.Array]:
        asked.append("derivative")
        return (slope,)

    watched.defvjp(lambda values: (values, None), backward)

    class Watched(PairPotential):
        """Tells when its weights are differentiated by."""

        def predict(self, state: dict[str, Any], batch: Any) -> dict[str, Any]:
            """The same values."""
            return super().predict({**state, "weights": watched(state["weights"])}, batch)

    few, model, training, where = molecules[:8], Watched(), Training(), mesh(None, 1)
    state = model.init(schema_of(few), Config(functions=4), 0)
    batch = DeviceBatch.of(next(in_order(few, fixed_shape(few, 8, pairs=True))), "float32")
    batches = jax.tree.map(lambda values: jnp.asarray(values)[None, None], batch)
    leaves = Leaves.of(model, state).trained_in("float32")
    constants = {name: jnp.asarray(leaf) for name, leaf in leaves.constants.items()}
    objective = Objective.of(model, state, losses, few)
    jax.jit(measure_function(objective, where)).lower({**leaves.parameters, **constants}, batches)
    assert not asked
    update = update_function(objective, training, schedule(training, 1), where)
    jax.jit(update).lower(TrainState.fresh(leaves.parameters, training), constants, batches)
    assert asked
