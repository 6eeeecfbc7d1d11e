"""Picks frames of a data set: by a condition, by number, at random."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atomloom.data.columns import Indices
from atomloom.data.dataset import Dataset
from atomloom.errors import ConfigError

_OPERATORS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"\s*(?P<field>\w+)\s*(?P<sign><=|>=|==|!=|<|>)\s*(?P<value>\S+)\s*")


@dataclass(frozen=True)
class Selection:
    """Which frames to keep; the condition is applied first, then the numbers, then the sample.

    Args:
        where: comparisons of per-frame fields with values, joined by "and": ``"N <= 20 and E < -10.5"``.
        take: numbers and ranges, as ``"0:1000:10"`` or ``"3,5,9"``; negative ones count from the end.
        sample: how many frames to draw at random, kept in their order.
        seed: of the draw.
    """

    where: str = ""
    take: str = ""
    sample: int | None = None
    seed: int = 0

    def of(self, dataset: Dataset) -> Dataset:
        """The frames of `dataset` that are kept, as a lazy view."""
        if self.where:
            dataset = dataset[np.flatnonzero(fulfilled(dataset, self.where))]
        if self.take:
            dataset = dataset[numbered(self.take, len(dataset))]
        if self.sample is not None:
            count = min(self.sample, len(dataset))
            drawn = np.random.default_rng(self.seed).choice(len(dataset), count, replace=False)
            dataset = dataset[np.sort(drawn)]
        if not len(dataset):
            raise ConfigError("select frames", "no frame is left", "Loosen --where or --take")
        return dataset


def fulfilled(dataset: Dataset, condition: str) -> NDArray[np.bool_]:
    """For every frame whether it fulfils the condition."""
    kept = np.ones(len(dataset), dtype=bool)
    for part in re.split(r"\band\b", condition):
        match = _CONDITION.fullmatch(part)
        if match is None:
            todo = 'Write comparisons joined by "and": "N <= 20 and E < -10.5"'
            raise ConfigError(f"understand --where {condition!r}", f"{part.strip()!r} is not a comparison", todo)
        name = match["field"]
        if name not in dataset or dataset.columns[name].lengths is not None or dataset.columns[name].item:
            usable = [each for each, column in dataset.columns.items() if column.lengths is None and not column.item]
            found = f"there is no {name!r} with one value for each frame"
            raise ConfigError(f"select by {part.strip()!r}", found, f"Use one of {', '.join(usable) or 'no field'}")
        values = dataset[name]
        kept &= _OPERATORS[match["sign"]](values, _value(match["value"], values, part))
    return kept


def numbered(text: str, frames: int) -> Indices:
    """The frame numbers that ``"0:1000:10"`` or ``"3,5,9"`` mean among so many frames.

    >>> numbered("-2:,0", 5).tolist()
    [3, 4, 0]
    """
    everything = np.arange(frames, dtype=np.int64)
    found = []
    for part in text.split(","):
        bounds = part.strip().split(":")
        try:
            numbers = [int(bound) if bound else None for bound in bounds]
            if len(numbers) > 3 or (len(numbers) == 1 and numbers[0] is None):
                raise ValueError
            picked = everything[slice(*numbers)] if len(numbers) > 1 else everything[numbers[0] : None][:1]
        except ValueError:
            todo = "Write 0:1000:10 (first, last and step, counted from 0) or 3,5,9"
            raise ConfigError(
                f"take the frames {text!r}", f"{part.strip()!r} is no number and no range", todo
            ) from None
        if len(numbers) == 1 and not -frames <= (numbers[0] or 0) < frames:
            raise ConfigError(f"take the frame {numbers[0]}", f"there are {frames}", f"Take frames 0 to {frames - 1}")
        found.append(picked)
    return np.concatenate(found)


def _value(text: str, values: NDArray[np.generic], condition: str) -> float | str:
    if values.dtype.kind in "US":
        return text.strip("'\"")
    try:
        return float(text)
    except ValueError:
        raise ConfigError(
            f"select by {condition.strip()!r}", f"{text!r} is not a number", "Compare with a number"
        ) from None
