"""How a fit went, epoch by epoch: its learning curves with their units, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.data.schema import known_field
from atomloom.registry import registry
from atomloom.report import Axis, Column, Curve, Figure, Section, Series, Table, Text
from atomloom.runs import Run
from atomloom.specs import LossSpec

ROWS = 200
"""Epochs that the table shows at most; of more, every second, third, ... and the last."""

_OF_ERRORS = {
    "mae": "MAE of {}",
    "rmse": "RMSE of {}",
    "mean": "mean error of {}",
    "std": "standard deviation of the errors of {}",
    "min": "lowest error of {}",
    "max": "highest error of {}",
}
_IN_ONE_FIGURE = ("mean", "std", "min", "max")
_DECADE = 10.0

Values = NDArray[np.float64]
Parts = Mapping[str, Values]


class Measure(NamedTuple):
    """A metric without the part of the data that it was measured on.

    Args:
        key: such as ``"loss"``, ``"loss/energy"``, ``"E/mae"``.
        label: for people.
        unit: empty where it has none or none is known.
    """

    key: str
    label: str
    unit: str

    @classmethod
    def of(cls, key: str) -> Measure:
        """What is known about a metric; any other goes by its own name.

        >>> Measure.of("F/mae")
        Measure(key='F/mae', label='MAE of F', unit='eV/angstrom')
        >>> Measure.of("learning_rate").label
        'learning rate'
        """
        about, _, what = key.partition("/")
        field = known_field(about)
        if field is not None and what in _OF_ERRORS:
            return cls(key, _OF_ERRORS[what].format(about), field.unit)
        losses = {found.spec.name: found.spec for found in registry().all("losses")}
        if about == "loss" and isinstance(loss := losses.get(what), LossSpec):
            return cls(key, f"loss: {what.replace('_', ' ')}", loss.unit)
        return cls(key, key.replace("_", " "), "")

    @property
    def axis(self) -> Axis:
        """A linear axis for it."""
        return Axis(self.label, self.unit)


def course(run: Run) -> Section:
    """Learning curves of everything that was logged, and tables of them."""
    columns = dict(run.metrics())
    epochs = columns.pop("epoch")
    if not len(epochs) or not columns:
        return Section("Course of the fit", (Text("No metrics were logged."),))
    measured = by_measure(columns)
    figures = tuple(_figures(epochs, measured))
    return Section("Course of the fit", (*figures, _last(int(epochs[-1]), measured), _table(epochs, measured)))


def by_measure(columns: Mapping[str, Values]) -> dict[str, dict[str, Values]]:
    """Columns of metrics by measure and part; one that belongs to no part has an empty one.

    >>> by_measure({"train/E/mae": np.ones(1), "speed": np.ones(1)})
    {'E/mae': {'train': array([1.])}, 'speed': {'': array([1.])}}
    """
    found: dict[str, dict[str, Values]] = {}
    for name, values in columns.items():
        part, _, measure = name.partition("/")
        found.setdefault(measure or part, {})["" if not measure else part] = values
    return found


def _figures(epochs: NDArray[np.int64], measured: Mapping[str, Parts]) -> Iterable[Figure]:
    for key, parts in measured.items():
        field, _, what = key.rpartition("/")
        if what == "mean" and f"{field}/std" in measured:
            yield _spread(field, epochs, measured)
        elif what == "min" and f"{field}/max" in measured:
            yield _extremes(field, epochs, measured)
        elif what not in _IN_ONE_FIGURE or known_field(field) is None:
            series = [Series(part, epochs, values) for part, values in parts.items()]
            yield _curve(_titled(Measure.of(key).label), series, Measure.of(key).axis)


def _spread(field: str, epochs: NDArray[np.int64], measured: Mapping[str, Parts]) -> Figure:
    """Mean errors with a band of their standard deviation."""
    middle, spread = measured[f"{field}/mean"], measured[f"{field}/std"]
    series = [Series.around(part, epochs, values, spread[part]) for part, values in middle.items() if part in spread]
    axis = Axis(f"error of {field}", Measure.of(f"{field}/mean").unit)
    caption = "The band is as wide as the standard deviation of the errors to either side."
    return _curve(f"Mean error of {field}", series, axis, caption)


def _extremes(field: str, epochs: NDArray[np.int64], measured: Mapping[str, Parts]) -> Figure:
    """Lowest and highest errors in one."""
    words = {"min": "lowest", "max": "highest"}
    series = [
        Series(f"{part} {word}".strip(), epochs, values)
        for what, word in words.items()
        for part, values in measured[f"{field}/{what}"].items()
    ]
    axis = Axis(f"error of {field}", Measure.of(f"{field}/min").unit)
    return _curve(f"Extreme errors of {field}", series, axis)


def _curve(title: str, series: list[Series], axis: Axis, caption: str = "") -> Curve:
    scaled = Axis(axis.label, axis.unit, _scale(series))
    return Curve(title=title, caption=caption, series=tuple(series), x=Axis("epoch"), y=scaled)


def _scale(series: list[Series]) -> Literal["linear", "log"]:
    """Logarithmic for what is positive and spans more than a decade."""
    values = np.concatenate([each.y[np.isfinite(each.y)] for each in series])
    wide = values.size > 0 and values.min() > 0 and values.max() > _DECADE * values.min()
    return "log" if wide else "linear"


def _last(epoch: int, measured: Mapping[str, Parts]) -> Table:
    """All measures after the last epoch, on both parts."""
    heads = (
        Column("metric", kind="text"),
        Column("unit", kind="text"),
        Column("train"),
        Column("valid"),
        Column("difference"),
        Column("difference", "%", precision=1),
    )
    rows = []
    for key, parts in measured.items():
        train, valid = (float(parts[part][-1]) if part in parts else None for part in ("train", "valid"))
        apart = None if train is None or valid is None else valid - train
        share = 100 * apart / abs(train) if apart is not None and train else None
        measure = Measure.of(key)
        rows.append((measure.label, measure.unit, train, valid, apart, share))
    caption = "Differences are valid less train; their share is of train."
    return Table(heads, tuple(rows), title=f"After epoch {epoch}", caption=caption)


def _table(epochs: NDArray[np.int64], measured: Mapping[str, Parts]) -> Table:
    """Epochs with what is looked at first: losses, MAE, RMSE, and what belongs to no field."""
    step = -(-len(epochs) // ROWS)
    shown = np.unique([*range(0, len(epochs), step), len(epochs) - 1])
    columns = [(Column("epoch", kind="integer"), epochs[shown].tolist())]
    for key, parts in measured.items():
        measure = Measure.of(key)
        if key.rpartition("/")[2] not in _IN_ONE_FIGURE:
            columns += [
                (Column(f"{part} {measure.label}".strip(), measure.unit), v[shown]) for part, v in parts.items()
            ]
    caption = "" if step == 1 else f"Every {step} epochs of {len(epochs)}; all are in `metrics.jsonl`."
    return Table.of(columns, title="Epochs", caption=caption)


def _titled(text: str) -> str:
    return text[:1].upper() + text[1:]
