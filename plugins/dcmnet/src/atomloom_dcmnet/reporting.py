"""An `Analysis` as a report: key figures, tables and figures that every renderer shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from atomloom.report import (
    Axis,
    Bars,
    Block,
    Column,
    Curve,
    Heights,
    Hexbin,
    Histogram,
    KeyFigure,
    KeyFigures,
    Report,
    Section,
    Series,
    Table,
    Text,
    parity,
)
from atomloom.report.blocks import Cell
from atomloom.runs import Run
from atomloom_dcmnet.analysis import Analysis, MoleculeErrors, Part
from atomloom_dcmnet.pictures import UNIT, charge_sites, potentials

TINY = 1e-12  # of a difference of bounds, which is zero where both are perfect
CROWD = 2000
"""More points than this would hide each other in a parity plot, and are counted in hexagons."""

WORST = 10
"""Molecules that are listed for the size of their errors."""

_ABOUT = """Beside each error stands what charges could reach: *atoms* are the least-squares charges at the nuclei,
*sites* as many free charges as the network has, within its bound of displacement, both fitted to the very points that
judge it and to the same total charge. *Sites* are the best that a search finds which begins at those of the network:
there may be better ones."""


def report_on(analysis: Analysis, title: str, facts: Mapping[str, str], more: Sequence[Section] = ()) -> Report:
    """Everything that is known, the most important first.

    Args:
        more: sections that follow.
    """
    return Report(title, (*sections(analysis), *more), _summary(analysis), dict(facts))


def sections(analysis: Analysis) -> tuple[Section, ...]:
    """Potential, molecules, where errors are, and charges, in figures and tables."""
    worst = sorted((each for each in analysis.molecules if each.points), key=lambda each: -each.rmse)[:WORST]
    spaces = tuple(figure for portrait in analysis.portraits for figure in potentials(portrait))
    return (
        Section("Potential", (*_potential(analysis), Text(_ABOUT))),
        Section("Molecules", (_worst(worst), _molecules(worst, "The largest errors"), _molecules(analysis.molecules))),
        Section("The worst molecule, and one in the middle", spaces),
        Section("Where the errors are", (_parts(analysis.elements, "element"), _parts(analysis.shells, "radii"))),
        Section("Charges", (*_charges(analysis), *map(charge_sites, analysis.portraits))),
    )


def learning(run: Run) -> Section:
    """Learning curves: the losses, that of the potential as an RMSE in the unit of all other errors here."""
    columns = run.metrics()
    drawn = {"loss": ("Loss", Axis("loss", scale="log"))}
    drawn["loss/potential"] = ("RMSE of the potential, each molecule counting once", Axis("RMSE", UNIT, scale="log"))
    figures = []
    for key, (title, axis) in drawn.items():
        there = [part for part in ("train", "valid") if f"{part}/{key}" in columns]
        power = 0.5 if axis.unit else 1.0
        series = tuple(Series(part, columns["epoch"], columns[f"{part}/{key}"] ** power) for part in there)
        figures.append(Curve(title=title, series=series, x=Axis("epoch"), y=axis))
    return Section("Learning curves", tuple(figures))


def _worst(worst: Sequence[MoleculeErrors]) -> Bars:
    """The largest errors, beside what charges could reach."""
    columns = {"network": "rmse", "charges at atoms": "bound_atoms", "free sites": "bound_sites"}
    return Bars(
        title=f"The {len(worst)} molecules with the largest errors",
        labels=tuple(f"{each.formula} ({each.frame})" for each in worst),
        series=tuple(Heights(said, np.array([getattr(m, name) for m in worst])) for said, name in columns.items()),
        x=Axis("molecule (frame)"),
        y=Axis("RMSE", UNIT),
    )


def _summary(analysis: Analysis) -> str:
    """How near the network comes to the bounds, in words."""
    rmse, atoms, sites = (float(np.nanmedian(analysis.of(n))) for n in ("rmse", "bound_atoms", "bound_sites"))
    said = (
        f"The median RMSE of {len(analysis.molecules)} molecules is {rmse:.3f} {UNIT}. Charges fitted at the atoms of "
        f"each reach {atoms:.3f}, fitted sites {sites:.3f}"
    )
    if rmse > atoms:
        return f"{said}: both are better than the network, as they are fitted to the points that judge them."
    gained = 100 * (atoms - rmse) / max(atoms - sites, TINY)
    return f"{said}: the network has {gained:.0f} % of what sites gain over atoms."


def _potential(analysis: Analysis) -> tuple[Block, ...]:
    note = f"{len(analysis.molecules)} molecules, {len(analysis.reference)} points"
    figures = [KeyFigure(f"RMSE, {name}", value, UNIT, note=note) for name, value in analysis.summary().items()]
    columns = (
        Column("of each molecule", kind="text"),
        *(Column(name, precision=4) for name in ("mean", "median", "p75", "p99", "max")),
        Column("unit", kind="text"),
    )
    named = {
        "rmse": ("RMSE", UNIT),
        "mae": ("MAE", UNIT),
        "largest": ("largest error", UNIT),
        "rmse_all": ("RMSE, all points", UNIT),
        "bound_atoms": ("bound: charges at atoms", UNIT),
        "bound_sites": ("bound: free sites", UNIT),
        "dipole": ("error of the dipole", "e*angstrom"),
        "quadrupole": ("error of the quadrupole", "e*angstrom^2"),
    }
    rows: list[tuple[Cell, ...]] = [
        (said, *found.values(), unit) for name, (said, unit) in named.items() if (found := analysis.summary(name))
    ]
    points = parity("Potential at all points that count", analysis.predicted, analysis.reference, Axis("V", UNIT))
    return (
        KeyFigures(tuple(figures)),
        Table(columns, tuple(rows), title="Over molecules"),
        Hexbin.of(points) if analysis.reference.size > CROWD else points,
    )


def _molecules(molecules: Sequence[MoleculeErrors], title: str = "All molecules") -> Table:
    columns = (
        Column("frame", kind="integer"),
        Column("formula", kind="text"),
        Column("charge", "e", precision=0),
        Column("RMSE", UNIT, precision=3),
        Column("largest", UNIT, precision=3),
        Column("bound: atoms", UNIT, precision=3),
        Column("bound: sites", UNIT, precision=3),
        Column("dipole", "e*angstrom", precision=3),
    )
    rows = tuple(
        (m.frame, m.formula, m.total_charge, m.rmse, m.largest, m.bound_atoms, m.bound_sites, m.dipole)
        for m in molecules
    )
    return Table(columns, rows, title=title)


def _parts(parts: tuple[Part, ...], name: str) -> Table:
    captions = {
        "element": "By the element of the atom that is nearest in van der Waals radii: points that count, and all.",
        "radii": "By the distance from the nearest atom in van der Waals radii: points that count, and all.",
    }
    columns = (
        Column(name, kind="text"),
        *(Column("points that count", kind="integer"), Column("RMSE", UNIT), Column("MAE", UNIT)),
        *(Column("all points", kind="integer"), Column("RMSE of all", UNIT), Column("MAE of all", UNIT)),
    )
    return Table(columns, parts, title=f"By {name}", caption=captions[name])


def _charges(analysis: Analysis) -> tuple[Block, ...]:
    figures = (
        KeyFigure("largest error of a total charge", float(analysis.of("net_charge").max()), "e"),
        KeyFigure("largest displacement", float(analysis.displacements.max()), "angstrom"),
        KeyFigure("mean displacement", float(analysis.displacements.mean()), "angstrom"),
        KeyFigure("largest charge, either sign", float(np.abs(analysis.charges).max()), "e"),
        KeyFigure("root mean square of the charges", float(np.sqrt(np.mean(analysis.charges**2))), "e"),
    )
    return (
        KeyFigures(figures),
        Histogram.of("Charges of sites", {"charge": analysis.charges}, Axis("charge", "e")),
        Histogram.of("Displacements", {"displacement": analysis.displacements}, Axis("distance", "angstrom")),
    )
