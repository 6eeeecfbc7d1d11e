"""Force errors by residue as a report: figures, tables, and the error on the chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from atomloom.report import (
    Axis,
    Bars,
    Block,
    Column,
    Curve,
    HeatMap,
    Heights,
    KeyFigure,
    KeyFigures,
    Points3D,
    Report,
    Section,
    Series,
    Table,
    Text,
    categories,
)
from atomloom_residues.blocks import FEWEST
from atomloom_residues.forces import NOISE, PRIOR, Array, Forces
from atomloom_residues.residue_errors import Judgement, Row

CHAINS = 6
"""Chains that are drawn; the tables have all."""

_COLUMNS = 200
"""Frames of a heat map; of longer trajectories stretches of frames are pooled."""

_TRACED = 10
"""Points from one bead to the next where a chain is drawn."""

_NORMAL = 1.96

_NOTES = {
    PRIOR: "of the prior by itself",
    NOISE: "of the mean forces, below which no model comes",
}


def report_of(judgement: Judgement, model_id: str) -> Report:
    """The report of a judgement."""
    forces = judgement.forces
    (whole,) = judgement.of("all")
    unit = forces.unit
    summary = (
        f"The vector RMSE of `{model_id}` is {whole.measures['vector_rmse']:.4g} {unit} over {forces.frames} frames, "
        f"{whole.measures['relative']:.3f} of that of predicting no force at all. Component RMSE is less by sqrt(3)."
    )
    sections = (
        Section("All beads", (_key_figures(whole, unit), Text(_about_intervals(judgement)))),
        Section("Amino acids", (amino_acids(judgement), _table(judgement, "amino acid"))),
        Section("Along the chain", (*along(judgement), *_maps(forces), *_on_chain(judgement))),
        *(Section(f"By {name}", (_table(judgement, name),)) for name in judgement.strata if name not in _SHOWN),
    )
    facts = {"model": model_id, "frames": str(forces.frames), "chains": str(len(forces.proteins))}
    return Report(f"Force errors of {model_id} by residue", sections, summary, facts)


_SHOWN = ("all", "amino acid")


def amino_acids(judgement: Judgement) -> Bars:
    """The RMSE of each amino acid, the largest first, beside that of predicting zero."""
    rows = sorted(judgement.of("amino acid"), key=lambda row: -row.measures["vector_rmse"])
    errors = [(row.interval.high - row.interval.low) / (2 * _NORMAL) for row in rows]
    model = Heights("model", np.array([row.measures["vector_rmse"] for row in rows]), np.array(errors))
    return Bars(
        title="Vector RMSE by amino acid",
        labels=tuple(row.label for row in rows),
        series=(model, *(Heights(name, values) for name, values in _baselines(rows).items())),
        y=Axis("vector RMSE", judgement.forces.unit),
        caption=f"Error bars are standard uncertainties; there are none below {FEWEST} blocks of frames.",
    )


def along(judgement: Judgement) -> list[Curve]:
    """The RMSE of each residue along each chain, with its interval."""
    forces, rows = judgement.forces, judgement.of("residue")
    curves = []
    for number, name in list(enumerate(forces.proteins))[:CHAINS]:
        mine = np.flatnonzero(forces.residues.protein == number)
        chain = [rows[residue] for residue in mine]
        at, labels = forces.residues.number[mine], tuple(row.label for row in chain)
        values = np.array([row.measures["vector_rmse"] for row in chain])
        ends = np.array([(row.interval.low, row.interval.high) for row in chain])
        low, high = ends.T if np.isfinite(ends).all() else (None, None)
        others = (Series(name, at, heights) for name, heights in _baselines(chain).items())
        series = (Series("model", at, values, low, high, labels), *others)
        x, y = Axis("residue"), Axis("vector RMSE", forces.unit)
        curves.append(Curve(title=f"Vector RMSE along {name}", series=series, x=x, y=y))
    return curves


def _baselines(rows: Sequence[Row]) -> dict[str, Array]:
    """What the model's RMSEs are to be seen beside, by name: those of zero forces, and of the forces' own baselines."""
    null = {"zero forces": np.array([row.measures["null_rmse"] for row in rows])}
    return null | {name: np.array([row.baselines[name] for row in rows]) for name in rows[0].baselines}


def _maps(forces: Forces) -> list[HeatMap]:
    """Residue by frame, of each chain."""
    maps = []
    for number, name in list(enumerate(forces.proteins))[:CHAINS]:
        frames = np.flatnonzero(forces.protein_of_frame == number)
        mine = np.flatnonzero(forces.residues.protein == number)
        values, edges = residue_by_frame(forces, frames, mine)
        maps.append(
            HeatMap(
                title=f"Error of {name} by residue and frame",
                values=values,
                at_y=forces.residues.number[mine],
                at_x=edges,
                x=Axis("frame"),
                y=Axis("residue"),
                color=Axis("vector RMSE", forces.unit),
            )
        )
    return maps


def residue_by_frame(forces: Forces, frames: Array, residues: Array) -> tuple[Array, Array]:
    """RMSEs ``[residues, columns]`` of one chain, and the middle of the frames that each column pools."""
    columns = min(len(frames), _COLUMNS)
    column_of = np.full(forces.frames, -1)
    column_of[frames] = np.arange(len(frames)) * columns // len(frames)
    column = column_of[forces.frame]
    beads = column >= 0
    cell = (forces.residue[beads] - residues[0]) * columns + column[beads]
    squares = np.bincount(cell, weights=forces.squares[beads], minlength=len(residues) * columns)
    counts = np.bincount(cell, minlength=len(residues) * columns)
    values = np.sqrt(squares / np.maximum(counts, 1)).reshape(len(residues), columns)
    middle = np.bincount(column_of[frames], weights=frames) / np.bincount(column_of[frames])
    return values, middle


def _on_chain(judgement: Judgement) -> list[Points3D]:
    """The error of each residue at the place of its beads in the first frame of each chain."""
    forces, rows = judgement.forces, judgement.of("residue")
    if forces.positions is None:
        return []
    by_residue = np.array([row.measures["vector_rmse"] for row in rows])
    figures = []
    for number, name in list(enumerate(forces.proteins))[:CHAINS]:
        frame = int(np.flatnonzero(forces.protein_of_frame == number)[0])
        beads = forces.frame == frame
        of_beads, color = by_residue[forces.residue[beads]], Axis("vector RMSE", forces.unit)
        points, values = traced(forces.positions[beads], of_beads)
        told = categories.summary(of_beads, color)
        figures.append(Points3D(title=f"Error on {name}", points=points, values=values, color=color, statistics=told))
    return figures


def traced(points: Array, values: Array) -> tuple[Array, Array]:
    """A chain as a line of points, with values in between those of its beads.

    >>> traced(np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0]]), np.array([1.0, 2.0]))[1].tolist()
    [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0]
    """
    at = np.linspace(0, len(points) - 1, _TRACED * (len(points) - 1) + 1)
    beads = np.arange(len(points))
    lines = [np.interp(at, beads, along) for along in (*points.T, values)]
    return np.stack(lines[:3], axis=1), lines[3].round(12)


def _key_figures(row: Row, unit: str) -> KeyFigures:
    found = row.measures
    spread = (row.interval.high - row.interval.low) / (2 * _NORMAL)
    return KeyFigures(
        (
            KeyFigure("vector RMSE", found["vector_rmse"], unit, spread, f"{row.interval.blocks} blocks"),
            KeyFigure("component RMSE", found["component_rmse"], unit),
            KeyFigure("MAE of components", found["mae"], unit),
            KeyFigure("RMSE of zero forces", found["null_rmse"], unit),
            *(KeyFigure(f"RMSE, {name}", value, unit, note=_NOTES[name]) for name, value in row.baselines.items()),
            KeyFigure("skill", found["skill"], note="share of the mean square that is explained"),
            KeyFigure("cosine", found["cosine"]),
            KeyFigure("magnitude ratio", found["magnitude_ratio"]),
        )
    )


def _about_intervals(judgement: Judgement) -> str:
    blocks = judgement.blocks
    told = (
        f"Frames are correlated (statistical inefficiency {blocks.inefficiency:.3g}), so they are drawn in "
        f"{blocks.count} blocks. Low and high are {100 * judgement.level:g} % intervals of the vector RMSE; below "
        f"{FEWEST} blocks there are none. "
    )
    return told + "Where residues were not drawn, an interval is about these residues alone."


def _table(judgement: Judgement, name: str) -> Block:
    rows = judgement.of(name)
    unit = judgement.forces.unit
    flat = [row.flat() for row in rows]
    columns: list[tuple[Column, list[Any]]] = [(Column(name, kind="text"), [row.label for row in rows])]
    heads = [
        ("residues", Column("residues", kind="integer")),
        ("beads", Column("beads", kind="integer")),
        ("vector_rmse", Column("vector RMSE", unit)),
        ("low", Column("low", unit)),
        ("high", Column("high", unit)),
        ("blocks", Column("blocks", kind="integer")),
        ("drawn", Column("drawn", kind="text")),
        ("component_rmse", Column("component RMSE", unit)),
        ("mae", Column("MAE", unit)),
        ("cosine", Column("cosine", precision=3)),
        ("magnitude_ratio", Column("magnitude ratio", precision=3)),
        ("relative", Column("of zero forces", precision=3)),
        ("prior_rmse", Column("prior", unit)),
        ("noise_floor_rmse", Column("noise floor", unit)),
        ("other_vector_rmse", Column("other model", unit)),
        ("difference", Column("difference", unit)),
        ("difference_low", Column("adjusted low", unit)),
        ("difference_high", Column("adjusted high", unit)),
    ]
    columns += [(head, [each[key] for each in flat]) for key, head in heads if key in flat[0]]
    return Table.of(columns, title=f"Errors by {name}")
