"""Whether an ensemble is as sure as it may be: its uncertainties held against its errors, in numbers and plots."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from atomloom.data import Dataset
from atomloom.ensemble.calibration import (
    Deviations,
    Scale,
    coverage,
    levels,
    miscalibration_area,
    nll,
    rank_correlation,
)
from atomloom.ensemble.predictor import Ensemble
from atomloom.ensemble.students import ONE_SIGMA, Floats
from atomloom.pipeline.error_report import comparisons
from atomloom.report import (
    Axis,
    Block,
    Column,
    Curve,
    Hexbin,
    KeyFigure,
    KeyFigures,
    Scatter,
    Section,
    Series,
    Table,
    Text,
)

_STEPS = 50
_GROUPS = 12
_IN_A_GROUP = 8
"""Rows that a group of like uncertainty has at least."""

_SUSPECT = 100.0
"""A factor beyond this says that what differs between members is not what they do not know."""


def deviations(ensemble: Ensemble, predictions: Dataset, dataset: Dataset) -> dict[str, Deviations]:
    """The errors of an ensemble's predictions beside the spread of its members, for each field with a reference."""
    found = {}
    for name, pair in comparisons(ensemble, predictions, dataset).items():
        spread, dof = ensemble.spread_of(name, predictions)
        found[name] = Deviations.of(pair.predicted, pair.reference, spread, dof)
    return found


def sections(ensemble: Ensemble, predictions: Dataset, dataset: Dataset) -> Iterator[Section]:
    """What there is to say about the uncertainty of each field with a reference and a calibration."""
    fields = ensemble.predicts
    for name, each in deviations(ensemble, predictions, dataset).items():
        scale = ensemble.calibration.scales.get(name)
        if scale is None:
            why = "there is no calibration, since the validation part holds no reference or the members agree exactly"
            yield Section(f"Uncertainty of {name}", (Text(f"For {name} {why}."),))
        elif not len(each.spread):
            yield Section(f"Uncertainty of {name}", (Text("The members agree exactly: they tell no uncertainty."),))
        else:
            yield Section(f"Uncertainty of {name}", tuple(_blocks(name, fields[name].unit, each, scale)))


def _blocks(name: str, unit: str, found: Deviations, scale: Scale) -> Iterator[Block]:
    after, before = levels(found, scale), levels(found, _raw(found))
    uncertainty, errors = scale.width * found.spread, _sizes(found)
    yield KeyFigures(_figures(unit, found, scale, after, before))
    if scale.factor > _SUSPECT:
        yield Text(
            f"*Warning:* the members differ {scale.factor:.0e} times less than they err. Their seeds change next to "
            "nothing, and the uncertainties tell frames apart by chance alone."
        )
    yield _calibration_plot(name, after, before)
    axis = Axis(f"standard uncertainty of {name}", unit, scale="log")
    yield _reliability(name, uncertainty, found, axis)
    yield Hexbin.of(
        Scatter(
            title=f"{name}: error against uncertainty",
            series=(Series("", uncertainty, errors),),
            x=axis,
            y=Axis("error (root mean square of components)" if found.errors.shape[1] > 1 else "|error|", unit, "log"),
            statistics=_groups_table(*_groups(uncertainty, found), unit),
        )
    )


def _figures(unit: str, found: Deviations, scale: Scale, after: Floats, before: Floats) -> tuple[KeyFigure, ...]:
    known = len(found.spread)
    left_out = f", {found.left_out} left out whose members agree exactly" if found.left_out else ""
    inside = float(coverage(after, np.array([ONE_SIGMA]))[0])
    sure = scale.width * found.spread
    return (
        KeyFigure("calibration factor", scale.factor, note=f"of the spread, from {scale.values} validation values"),
        KeyFigure("errors within the standard uncertainty", 100 * inside, "%", note=f"{100 * ONE_SIGMA:.1f} expected"),
        KeyFigure("miscalibration area", miscalibration_area(after), note=f"{miscalibration_area(before):.3f} without"),
        KeyFigure("NLL", nll(found, scale), note=f"of values in {unit or '1'}; {nll(found, _raw(found)):.3f} without"),
        KeyFigure("sharpness", float(sure.mean()), unit, note=f"mean standard uncertainty of {known} rows{left_out}"),
        KeyFigure(
            "rank correlation", rank_correlation(_sizes(found), found.spread), note="Spearman, of error and uncertainty"
        ),
    )


def _raw(found: Deviations) -> Scale:
    """No calibration: errors as a further member's would be."""
    return Scale(1.0, found.dof, 0)


def _sizes(found: Deviations) -> Floats:
    """The size of each row's error: the root mean square of its components."""
    sizes: Floats = np.sqrt(np.mean(found.errors**2, axis=1))
    return sizes


def _calibration_plot(name: str, after: Floats, before: Floats) -> Curve:
    expected = np.linspace(0.0, 1.0, _STEPS + 1)
    series = (
        Series("ideal", expected, expected),
        Series("calibrated", expected, coverage(after, expected)),
        Series("spread of the members", expected, coverage(before, expected)),
    )
    return Curve(
        title=f"{name}: calibration",
        caption="Which share of the errors is within intervals that should hold a given share of them. A curve below "
        "the ideal is of uncertainties that are too small.",
        series=series,
        x=Axis("expected coverage"),
        y=Axis("observed coverage"),
    )


def _reliability(name: str, uncertainty: Floats, found: Deviations, axis: Axis) -> Scatter:
    middles, observed, counts = _groups(uncertainty, found)
    labels = tuple(f"{count} rows" for count in counts)
    return Scatter(
        title=f"{name}: observed against predicted uncertainty",
        caption=f"Each point is a group of rows of like uncertainty: the error that {100 * ONE_SIGMA:.1f} % of theirs "
        "do not exceed, over their mean standard uncertainty.",
        series=(Series("groups", middles, observed, labels=labels),),
        x=axis,
        y=Axis(f"{100 * ONE_SIGMA:.1f} % of errors are below", axis.unit, "log"),
        identity=True,
        statistics=_groups_table(middles, observed, counts, axis.unit),
    )


def _groups(uncertainty: Floats, found: Deviations) -> tuple[Floats, Floats, np.ndarray]:
    """Rows in groups of like uncertainty and equal size: mean uncertainty, 68.3rd percentile of |errors|, count."""
    groups = max(1, min(_GROUPS, len(uncertainty) // _IN_A_GROUP))
    parts = np.array_split(np.argsort(uncertainty), groups)
    middles = [uncertainty[part].mean() for part in parts]
    observed = [np.quantile(np.abs(found.errors[part]), ONE_SIGMA) for part in parts]
    return np.array(middles), np.array(observed), np.array([len(part) for part in parts])


def _groups_table(middles: Floats, observed: Floats, counts: np.ndarray, unit: str) -> Table:
    heads = (Column("mean standard uncertainty", unit), Column("68.3 % of errors below", unit))
    return Table.of([(heads[0], middles), (heads[1], observed), (Column("rows", kind="integer"), counts)])
