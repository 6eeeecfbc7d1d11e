"""What TensorBoard gets is what the run measured, also where a run was resumed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset, Run
from atomloom.pipeline.job import schema_of
from atomloom.runs import describe
from atomloom_jax import Training
from atomloom_jax.pair_potential import Config, PairPotential
from atomloom_jax.training import train_model_multibatch

events = pytest.importorskip("tensorboardX.proto.event_pb2")


def records(folder: Path) -> Iterator[Any]:
    """The events in the files of a folder, the oldest file first: a length, its checksum, an event, its checksum."""
    for path in sorted(folder.iterdir()):
        content, place = path.read_bytes(), 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)
            yield events.Event.FromString(content[place + 12 : place + 12 + length])
            place += 16 + length


def shown(folder: Path, name: str) -> dict[int, float]:
    """What TensorBoard shows of a scalar: a session that starts at a step purges that step and all after it."""
    values: dict[int, float] = {}
    for event in records(folder):
        if event.session_log.status == event.session_log.START:
            values = {step: value for step, value in values.items() if step < event.step}
        for each in event.summary.value:
            if each.tag == name:
                values[event.step] = each.simple_value
    return values


def fit(folder: Path, data: Any, losses: Any, epochs: int) -> Run:
    """A run with files for TensorBoard, new or resumed, up to some epoch of six."""
    training = Training(num_epochs=6, tensorboard=True)
    config = {"training": {"tensorboard": True}}
    run = Run.open(folder) if folder.exists() else Run.create(folder, config, describe())
    model = PairPotential()
    run_epochs = run.epochs

    def until(*arguments: Any) -> Iterator[Any]:
        for epoch in run_epochs(*arguments):
            yield epoch
            if epoch.number == epochs < 6:
                raise KeyboardInterrupt

    run.epochs = until  # type: ignore[method-assign]
    train_model_multibatch(model, model.init(schema_of(data.train), Config(), 0), data, losses, run, training)
    return run


def test_scalars_are_those_of_the_run(fit_data: Any, losses: Any, molecules: Dataset, tmp_path: Path) -> None:
    """Epochs stand and updates stand under their numbers with what was measured, once, though it was interrupted."""
    data = fit_data(molecules, 60, batch_size=20)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", data, losses, epochs=2)
    run = fit(tmp_path / "run", data, losses, epochs=6)
    metrics = run.metrics()
    for name in ("train/loss", "valid/F/mae"):
        found = shown(run.folder / "tensorboard" / "epochs", name)
        assert found == pytest.approx(dict(zip(metrics["epoch"].tolist(), metrics[name].tolist(), strict=True)))
    rates = shown(run.folder / "tensorboard" / "updates", "learning_rate")
    assert list(rates) == list(range(1, 19))
    assert all(np.diff(list(rates.values())) < 0)
