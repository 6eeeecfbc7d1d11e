"""The ``[search]`` table of an experiment: which options are tried, and how the search goes about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from atomloom.experiment.problems import Problem
from atomloom.experiment.wording import nearest, shown

_RANGE = "Write an array of values, or { low = 1e-4, high = 1e-2, log = true }"

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]
Number = int | float


class Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All numbers from `low` to `high`, both included; whole ones for an option that takes whole numbers."""

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None

    def wrong(self) -> str:
        """What is wrong with it, or an empty string."""
        if not self.low < self.high:
            return f"goes from {self.low} to {self.high}"
        if self.log and self.low <= 0:
            return f"is logarithmic and begins at {self.low}"
        if self.log and self.step is not None:
            return "is logarithmic and has a step"
        return f"has a step of {self.step}" if self.step is not None and self.step <= 0 else ""


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How options are searched, and within which bounds."""

    trials: Annotated[Count, Meta(description="how many sets of options are tried")] = 50
    timeout: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="seconds after which no further trial is begun")
    ] = None
    metric: Annotated[
        Text, Meta(description="what is judged by: a metric of the epoch that a run keeps as its best")
    ] = "valid/loss"
    direction: Annotated[Literal["minimize", "maximize"], Meta(description="which values are better")] = "minimize"
    sampler: Annotated[
        Literal["tpe", "random"], Meta(description="tpe learns from the trials before; random does not")
    ] = "tpe"
    pruner: Annotated[
        Literal["median", "successive-halving", "none"],
        Meta(description="median: stops what is worse than half of the trials were at that epoch"),
    ] = "median"
    startup_trials: Annotated[Count, Meta(description="random trials first, of which none is stopped by median")] = 5
    warmup_epochs: Annotated[int, Meta(ge=0, description="epochs that median leaves every trial")] = 0
    seed: Annotated[int, Meta(ge=0, description="of the choice of options")] = 0
    space: Annotated[
        dict[str, Any],
        Meta(description='options and what they may be: "model.features" = [32, 64], or { low, high, log, step }'),
    ]

    def problems(self) -> Iterator[Problem]:
        """A space that is empty, and entries that are neither values nor a range."""
        if not self.space:
            yield Problem(("space",), "is empty", f'Name an option, such as "training.learning_rate". {_RANGE}')
        for key, entry in self.space.items():
            yield from (problem.under(("space", key)) for problem in _entry(entry))


def range_of(entry: Any) -> Range | None:
    """An entry of the space as a range; None where it is an array of values.

    >>> range_of({"low": 1, "high": 3}).high
    3
    """
    return msgspec.convert(entry, Range) if isinstance(entry, Mapping) else None


def _entry(entry: Any) -> Iterator[Problem]:
    if isinstance(entry, list):
        if len(entry) < 2:
            yield Problem((), f"has {len(entry)} value{'s' * (len(entry) != 1)}", "Give two at least")
        return
    if not isinstance(entry, Mapping):
        yield Problem((), f"is {shown(entry)}", _RANGE)
        return
    fields = Range.__struct_fields__
    for name in entry:
        if name not in fields:
            near = nearest(name, fields)
            yield Problem((name,), "is not a known key", f"The nearest known key is `{near}`" if near else _RANGE)
    try:
        found = msgspec.convert(entry, Range).wrong()
    except msgspec.ValidationError as error:
        found = "" if set(entry) - set(fields) else f"is no range ({str(error).lower()})"
    if found:
        yield Problem((), found, _RANGE)
