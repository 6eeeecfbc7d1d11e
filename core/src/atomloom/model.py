"""What a model and a backend are: the two interfaces through which core fits anything."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from atomloom.batching import PaddedBatch, Plan, Sizes, choose
from atomloom.data import Dataset
from atomloom.data.columns import Indices
from atomloom.errors import PluginError
from atomloom.experiment import Batching
from atomloom.runs import Crew, Run
from atomloom.specs import Field

Array = NDArray[Any]
State = TypeVar("State")


@dataclass(frozen=True)
class Schema:
    """What a model learns of its data before it sees any: enough to give its parameters their shapes.

    Args:
        fields: declarations of the fields that are there.
        elements: atomic numbers that occur, ascending.
        atoms: atoms of the longest frame.
        levels: the levels of theory of the frames, sorted; none where nothing says any.
    """

    fields: Mapping[str, Field]
    elements: tuple[int, ...]
    atoms: int
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class FitData:
    """The parts of a data set that a fit works with.

    Args:
        train: the frames to learn from.
        valid: the frames to watch while learning; may be empty.
        batching: how frames are put together into batches.
        seed: of the order of the frames.
        needs: fields that the model reads; what the losses compare is in their own `needs`.
        numbers: for each frame of ``"train"`` and ``"valid"`` its number in the whole data set, by which messages call
            it.
    """

    train: Dataset
    valid: Dataset
    batching: Batching
    seed: int
    needs: tuple[str, ...] = ()
    numbers: Mapping[str, Indices] = field(default_factory=dict)

    def plan(self, dataset: Dataset, *, pairs: Indices | bool | None = None, group: int = 1) -> Plan:
        """The batches of one of the parts, as the experiment asks for them.

        Args:
            pairs: how many each frame has, as `Near` counts them, or True for all pairs within a frame.
            group: batches of one shape that make a step.
        """
        return choose(self.batching, Sizes.of(dataset, pairs=pairs), self.seed, group=group)


@dataclass(frozen=True)
class WeightedLoss:
    """A loss that an experiment asked for: its name, its weight, the fields it compares and its function."""

    name: str
    weight: float
    needs: tuple[str, ...]
    function: Callable[..., tuple[Any, Any]]


class Model(ABC, Generic[State]):
    """A model of any backend.

    A state is whatever the model needs to predict; its arrays are exposed by name, so that checkpoints, averages and
    hashes need to know nothing else about it.
    """

    @abstractmethod
    def init(self, schema: Schema, config: Any, seed: int) -> State:
        """A fresh state for data of this schema; `config` is the struct that the spec names."""

    @abstractmethod
    def predict(self, state: State, batch: PaddedBatch) -> Mapping[str, Array]:
        """The predicted fields, in canonical units and in the slots of `batch`."""

    def reach(self, state: State) -> float:
        """How far from one another atoms may be that the model looks at as a pair, in angstrom.

        Batches list the pairs of atoms, and in periodic frames of their images, that are nearer. Infinity, the default,
        has them list all pairs of a frame, which a periodic frame has no end of; 0 is for models that read no pairs.
        """
        return math.inf

    def complete(self, dataset: Dataset, config: Any) -> Dataset:
        """The data with what the options say of all their frames; asked before every fit and every prediction.

        Here a model adds a field that data may lack and an option stands for, and stops at frames that it has no
        answer for. Most add and refuse nothing.

        Args:
            config: the struct that the spec names.
        """
        return dataset

    def check(self, parts: Mapping[str, Dataset], config: Any) -> None:
        """Stops at parts that the model cannot be fitted to or judged by; asked before there is a run.

        Args:
            parts: ``"train"``, ``"valid"`` and ``"test"``, of which the last two may be empty.
            config: the struct that the spec names.
        """

    def fit(self, state: State, data: FitData, losses: tuple[WeightedLoss, ...], run: Run) -> State:
        """Brings the state to the data; a model without a fit of its own is trained by its backend."""
        raise PluginError(
            f"fit the model {type(self).__name__}",
            "neither the model nor its backend brings a fit",
            "Give the model a method fit(state, data, losses, run), or a backend that trains it",
        )

    def leaves(self, state: State) -> dict[str, Array]:
        """The arrays of the state by name; the default is for a state that is a flat mapping."""
        if not isinstance(state, Mapping):
            raise PluginError(
                f"save a state of {type(self).__name__}",
                f"it is a {type(state).__name__} and not a mapping of names to arrays",
                "Override leaves() and with_leaves() in the model",
            )
        return {name: np.asarray(value) for name, value in state.items()}

    def with_leaves(self, state: State, leaves: Mapping[str, Array]) -> State:
        """The state with its arrays exchanged for `leaves`."""
        return dict(leaves)  # type: ignore[return-value]  # the counterpart of leaves(), for flat mappings


class Ops(Protocol):
    """The array functions that a loss is written in, so that one loss serves every backend."""

    @property
    def xp(self) -> Any:
        """The array library, with the functions of numpy."""

    def segment_sum(self, values: Any, segments: Any, count: int) -> Any:
        """Sums of the rows of each segment, as ``[count, ...]``."""

    def i0e(self, x: Any) -> Any:
        """The modified Bessel function I0(x), scaled by exp(-abs(x))."""

    def logsumexp(self, x: Any, axis: int = -1) -> Any:
        """log(sum(exp(x))) without overflow."""


class Backend(ABC):
    """An array library that models are written in.

    Attributes:
        ops: the functions that losses use on it.
    """

    ops: Ops

    def check(self, model: Model[State], data: FitData, training: Any) -> None:  # noqa: B027  most refuse nothing
        """Refuses what cannot be trained before a run is made of it: an `InputError` says why.

        Args:
            training: the struct of options that the backend's spec names.
        """

    def check_start(self, model: Model[State], fresh: Callable[[], State], training: Any) -> None:  # noqa: B027  as above
        """Refuses a start that does not fit the model, such as another run's parameters, before a run is made of it.

        Args:
            fresh: makes the state of the job, for a backend that has to look at it.
        """

    def crew(self) -> Crew:
        """The processes that fit together, if this one was started as one of several."""
        return Crew()

    def predict(self, model: Model[State], state: State, batch: PaddedBatch) -> Mapping[str, Array]:
        """What the model predicts, as numpy arrays; a backend that compiles does so here."""
        return model.predict(state, batch)

    def gradient(
        self, function: Callable[[Mapping[str, Any]], Any], at: Mapping[str, Array]
    ) -> Mapping[str, Array] | None:
        """The gradient of a function of arrays by name that gives one number; None from a backend that has none."""
        return None

    def fit(
        self, model: Model[State], state: State, data: FitData, losses: tuple[WeightedLoss, ...], run: Run
    ) -> State:
        """Trains a model that brings no fit of its own."""
        return Model.fit(model, state, data, losses, run)
