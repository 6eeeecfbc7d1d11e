"""Force errors by residue and by every other stratum, with intervals, of one model or of two side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from atomloom.progress import track
from atomloom_residues.blocks import FEWEST, Blocks, blocks_of
from atomloom_residues.bootstrap import DRAWS, Interval, cells_of, interval
from atomloom_residues.force_measures import Measures, measure
from atomloom_residues.forces import Forces, Indices
from atomloom_residues.strata import Stratum, strata

LEVEL = 0.95
"""Of confidence, of a single interval."""


@dataclass(frozen=True)
class Options:
    """How to judge.

    Args:
        frames_per_block: instead of what the correlation of the errors says.
        draws: of the bootstrap.
        seed: of the draws.
    """

    frames_per_block: int | None = None
    draws: int = DRAWS
    seed: int = 0


@dataclass(frozen=True)
class Row:
    """One group of a stratum.

    Args:
        stratum, label: which group.
        residues: how many there are in it, over all chains.
        measures: see `Measures`.
        interval: of the vector RMSE.
        other: the vector RMSE of the other model, if there is one.
        difference: interval of this model's RMSE less the other's, adjusted for the groups of the stratum.
        baselines: vector RMSEs of the baselines of the forces, by their names.
    """

    stratum: str
    label: str
    residues: int
    measures: Mapping[str, float]
    interval: Interval
    other: float | None = None
    difference: Interval | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)

    def flat(self) -> dict[str, Any]:
        """As plain numbers by name, for tables; NaN becomes None."""
        found: dict[str, Any] = {"stratum": self.stratum, "group": self.label, "residues": self.residues}
        found |= self.measures
        found |= {f"{name.replace(' ', '_')}_rmse": value for name, value in self.baselines.items()}
        found |= {"low": self.interval.low, "high": self.interval.high}
        found |= {"blocks": self.interval.blocks, "drawn": self.interval.drawn}
        if self.difference is not None and self.other is not None:
            found |= {"other_vector_rmse": self.other, "difference": self.measures["vector_rmse"] - self.other}
            found |= {"difference_low": self.difference.low, "difference_high": self.difference.high}
        return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in found.items()}


@dataclass(frozen=True)
class Judgement:
    """What was found.

    Args:
        forces: that were judged.
        rows: every group of every stratum, that of all beads first.
        blocks: of frames that intervals rest on.
        level: of confidence of a single interval.
    """

    forces: Forces
    rows: tuple[Row, ...]
    blocks: Blocks
    level: float = LEVEL

    def of(self, stratum: str) -> list[Row]:
        """The groups of a stratum."""
        return [row for row in self.rows if row.stratum == stratum]

    @property
    def strata(self) -> list[str]:
        """Names of the strata, in order."""
        return list(dict.fromkeys(row.stratum for row in self.rows))


def judge(forces: Forces, other: Forces | None = None, options: Options | None = None) -> Judgement:
    """The errors of all strata.

    Args:
        other: the same reference with the predictions of another model, to compare with.
        options: how to judge.
    """
    options = options or Options()
    blocks = blocks_of(forces, options.frames_per_block)
    everything = Stratum("all", ("all beads",), np.zeros(len(forces.frame), dtype=np.int64))
    ways = [everything, *strata(forces)]
    rows: list[Row] = []
    for way in track(ways, total=len(ways), label="judging forces"):
        rows += _rows(forces, other, way, blocks, options)
    return Judgement(forces, tuple(rows), blocks)


def _rows(forces: Forces, other: Forces | None, way: Stratum, blocks: Blocks, options: Options) -> list[Row]:
    found = measure(forces.predicted, forces.reference, way.group, len(way.labels))
    theirs = None if other is None else measure(other.predicted, other.reference, way.group, len(way.labels))
    others = {
        name: measure(values, forces.reference, way.group, len(way.labels)) for name, values in forces.baselines.items()
    }
    groups = [place for place in range(len(way.labels)) if found.beads[place]]
    rows = []
    for place in groups:
        members = np.flatnonzero(way.group == place)
        rows.append(
            Row(
                stratum=way.name,
                label=way.labels[place],
                residues=len(np.unique(forces.residue[members])),
                measures=_at(found, place),
                interval=_interval([forces], members, way, blocks, options, LEVEL),
                other=None if theirs is None else float(theirs.vector_rmse[place]),
                difference=None
                if other is None
                else _interval([forces, other], members, way, blocks, options, 1 - (1 - LEVEL) / len(groups)),
                baselines={name: float(each.vector_rmse[place]) for name, each in others.items()},
            )
        )
    return rows


def _interval(
    models: list[Forces], members: Indices, way: Stratum, blocks: Blocks, options: Options, level: float
) -> Interval:
    cells = cells_of(models, members, blocks, by_residue=way.by_residue)
    return interval(cells, by_residue=way.by_residue, level=level, draws=options.draws, seed=options.seed)


def _at(found: Measures, place: int) -> dict[str, float]:
    numbers = {name: float(values[place]) for name, values in found._asdict().items()}
    return {**numbers, "beads": int(found.beads[place])}


def plain(judgement: Judgement) -> dict[str, Any]:
    """The judgement as plain data, for JSON."""
    return {
        "unit": judgement.forces.unit,
        "frames": judgement.forces.frames,
        "proteins": list(judgement.forces.proteins),
        "blocks": judgement.blocks.count,
        "fewest_blocks": FEWEST,
        "inefficiency": judgement.blocks.inefficiency,
        "level": judgement.level,
        "rows": [row.flat() for row in judgement.rows],
    }
