"""Runs of several members: what an ensemble's folder holds, and what its members come to together.

The folder of an ensemble is that of a run. Its experiment asks for `ensemble` members, and each of them is a run in a
folder ``member-N`` within, which all commands take by its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from atomloom.runs import metrics
from atomloom.runs.folder import RunFolder

if TYPE_CHECKING:
    from atomloom.runs.history import Summary

Columns = dict[str, np.ndarray]


def size(files: RunFolder) -> int:
    """How many members a run is to have; 0 where it is no ensemble."""
    wanted = files.read_config().get("ensemble", 0)
    return wanted if isinstance(wanted, int) else 0


def members(files: RunFolder) -> tuple[RunFolder, ...]:
    """The members that have begun, in their order."""
    each = (files.member(number) for number in range(1, size(files) + 1))
    return tuple(member for member in each if member.config.is_file())


def together(own: Summary, parts: Sequence[Summary], wanted: int) -> Summary:
    """The facts of an ensemble: epochs and time of all members, and the means of their metrics.

    Args:
        own: what the folder of the ensemble says by itself.
        parts: the members that have begun.
        wanted: how many there are to be.
    """
    epochs, seconds = sum(part.epochs for part in parts), sum(part.seconds for part in parts)
    total = wanted * max((part.total for part in parts), default=0)
    running = own.status == "running" and epochs > 0
    return replace(
        own,
        members=wanted,
        epochs=epochs,
        total=total,
        seconds=seconds,
        seconds_left=seconds / epochs * max(total - epochs, 0) if running else None,
        final=_means([part.final for part in parts]),
        best=_means([part.best for part in parts]),
    )


def course(files: RunFolder) -> Columns:
    """The metrics of the members by epoch, each the mean over those that have it, beside ``epoch``."""
    columns = [metrics.columns(member.metrics) for member in members(files)]
    epochs = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(each["epoch"] for each in columns)]))
    names = dict.fromkeys(name for each in columns for name in each if name != "epoch")
    return {"epoch": epochs, **{name: _mean_course(name, columns, epochs) for name in names}}


def _mean_course(name: str, columns: Sequence[Columns], epochs: np.ndarray) -> np.ndarray:
    rows = np.full((len(columns), len(epochs)), np.nan)
    for row, each in zip(rows, columns, strict=True):
        row[np.searchsorted(epochs, each["epoch"])] = each.get(name, np.nan)
    known = np.isfinite(rows)
    sums, counts = np.where(known, rows, 0.0).sum(axis=0), known.sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _means(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over those that have it."""
    names = dict.fromkeys(name for values in found for name in values)
    return {name: float(np.mean([values[name] for values in found if name in values])) for name in names}
