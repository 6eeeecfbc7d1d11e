"""The services that runs can be followed in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from atomloom.errors import ConfigError

if TYPE_CHECKING:
    from atomloom.runs.metrics import Row
    from atomloom.runs.run import Run

PROJECT = "atomloom"
"""Where runs are filed when neither the experiment nor the service's own variable says otherwise."""


class Subject(NamedTuple):
    """A run as a service has to know it.

    Args:
        id: the same in every session of the run, and no other run's.
        name: for people.
        folder: of the run.
        config: the resolved experiment.
        project: where the experiment wants it filed; empty if it does not say.
    """

    id: str
    name: str
    folder: Path
    config: Mapping[str, Any]
    project: str

    @classmethod
    def of(cls, run: Run) -> Subject:
        """The run as it is; its id comes from what never changes, so that a moved run is still the same."""
        origin = {key: value for key, value in run.provenance.items() if key != "sessions"}
        text = json.dumps([origin, run.config], sort_keys=True, default=str)
        identity = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return cls(identity, run.name, run.folder.absolute(), run.config, run.config["tracking"].get("project", ""))


class Service(Protocol):
    """One way to follow a run; its methods are called in order, all in one thread, and may fail as they like."""

    def start(self, subject: Subject) -> None:
        """Take a run up, or go on with it."""

    def updates(self, block: Mapping[str, Any]) -> None:
        """A block of steps: an array with one value per step for each metric, ``update`` being their numbers."""

    def epochs(self, rows: list[Row]) -> None:
        """Epochs that have ended."""

    def finish(self, outcome: str) -> None:
        """The session has ended: ``finished``, ``interrupted`` or ``failed``."""


class Known(NamedTuple):
    """A service by its key in ``[tracking]``.

    Args:
        title: for messages.
        package: that has to be installed.
        load: ``"module:class"`` of the `Service`.
    """

    title: str
    package: str
    load: str

    def make(self) -> Service:
        """A `Service` for one session."""
        module, _, name = self.load.partition(":")
        service: Service = getattr(import_module(module), name)()
        return service


SERVICES = {
    "wandb": Known("Weights & Biases", "wandb", "atomloom.runs.tracking.weights_and_biases:WeightsAndBiases"),
    "mlflow": Known("MLflow", "mlflow", "atomloom.runs.tracking.mlflow_client:MLflow"),
}
"""All that there are."""


def wanted(config: Mapping[str, Any]) -> dict[str, Known]:
    """Those that an experiment switches on, by their keys.

    >>> list(wanted({"tracking": {"mlflow": True, "project": "water"}}))
    ['mlflow']
    """
    table = config.get("tracking", {})
    return {key: service for key, service in SERVICES.items() if table.get(key)}


def check(config: Mapping[str, Any]) -> None:
    """Stops before a run is made that could not be followed as it asks.

    Raises:
        ConfigError: when a package is missing.
    """
    for key, service in wanted(config).items():
        if find_spec(service.package) is None:
            todo = f'Install it with `pip install "atomloom[{key}]"`, or leave `{key}` out'
            raise ConfigError(f"follow the run in {service.title}", f"{service.package} is not installed", todo)
