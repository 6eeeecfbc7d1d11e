"""Which atoms share one occupancy in torch: the checks of values and groups that are given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from atomloom.data.columns import Indices
from atomloom.errors import ConfigError


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
