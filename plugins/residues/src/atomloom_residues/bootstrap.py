"""Confidence intervals of RMSEs by a hierarchical bootstrap over proteins or residues, and blocks of frames.

Blocks of each protein are drawn again and again. Proteins are drawn too where there are `blocks.FEWEST` of them or
more, and for questions about amino acids the residues, whose number is the sample there. Where there are fewer the
interval is about these proteins and residues alone, and says so. The quantiles are those of Student's t in place of
the normal distribution (expanded percentiles, Hesterberg 2015), without which few blocks give too narrow intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from atomloom_residues.blocks import FEWEST, Blocks
from atomloom_residues.forces import Array, Forces, Indices

DRAWS = 2000
"""How often the sample is drawn."""

_AT_ONCE = 1 << 22


class Interval(NamedTuple):
    """A confidence interval.

    Args:
        low, high: its ends, NaN where there are too few blocks.
        blocks: of frames that it rests on.
        drawn: what was drawn: "blocks", "proteins and blocks" or "residues and blocks".
    """

    low: float
    high: float
    blocks: int
    drawn: str


class Cells(NamedTuple):
    """Sums over the beads of a group that share residue and block.

    Args:
        squares: sums of squared errors, ``[cells, models]``.
        counts: beads in each.
        unit: the residue or the protein of each, from 0.
        block: of each, from 0.
        protein: of each block.
    """

    squares: Array
    counts: Array
    unit: Indices
    block: Indices
    protein: Indices


def cells_of(models: Sequence[Forces], members: Indices, blocks: Blocks, *, by_residue: bool) -> Cells:
    """The cells of some beads, given by their numbers."""
    forces = models[0]
    owner = forces.residue[members] if by_residue else forces.protein_of_frame[forces.frame[members]]
    _, unit = np.unique(owner, return_inverse=True)
    known, block = np.unique(blocks.of_frame[forces.frame[members]], return_inverse=True)
    keys, cell = np.unique(unit.reshape(-1) * len(known) + block.reshape(-1), return_inverse=True)
    cell = cell.reshape(-1)
    squares = [np.bincount(cell, weights=model.squares[members], minlength=len(keys)) for model in models]
    counts = np.bincount(cell, minlength=len(keys)).astype(np.float64)
    return Cells(np.stack(squares, axis=1), counts, keys // len(known), keys % len(known), blocks.protein[known])


def interval(cells: Cells, *, by_residue: bool, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Interval:
    """The interval of the RMSE of one model, or of the RMSE of the first less that of the second.

    Args:
        level: of confidence.
        draws: how often to draw.
        seed: of the draws.
    """
    units, blocks = int(cells.unit.max(initial=-1)) + 1, len(cells.protein)
    of_units = units >= FEWEST
    word = "residues and blocks" if by_residue else "proteins and blocks"
    drawn = word if of_units else "blocks"
    if blocks < FEWEST:
        return Interval(np.nan, np.nan, blocks, drawn)
    values = _replicates(cells, of_units, draws, np.random.default_rng(seed))
    sample = min(units, blocks) if of_units else blocks
    low, high = np.quantile(values, _quantiles(level, sample))
    return Interval(float(low), float(high), blocks, drawn)


def _replicates(cells: Cells, of_units: bool, draws: int, random: np.random.Generator) -> Array:
    """The statistic in each draw."""
    step = max(1, _AT_ONCE // max(len(cells.counts), 1))
    units = int(cells.unit.max()) + 1
    found = []
    for start in range(0, draws, step):
        some = min(step, draws - start)
        weights = _block_weights(cells.protein, some, random)[:, cells.block]
        if of_units:
            weights = weights * random.multinomial(units, np.full(units, 1 / units), size=some)[:, cells.unit]
        found.append(_statistic(weights @ cells.squares, weights @ cells.counts))
    return np.concatenate(found)


def _block_weights(protein: Indices, draws: int, random: np.random.Generator) -> Array:
    """How often each block is drawn, ``[draws, blocks]``: of every protein as many as it has."""
    weights = np.empty((draws, len(protein)))
    for number in np.unique(protein):
        mine = np.flatnonzero(protein == number)
        weights[:, mine] = random.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), size=draws)
    return weights


def _statistic(squares: Array, counts: Array) -> Array:
    """RMSE of one model, or the difference of two; draws without beads do not count."""
    real = counts > 0
    roots = np.sqrt(squares[real] / counts[real, None])
    difference: Array = roots[:, 0] - roots[:, 1] if roots.shape[1] > 1 else roots[:, 0]
    return difference


def _quantiles(level: float, sample: int) -> list[float]:
    """Where to read the interval off: ``Phi(-+ sqrt(n / (n - 1)) t)``."""
    wide = NormalDist().cdf(-np.sqrt(sample / (sample - 1)) * student((1 + level) / 2, sample - 1))
    return [wide, 1.0 - wide]


def student(probability: float, freedom: int) -> float:
    """A quantile of Student's t by its expansion in the inverse degrees of freedom, to 1e-3 from nine on.

    >>> round(student(0.975, 9), 3), round(student(0.975, 30), 3)
    (2.262, 2.042)
    """
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
