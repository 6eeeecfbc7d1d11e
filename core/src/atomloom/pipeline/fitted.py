"""A run's model with the state that it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atomloom.batching import Near, PaddedBatch
from atomloom.data import Dataset
from atomloom.data.levels import numbered
from atomloom.data.schema import declared
from atomloom.errors import RunError
from atomloom.experiment import InFile, build
from atomloom.harmonizing import require
from atomloom.model import Array, Backend, Model, Schema
from atomloom.pipeline.job import load_model, options_of
from atomloom.registry import registry, resolve
from atomloom.runs import Run, ensembles
from atomloom.specs import Field, ModelSpec


@dataclass(frozen=True)
class Fitted:
    """A model that can predict.

    Args:
        model, spec, state: the model, what it says of itself, and its state.
        schema: of the data that it was fitted to.
        epoch: after which the state was saved.
        backend: of the model.
        config: the options of the model.
    """

    model: Model[Any]
    spec: ModelSpec
    state: Any
    schema: Schema
    epoch: int
    backend: Backend
    config: Any = None

    @classmethod
    def load(cls, run: Run, which: str = "best") -> Fitted:
        """The model of a run from its ``"best"`` or ``"latest"`` checkpoint."""
        if members := ensembles.size(run.files):
            found = f"it is an ensemble of {members} members"
            todo = f"Name one of them, such as '{run.files.member(1).path}'"
            raise RunError(f"use the model of the run '{run.name}' by itself", found, todo)
        checkpoint = (run.best() if which == "best" else None) or run.latest()
        if checkpoint is None:
            found = "it has no checkpoint yet"
            raise RunError(
                f"use the model of the run '{run.name}'", found, f"Fit it with `atomloom resume {run.folder}`"
            )
        table = dict(run.config["model"])
        _, spec, model = load_model(table.pop("name"))
        place = InFile(str(run.files.config)).under("model")
        config = build(options_of(spec.config), table, place)
        schema = schema_from(run.provenance["schema"])
        spec = spec.for_levels(schema.levels)
        fresh = model.init(schema, config, int(run.provenance["seeds"].get("training", 0)))
        state = model.with_leaves(fresh, checkpoint.model_leaves)
        backend = resolve(registry().get("backends", spec.backend).spec.load)
        return cls(model, spec, state, schema, checkpoint.epoch, backend, config)

    @property
    def predicts(self) -> Mapping[str, Field]:
        """The declarations of what the model predicts."""
        return {name: declared(name) for name in self.spec.predicts}

    def complete(self, dataset: Dataset) -> Dataset:
        """Data to predict for with all that the model reads; an error says what they lack."""
        whole = self.model.complete(dataset, self.config)
        if self.spec.levels:
            whole = numbered(whole, self.schema.levels)
        require(whole, self.spec.needs, f"predict with the model {self.spec.name!r}")
        return whole

    def near(self, dataset: Dataset) -> Near:
        """The pairs of atoms of a data set that the model looks at."""
        return Near(dataset, self.model.reach(self.state))

    def predict(self, batch: PaddedBatch) -> Mapping[str, Array]:
        """The predicted fields in the slots of `batch`."""
        return self.backend.predict(self.model, self.state, batch)


def schema_to(schema: Schema) -> dict[str, Any]:
    """A schema as provenance keeps it."""
    fields = {name: {"dims": list(f.dims), "unit": f.unit, "dtype": f.dtype} for name, f in schema.fields.items()}
    return {
        "fields": fields,
        "elements": list(schema.elements),
        "atoms": schema.atoms,
        "levels": list(schema.levels),
    }


def schema_from(stored: dict[str, Any]) -> Schema:
    """The inverse of `schema_to`."""
    fields = {
        name: Field(name=name, dims=tuple(f["dims"]), unit=f["unit"], dtype=f["dtype"])
        for name, f in stored["fields"].items()
    }
    return Schema(fields, tuple(stored["elements"]), int(stored["atoms"]), tuple(stored.get("levels", ())))
