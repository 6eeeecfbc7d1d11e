"""Runs in Weights & Biases and MLflow: what was measured arrives there, and nothing that fails there ends a fit."""

from __future__ import annotations

import importlib
import logging
import struct
import threading
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Run
from atomloom.errors import ConfigError
from atomloom.runs import describe, metrics
from atomloom.runs.tracking import check, services
from atomloom.runs.tracking.courier import Courier

BLOCK, HEAD = 32768, 7  # of the log format in which Weights & Biases keeps records: blocks, and heads in them


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is tracked stays in the test's folder."""
    here = {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false", "WANDB_CACHE_DIR": str(tmp_path / "cache")}
    here |= {"WANDB_CONFIG_DIR": str(tmp_path / "settings"), "WANDB_DATA_DIR": str(tmp_path / "data")}
    here |= {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    for name, value in {**here, "DO_NOT_TRACK": "true"}.items():
        monkeypatch.setenv(name, value)


def fit(folder: Path, until: int, **services: Any) -> Run:
    """A run of four epochs of two updates, new or resumed, interrupted after epoch `until`."""
    config = {"model": {"name": "ridge", "alpha": 0.5}, "tracking": services}
    run = Run.open(folder) if folder.exists() else Run.create(folder, config, describe())
    for epoch in run.epochs(4):
        updates = np.array([2 * epoch.number - 1, 2 * epoch.number])
        run.steps({"update": updates, "loss": 1.0 / updates})
        epoch.log({"train/loss": 1.0 / epoch.number, "valid/E/mae": 2.0 / epoch.number})
        epoch.save({"a": np.zeros(2)}, {})
        if epoch.number == until < 4:
            break
    return run


class Broken:
    """A service that is not there."""

    def start(self, subject: services.Subject) -> None:
        """As it goes without a network."""
        raise ConnectionError("the network is down")


def test_a_service_that_fails_is_told_once_and_ends_no_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The run finishes, and its log has one line of the service."""
    monkeypatch.setattr(services.Known, "make", lambda self: Broken())
    assert fit(tmp_path / "run", 4, wandb=True).finished
    lines = [line for line in (tmp_path / "run" / "run.log").read_text().splitlines() if "Weights" in line]
    assert len(lines) == 1
    assert lines[0].endswith(
        "Weights & Biases is told no more of this run, which goes on without it: ConnectionError: the network is down"
    )


def test_a_service_that_hangs_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """A courier that cannot deliver is left alone once its time is over, and says so."""
    gate = threading.Event()
    courier = Courier("a slow one")
    courier.send(lambda: gate.wait() and None)
    with caplog.at_level(logging.WARNING, "atomloom"):
        courier.close(patience=0.01)
    gate.set()
    assert "it did not answer within 0.01 s" in caplog.text


def test_a_line_of_metrics_is_read_once(tmp_path: Path) -> None:
    """From a place on there are the whole lines that were added, and a line without its end waits for it."""
    path = tmp_path / "metrics.jsonl"
    metrics.append(path, 1, {"train/loss": 1.0})
    first, place = metrics.since(path, 0)
    metrics.append(path, 2, {"train/loss": 0.5})
    with path.open("ab") as file:
        file.write(b'{"epoch": 3')
    second, after = metrics.since(path, place)
    assert [[row.epoch for row in rows] for rows in (first, second, metrics.since(path, after)[0])] == [[1], [2], []]


@pytest.mark.parametrize("key", services.SERVICES)
def test_a_missing_package_is_told_beforehand(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a service without its package hears how to install it."""

    def nowhere(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(services, "find_spec", nowhere)
    check({"tracking": {key: False}})
    with pytest.raises(ConfigError, match=rf'is not installed. Install it with `pip install "atomloom\[{key}\]"`'):
        check({"tracking": {key: True}})


def test_a_moved_run_keeps_its_id(tmp_path: Path) -> None:
    """The id by which services know a run does not depend on where it lies or how often it was resumed."""
    run = fit(tmp_path / "run", 4, project="water")
    before = services.Subject.of(run)
    moved = services.Subject.of(Run.open((tmp_path / "run").rename(tmp_path / "other")))
    assert (before.id, "other", "water") == (moved.id, moved.name, moved.project)
    assert services.Subject.of(fit(tmp_path / "second", 4, project="water")).id != before.id


def records(path: Path) -> Iterator[Any]:
    """The records of a file that Weights & Biases left offline: pieces with checksum, length and kind, in blocks."""
    proto = importlib.import_module("wandb.proto.wandb_internal_pb2")
    content, place, parts = path.read_bytes(), HEAD, b""
    while place + HEAD <= len(content):
        left = BLOCK - place % BLOCK
        if left < HEAD:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        parts += content[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield proto.Record.FromString(parts)
            parts = b""


def points(found: list[Any], name: str, axis: str) -> dict[str, str]:
    """What was logged under a name, by its place on an axis."""
    rows = [
        {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]
    return {row[axis]: row[name] for row in rows if name in row}


def test_weights_and_biases_gets_what_was_measured(tmp_path: Path) -> None:
    """Two sessions are one run there, with its name, options, epochs, updates and how each ended."""
    pytest.importorskip("wandb", reason='needs `pip install "atomloom[wandb]"`')
    fit(tmp_path / "run", 2, wandb=True, project="water")
    run = fit(tmp_path / "run", 4, wandb=True)
    files = sorted((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime)
    sessions = [list(records(path)) for path in files]
    begun = [record.run for found in sessions for record in found if record.WhichOneof("record_type") == "run"]
    assert {(one.run_id, one.display_name, one.project) for one in begun} == {
        (services.Subject.of(run).id, "run", "water")
    }
    assert any(item.key == "model" and '"alpha"' in item.value_json for item in begun[0].config.update)
    ends = [record.exit.exit_code for found in sessions for record in found if record.HasField("exit")]
    assert ends == [1, 0]
    assert any(record.HasField("preempting") for record in sessions[0])
    both = [record for found in sessions for record in found]
    losses = points(both, "train/loss", "epoch")
    assert {int(epoch): float(loss) for epoch, loss in losses.items()} == {n: 1.0 / n for n in range(1, 5)}
    updates = points(both, "update/loss", "update/number")
    assert {int(n): float(loss) for n, loss in updates.items()} == {n: 1.0 / n for n in range(1, 9)}


def test_mlflow_gets_what_was_measured(tmp_path: Path) -> None:
    """Two sessions are one run there, with its name, options, epochs, updates and how it ended."""
    mlflow = pytest.importorskip("mlflow", reason='needs `pip install "atomloom[mlflow]"`')
    pytest.importorskip("sqlalchemy", reason='needs `pip install "atomloom[mlflow]"`')
    client = mlflow.MlflowClient()
    run = fit(tmp_path / "run", 2, mlflow=True, project="water")
    (found,) = client.search_runs([client.get_experiment_by_name("water").experiment_id])
    assert found.info.status == "KILLED"
    fit(tmp_path / "run", 4, mlflow=True)
    (found,) = client.search_runs([client.get_experiment_by_name("water").experiment_id])
    assert (found.info.run_name, found.info.status) == ("run", "FINISHED")
    assert found.data.tags["atomloom.id"] == services.Subject.of(run).id
    assert found.data.params["model.alpha"] == "0.5"
    history = {each.step: each.value for each in client.get_metric_history(found.info.run_id, "valid/E/mae")}
    assert history == {n: 2.0 / n for n in range(1, 5)}
    updates = {each.step: each.value for each in client.get_metric_history(found.info.run_id, "update/loss")}
    assert updates == {n: 1.0 / n for n in range(1, 9)}
