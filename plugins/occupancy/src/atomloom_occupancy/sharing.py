"""Which atoms share one occupancy: the checks of given groups, and groups by residue and alternative location."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from atomloom.data.columns import Array, Indices
from atomloom.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

UNIFORM = 0.01
"""Occupancies that are this near to each other count as one: files have two decimals."""

_ROUNDING = 1e-9
_RESIDUE = ("chainid", "resseq", "resname", "altloc")


def check_values(values: Tensor, name: str) -> None:
    """Stop at values that are no occupancies, naming the first one."""
    asked = f"use these values as {name}"
    if values.dim() != 1 or not values.is_floating_point():
        found = f"they are {values.dtype} of shape {tuple(values.shape)}"
        raise ConfigError(asked, found, "Give one float for each atom")
    wrong = torch.nonzero(~((values >= 0) & (values <= 1))).flatten()
    if len(wrong):
        atom = int(wrong[0])
        raise ConfigError(asked, f"atom {atom} has {float(values[atom]):.6g}", "Give values from 0 to 1")


def expansion_of(atoms: int, groups: Sequence[Sequence[int]] | None) -> Tensor:
    """The group of each atom, numbered as they first appear: (atoms,).

    >>> expansion_of(5, [[3, 1]]).tolist()
    [0, 1, 2, 1, 3]
    """
    owner = np.full(atoms, -1, dtype=np.int64)
    for number, members in enumerate(groups or ()):
        _claim(owner, number, np.asarray(members, dtype=np.int64))
    alone = owner < 0
    owner[alone] = len(groups or ()) + np.arange(alone.sum())
    _, first, inverse = np.unique(owner, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return torch.from_numpy(rank[inverse])


def _claim(owner: Indices, number: int, members: Indices) -> None:
    """Give these atoms to a group, unless one is not there or is taken."""
    asked = f"let the atoms of group {number} share one occupancy"
    if not len(members):
        raise ConfigError(asked, "it names no atom", "Leave the group out, or name its atoms")
    outside = members[(members < 0) | (members >= len(owner))]
    if len(outside):
        raise ConfigError(asked, f"it names atom {outside[0]} of {len(owner)}", "Count the atoms from 0")
    taken = members[owner[members] >= 0]
    if len(taken):
        found = f"atom {taken[0]} is in group {owner[taken[0]]} as well"
        raise ConfigError(asked, found, "Put every atom into one group at most")
    owner[members] = number


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
