"""Groups of atoms that have one occupancy in a table of them: by residue, alternative location and value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

UNIFORM = 0.01
"""Occupancies that are this near to each other count as one: files have two decimals."""

_ROUNDING = 1e-9
_RESIDUE = ("chainid", "resseq", "resname", "altloc")


def residue_groups(frame: pd.DataFrame) -> list[list[int]]:
    """One group for each residue and alternative location of a table of atoms.

    Args:
        frame: with the columns `resname`, `resseq`, `chainid` and `altloc`; `icode` counts where it is there.
    """
    missing = [column for column in _RESIDUE if column not in frame]
    if missing:
        found = f"the table has no column {missing[0]!r}"
        raise DataError("group atoms by residue", found, f"Give it {', '.join(_RESIDUE)}")
    keys = [*_RESIDUE, *(["icode"] if "icode" in frame else [])]
    numbers = frame.groupby(keys, sort=False, dropna=False).ngroup().to_numpy(dtype=np.int64)
    return _by_number(numbers)


def uniform_groups(frame: pd.DataFrame) -> list[list[int]]:
    """The same groups, each split where its occupancies differ by more than `UNIFORM`, or some are one and some not."""
    occupancy = frame["occupancy"].to_numpy(dtype=np.float64)
    halves = (
        [[a for a in group if (occupancy[a] == 1) == full] for full in (True, False)] for group in residue_groups(frame)
    )
    return [part for both in halves for half in both for part in split_uniform(half, occupancy)]


def split_uniform(group: Sequence[int], occupancy: Array) -> list[list[int]]:
    """The parts of a group within which occupancies differ by `UNIFORM` at most, in the order of their first atoms.

    >>> split_uniform([0, 1, 2], np.array([0.5, 0.7, 0.5]))
    [[0, 2], [1]]
    """
    parts: list[list[int]] = []
    for atom in sorted(group, key=lambda each: occupancy[each]):
        if parts and occupancy[atom] - occupancy[parts[-1][0]] <= UNIFORM + _ROUNDING:
            parts[-1].append(atom)
        else:
            parts.append([atom])
    return sorted(sorted(part) for part in parts)


def _by_number(numbers: Indices) -> list[list[int]]:
    order = np.argsort(numbers, kind="stable")
    edges = np.flatnonzero(np.diff(numbers[order])) + 1
    return [part.tolist() for part in np.split(order, edges) if len(part)]
