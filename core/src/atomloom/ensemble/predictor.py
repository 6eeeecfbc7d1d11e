"""`Ensemble`: fitted members that predict together, each value with its standard uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from atomloom.batching import Near, PaddedBatch
from atomloom.data import Dataset
from atomloom.ensemble.calibration import Calibration
from atomloom.ensemble.spread import SUFFIX, degrees_of_freedom, mean_and_spread
from atomloom.errors import RunError
from atomloom.model import Array
from atomloom.pipeline.fitted import Fitted
from atomloom.runs import Run, ensembles
from atomloom.specs import Field, ModelSpec


@dataclass(frozen=True)
class Ensemble:
    """Members that predict together; wherever `atomloom.pipeline.predict` takes a fitted model, it takes this.

    Args:
        members: models of one kind, fitted to the same data.
        calibration: of their spread.
    """

    members: tuple[Fitted, ...]
    calibration: Calibration = field(default_factory=Calibration)

    @classmethod
    def load(cls, run: Run) -> Ensemble:
        """The members of a run with its calibration.

        Raises:
            RunError: when a member is missing or has no state yet.
        """
        wanted, there = ensembles.size(run.files), ensembles.members(run.files)
        if len(there) < wanted:
            found, todo = (
                f"{len(there)} of its {wanted} members are there",
                f"Go on with `atomloom resume {run.folder}`",
            )
            raise RunError(f"use the ensemble '{run.name}'", found, todo)
        first, *others = (Run.open(each.path) for each in there)
        fitted = Fitted.load(first)
        path = run.files.calibration
        calibration = Calibration.load(path) if path.exists() else Calibration()
        return cls((fitted, *(_in_state_of(other, fitted) for other in others)), calibration)

    @property
    def spec(self) -> ModelSpec:
        """What the model of all members says of itself."""
        return self.members[0].spec

    @property
    def predicts(self) -> Mapping[str, Field]:
        """The fields of a member, each with its uncertainty."""
        fields = self.members[0].predicts
        return {**fields, **{name + SUFFIX: uncertainty_of(each) for name, each in fields.items()}}

    def complete(self, dataset: Dataset) -> Dataset:
        """Data to predict for with all that the model reads; an error says what they lack."""
        return self.members[0].complete(dataset)

    def near(self, dataset: Dataset) -> Near:
        """The pairs of atoms of a data set that the model looks at."""
        return self.members[0].near(dataset)

    def predict(self, batch: PaddedBatch) -> Mapping[str, Array]:
        """Means of the members and standard uncertainties, in the slots of `batch`."""
        return self.joined([member.predict(batch) for member in self.members])

    def joined(self, found: Iterable[Mapping[str, Array]]) -> dict[str, Array]:
        """Means and standard uncertainties of what each member predicts."""
        by_member = list(found)
        means, uncertainties = {}, {}
        for name in by_member[0]:
            means[name], spread = mean_and_spread([np.asarray(each[name]) for each in by_member])
            uncertainties[name + SUFFIX] = self.calibration.width(name) * spread
        return {**means, **uncertainties}

    def spread_of(self, name: str, predictions: Dataset) -> tuple[Array, int]:
        """The spread of the members for each row of a field, before it was calibrated, and its degrees of freedom."""
        rows = predictions[name]
        components = rows[:1].size if len(rows) else 1
        spread: Array = predictions[name + SUFFIX] / self.calibration.width(name)
        return spread, degrees_of_freedom(len(self.members), components)


def _in_state_of(run: Run, first: Fitted) -> Fitted:
    """The model of another member, which differs from the first in its state alone and shares what is compiled."""
    checkpoint = run.best() or run.latest()
    if checkpoint is None:
        found, todo = "it has no checkpoint yet", f"Go on with `atomloom resume {run.folder.parent}`"
        raise RunError(f"use the member '{run.name}'", found, todo)
    state = first.model.with_leaves(first.state, checkpoint.model_leaves)
    return replace(first, state=state, epoch=checkpoint.epoch)


def uncertainty_of(known: Field) -> Field:
    """The declaration of a field's uncertainty: one number for a frame, or for an atom, a site, a grid point.

    >>> uncertainty_of(Field(name="F", dims=("frame", "atom", "xyz"), unit="eV/angstrom")).dims
    ('frame', 'atom')
    """
    dims = ("frame", known.ragged) if known.ragged else ("frame",)
    said = f"Standard uncertainty of {known.name}, which two of three errors are smaller than."
    return Field(name=known.name + SUFFIX, dims=dims, unit=known.unit, summary=said, doc=said)


def loaded(run: Run) -> Fitted | Ensemble:
    """What a run predicts with: its members together where it is an ensemble, else its model."""
    return Ensemble.load(run) if ensembles.size(run.files) else Fitted.load(run)
