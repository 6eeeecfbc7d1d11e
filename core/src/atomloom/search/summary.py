"""The report of a search: how good trials became, which options mattered, and what was tried."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from atomloom.report import (
    Axis,
    Bars,
    Block,
    Column,
    Curve,
    Heights,
    KeyFigure,
    KeyFigures,
    Link,
    Links,
    Report,
    Scatter,
    Section,
    Series,
    Table,
    Text,
)
from atomloom.report.blocks import Cell
from atomloom.search.space import Dimension
from atomloom.search.trials import Bench

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_log = logging.getLogger(__name__)


def summary_of(bench: Bench, study: Study) -> Report:
    """The report of a search that has a best trial."""
    best, trials, metric = study.best_trial, study.trials, bench.search.metric
    done = [trial for trial in trials if trial.value is not None and trial.state.name == "COMPLETE"]
    counted = {state: sum(trial.state.name == state for trial in trials) for state in ("COMPLETE", "PRUNED", "FAIL")}
    ended = f"{counted['COMPLETE']} came to their end, {counted['PRUNED']} were stopped early, {counted['FAIL']} failed"
    summary = f"{len(trials)} trials of `{bench.experiment.model_name}`: {ended}. Trial {best.number} is the best."
    figures = (KeyFigure(f"best {metric}", best.value or 0.0, note=f"trial {best.number}"),)
    found = [KeyFigure(key, _cell(value), note="best trial") for key, value in best.params.items()]
    links = (
        Link("../best.toml", "the best experiment, for `atomloom run`"),
        Link(f"../trials/{best.number:04d}", "the best run"),
    )
    sections = (
        Section("Best", (KeyFigures((*figures, *found)), Links(links))),
        Section("Course of the search", (_history(done, metric, bench.search.direction),)),
        Section("Options", (_importance(study, bench.space), *_slices(done, metric, bench.space))),
        Section("Trials", (_table(trials, metric, bench.space),)),
    )
    return Report(f"Search {bench.folder.path.resolve().name}", sections, summary)


def _history(done: Sequence[FrozenTrial], metric: str, direction: str) -> Curve:
    numbers = np.array([trial.number for trial in done])
    values = np.array([trial.value for trial in done], dtype=float)
    running = (np.minimum if direction == "minimize" else np.maximum).accumulate(values)
    series = (Series("trial", numbers, values), Series("best so far", numbers, running))
    return Curve(title="History", series=series, x=Axis("trial"), y=Axis(metric, scale=_scale(values)))


def _importance(study: Study, space: Sequence[Dimension]) -> Block:
    """Which share of the objective's spread among good trials each option explains (PED-ANOVA)."""
    import optuna

    if len(space) < 2:
        return Text("With one option there is nothing to weigh.")
    try:
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        weights = optuna.importance.get_param_importances(study, evaluator=evaluator)
    except (RuntimeError, ValueError) as error:  # too few trials, or all alike
        _log.info("no importances: %s", error)
        return Text("The trials are too few, or too much alike, to tell which option mattered.")
    heights = Heights("share", np.array(list(weights.values())))
    return Bars(title="Importance", labels=tuple(weights), series=(heights,), y=Axis("importance"))


def _slices(done: Sequence[FrozenTrial], metric: str, space: Sequence[Dimension]) -> Iterator[Block]:
    """The objective over every option."""
    for dimension in space:
        mine = [trial for trial in done if dimension.key in trial.params]
        values = np.array([trial.value for trial in mine], dtype=float)
        x, axis = _along(dimension, mine)
        series = Series("", x, values, labels=tuple(f"trial {trial.number}" for trial in mine))
        title = f"{metric} over {dimension.key}"
        yield Scatter(title=title, series=(series,), x=axis, y=Axis(metric, scale=_scale(values)))


def _along(dimension: Dimension, trials: Sequence[FrozenTrial]) -> tuple[np.ndarray, Axis]:
    values = [trial.params[dimension.key] for trial in trials]
    if dimension.range is not None:
        return np.array(values, dtype=float), Axis(dimension.key, scale="log" if dimension.range.log else "linear")
    known = list(dict.fromkeys(values))
    try:
        return np.array([float(value) for value in values]), Axis(dimension.key)
    except ValueError:
        named = ", ".join(f"{place}: {value}" for place, value in enumerate(known))
        return np.array([known.index(value) for value in values], dtype=float), Axis(f"{dimension.key} ({named})")


def _table(trials: Sequence[FrozenTrial], metric: str, space: Sequence[Dimension]) -> Table:
    heads = (
        Column("trial", kind="integer"),
        Column("state", kind="text"),
        Column(metric),
        Column("epochs", kind="integer"),
        Column("time", "s"),
        *(Column(dimension.key, kind="text") for dimension in space),
        Column("reason", kind="text"),
    )
    return Table(heads, tuple(_row(trial, space) for trial in trials))


def _row(trial: FrozenTrial, space: Sequence[Dimension]) -> tuple[Cell, ...]:
    seconds = trial.duration.total_seconds() if trial.duration is not None else None
    options = (_cell(trial.params.get(dimension.key, "")) for dimension in space)
    judged = trial.value if trial.state.name == "COMPLETE" else None
    epochs = len(trial.intermediate_values)
    return (
        trial.number,
        trial.state.name.lower(),
        judged,
        epochs,
        seconds,
        *options,
        trial.user_attrs.get("reason", ""),
    )


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _scale(values: np.ndarray) -> Literal["linear", "log"]:
    wide = len(values) > 0 and values.min() > 0 and values.max() > 10 * values.min()
    return "log" if wide else "linear"
