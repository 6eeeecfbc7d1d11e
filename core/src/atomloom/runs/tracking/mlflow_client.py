"""MLflow: a run there for a run here, found again by the tag ``atomloom.id``.

Where it is kept is up to ``MLFLOW_TRACKING_URI``; without it, in ``mlflow.db`` where the command was started.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from atomloom.runs.metrics import Row
from atomloom.runs.tracking.services import PROJECT, Subject

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

TAG = "atomloom.id"

MOST_METRICS, MOST_PARAMS, LONGEST = 1000, 100, 6000
"""What MLflow takes at once: metrics, parameters, and characters of a parameter's value."""

_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}


class MLflow:
    """See `atomloom.runs.tracking.services.Service`."""

    def start(self, subject: Subject) -> None:
        """Take a run up, or go on with the one that has its id."""
        from mlflow import MlflowClient  # an extra, so that modules of core can be imported without it
        from mlflow.entities import Param

        self._client = MlflowClient()
        self._id = _run_id(self._client, subject)
        self._client.update_run(self._id, status="RUNNING")
        params = [Param(key, str(value)[:LONGEST]) for key, value in flat(subject.config) if value != ""]
        for first in range(0, len(params), MOST_PARAMS):
            self._client.log_batch(self._id, params=params[first : first + MOST_PARAMS])

    def updates(self, block: Mapping[str, Any]) -> None:
        """The values of each update under ``update/``, its number being the step."""
        names = [name for name in block if name != "update"]
        steps = block["update"].tolist() if "update" in block else []
        self._log([(f"update/{name}", block[name][place], step) for place, step in enumerate(steps) for name in names])

    def epochs(self, rows: list[Row]) -> None:
        """The metrics of each epoch, its number being the step."""
        self._log([(name, value, row.epoch) for row in rows for name, value in row.values.items()])

    def finish(self, outcome: str) -> None:
        """The status there; one that was interrupted is KILLED until it goes on."""
        self._client.set_terminated(self._id, _STATUS[outcome])

    def _log(self, points: list[tuple[str, Any, int]]) -> None:
        metrics = [_metric(*point) for point in points]
        for first in range(0, len(metrics), MOST_METRICS):
            self._client.log_batch(self._id, metrics=metrics[first : first + MOST_METRICS])


def flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Values of nested tables under names with dots.

    >>> dict(flat({"model": {"name": "ridge"}, "title": "water"}))
    {'model.name': 'ridge', 'title': 'water'}
    """
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _run_id(client: MlflowClient, subject: Subject) -> str:
    project = subject.project or os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
    experiment = client.get_experiment_by_name(project)
    number = client.create_experiment(project) if experiment is None else experiment.experiment_id
    found = client.search_runs([number], f"tags.`{TAG}` = '{subject.id}'", max_results=1)
    run = found[0] if found else client.create_run(number, tags={TAG: subject.id}, run_name=subject.name)
    return str(run.info.run_id)


def _metric(name: str, value: Any, step: int) -> Metric:
    from mlflow.entities import Metric

    return Metric(name, float(value), int(time.time() * 1000), step)
