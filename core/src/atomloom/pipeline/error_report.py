"""How far predictions are from a reference: key figures, parity plots and histograms of the errors."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.data.schema import declared
from atomloom.errors import DataError
from atomloom.pipeline.fitted import Fitted
from atomloom.pipeline.predicting import Predictor, predict
from atomloom.report import (
    Axis,
    Column,
    Hexbin,
    Histogram,
    KeyFigure,
    KeyFigures,
    Report,
    Section,
    Table,
    compare,
    mae,
    parity,
    r2,
)
from atomloom.runs import Run, ensembles
from atomloom.specs import Field

CROWD = 2000
"""More points than this would hide each other in a parity plot, and are counted in hexagons."""

_BOOTSTRAPS = 200


def errors(run: Run, dataset: Dataset, /) -> Report:
    """The post-processor ``errors``: all that the model predicts and the data holds, compared."""
    if ensembles.size(run.files):
        from atomloom.ensemble.report import errors as errors_of_ensemble  # which compares by way of this module

        return errors_of_ensemble(run, dataset)
    fitted = Fitted.load(run)
    compared = compared_fields(fitted, predict(fitted, dataset), dataset)
    facts = {"run": run.name, "model": fitted.spec.name, "epoch": str(fitted.epoch), "frames": str(len(dataset))}
    return Report(f"Errors of {run.name}", tuple(section(name, pair) for name, pair in compared.items()), facts=facts)


class Compared:
    """Predicted and reference values of one field, one row a frame or an atom."""

    def __init__(
        self, name: str, predicted: NDArray[Any], reference: NDArray[Any], segments: NDArray[np.int64]
    ) -> None:
        self.name, self.unit = name, declared(name).unit
        self.predicted, self.reference, self.segments = predicted, reference, segments

    @property
    def mae_uncertainty(self) -> float:
        """Standard error of the MAE, by drawing frames again and again: the atoms of a frame are not independent."""
        error = np.abs(self.predicted - self.reference).reshape(len(self.predicted), -1)
        frames = int(self.segments.max(initial=-1)) + 1
        sums = np.bincount(self.segments, weights=error.sum(axis=1), minlength=frames)
        counts = np.bincount(self.segments, minlength=frames) * error.shape[1]
        random = np.random.default_rng(0)
        draws = (random.integers(frames, size=frames) for _ in range(_BOOTSTRAPS))
        return float(np.std([sums[drawn].sum() / counts[drawn].sum() for drawn in draws]))


def compared_fields(predictor: Predictor, predictions: Dataset, dataset: Dataset) -> dict[str, Compared]:
    """What `comparisons` gives; stops where there is nothing to compare."""
    compared = comparisons(predictor, predictions, dataset)
    if not compared:
        predicts = ", ".join(predictor.spec.predicts)
        found = f"the model predicts {predicts}, and the data holds {', '.join(dataset.columns)}"
        raise DataError("judge the predictions", found, "Bring data that holds a reference for one of these")
    return compared


def comparisons(predictor: Predictor, predictions: Dataset, dataset: Dataset) -> dict[str, Compared]:
    """Each predicted field beside its reference, where the data holds one."""
    compared = {}
    for name in predictor.spec.predicts:
        if name in predictions and name in dataset and dataset.columns[name].item == predictions.columns[name].item:
            batch = predictions.take(np.arange(len(predictions)), [name])
            axis = batch.fields[name].ragged
            segments = batch.segments(axis) if axis else np.arange(batch.frames)
            compared[name] = Compared(name, batch[name], dataset[name], segments)
    return compared


def section(name: str, pair: Compared, composition: NDArray[Any] | None = None) -> Section:
    """What there is to say about one field.

    Args:
        composition: what a constant for each element, fitted to the training data, gives: the least that a model has
            to beat, and so large a part of an energy that the plot leaves it out.
    """
    part = np.zeros_like(pair.reference) if composition is None else composition
    predicted, reference = (pair.predicted - part).ravel(), (pair.reference - part).ravel()
    less = "" if composition is None else " less its composition"
    axis = Axis(_called(declared(name)) + less, pair.unit)
    points = parity(f"{name}{less}: predicted against reference", predicted, reference, axis)
    return Section(
        f"Errors of {name}",
        (
            KeyFigures(_key_figures(pair, composition)),
            Hexbin.of(points) if predicted.size > CROWD else points,
            Histogram.of(f"{name}: errors", {"error": predicted - reference}, Axis("predicted - reference", pair.unit)),
        ),
    )


def _called(field: Field) -> str:
    """The first words of what a field is: `doc` up to its first comma."""
    words = re.split(r"[,;.]", field.doc or field.name)[0]
    return words[:1].lower() + words[1:]


def _key_figures(pair: Compared, composition: NDArray[Any] | None) -> tuple[KeyFigure, ...]:
    measured = compare(pair.predicted, pair.reference)
    note = f"{measured.n} values" + (f", {measured.left_out} not finite" if measured.left_out else "")
    figures = [
        KeyFigure("MAE", measured.mae, pair.unit, pair.mae_uncertainty, note),
        KeyFigure("RMSE", measured.rmse, pair.unit),
        KeyFigure("95th percentile", measured.p95, pair.unit),
        KeyFigure("largest error", measured.max, pair.unit),
        KeyFigure("bias", measured.bias, pair.unit),
    ]
    if composition is None:
        return (*figures, KeyFigure("R²", measured.r2))
    baseline, said = mae(composition, pair.reference), "a fitted constant for each element"
    figures.insert(1, KeyFigure("MAE of composition", baseline, pair.unit, note=said))
    beyond = r2(pair.predicted - composition, pair.reference - composition)
    return (*figures, KeyFigure("R²", beyond, note="of what composition leaves"))


def findings_table(job_report: Any) -> Table:
    """What harmonising decided, as a table."""
    columns = tuple(Column(head, kind="text") for head in ("field", "in the source", "by", "what was done"))
    rows = tuple((each.field, each.source, each.rule, each.note) for each in job_report.findings)
    return Table(columns, rows, title="How the data was read")
