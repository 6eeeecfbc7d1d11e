"""Occupancies of atoms, stored once for each group of atoms that share one.

A refinable group is a logit x with q = 1 / (1 + exp(-x)); a fixed one is its value itself. `forward` looks every atom
up in the short list of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from atomloom.errors import ConfigError
from atomloom_occupancy.grouping import residue_groups
from atomloom_occupancy.sharing import check_values, expansion_of
from atomloom_occupancy.sharing_rules import joined_by_rules

if TYPE_CHECKING:
    import pandas as pd

EDGE = 5e-4
"""Where refinable occupancies of 0 and 1 start, counted from the bound: a logit has to be finite to move."""


class OccupancyTensor(nn.Module):
    """Occupancies in [0, 1], one parameter for each group of atoms that share theirs.

    Args:
        initial_values: (atoms,)
        sharing_groups: lists of atoms that share one occupancy, which is the mean of theirs; others stand alone.
        refinable_mask: (atoms,) or (groups,); None refines all. The atoms of one group have to agree.
        dtype: ``torch.float32`` or ``torch.float64``; None keeps that of `initial_values`.
        device: where they lie.
        name: for messages.

    >>> refined = torch.tensor([True, True, True, False])
    >>> occupancy = OccupancyTensor(torch.tensor([0.6, 0.6, 0.4, 1.0]), [[0, 1]], refined)
    >>> occupancy.expansion_mask.tolist(), occupancy.collapsed_shape, occupancy.get_refinable_count()
    ([0, 0, 1, 2], torch.Size([3]), 2)
    """

    expansion_mask: Tensor
    fixed_values: Tensor
    refinable_mask: Tensor
    _lookup: Tensor
    _places: Tensor

    def __init__(
        self,
        initial_values: Tensor,
        sharing_groups: Sequence[Sequence[int]] | None = None,
        refinable_mask: Tensor | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        name: str = "occupancy",
    ) -> None:
        super().__init__()
        values = torch.as_tensor(initial_values, dtype=dtype, device=device).detach()
        check_values(values, name)
        self.name = name
        self.register_buffer("expansion_mask", expansion_of(len(values), sharing_groups).to(values.device))
        collapsed = self._collapse_values(values)
        mask = self._collapsed_mask(refinable_mask)
        self.register_buffer("fixed_values", collapsed.clone())
        self.register_buffer("refinable_mask", mask)
        self._settle(collapsed)

    @classmethod
    def from_residue_groups(
        cls,
        initial_values: Tensor,
        pdb_dataframe: pd.DataFrame,
        refinable_mask: Tensor | None = None,
        sharing_rules: Sequence[dict[str, Any]] = (),
        **options: Any,
    ) -> OccupancyTensor:
        """One group for each residue and alternative location of a table with `resname, resseq, chainid, altloc`.

        Args:
            initial_values: (atoms,)
            pdb_dataframe: the table.
            refinable_mask: see `OccupancyTensor`.
            sharing_rules: see `sharing_rules`.
            **options: of `OccupancyTensor`.
        """
        groups = joined_by_rules(pdb_dataframe, residue_groups(pdb_dataframe), sharing_rules)
        return cls(initial_values, groups, refinable_mask, **options)

    @property
    def shape(self) -> torch.Size:
        """The shape of `forward`: (atoms,)."""
        return self.expansion_mask.shape

    @property
    def collapsed_shape(self) -> torch.Size:
        """The shape of what is stored: (groups,)."""
        return self.fixed_values.shape

    def get_refinable_count(self) -> int:
        """How many groups are refined."""
        return self.refinable_params.numel()

    def forward(self) -> Tensor:
        """The occupancy of every atom: (atoms,)."""
        table = torch.cat((torch.sigmoid(self.refinable_params), self.fixed_values))
        return table.index_select(0, self._lookup)

    def collapsed(self) -> Tensor:
        """The occupancy of every group: (groups,)."""
        table = torch.cat((torch.sigmoid(self.refinable_params), self.fixed_values))
        return table.index_select(0, self._places)

    def get_group_occupancy(self, group: int) -> float:
        """The occupancy of one group."""
        place = int(self._places[self._known(group)])
        count = self.get_refinable_count()
        if place >= count:
            return float(self.fixed_values[place - count])
        return float(torch.sigmoid(self.refinable_params[place].detach()))

    def set_group_occupancy(self, group: int, value: float) -> None:
        """Set the occupancy of one group, whether it is refined or fixed."""
        group = self._known(group)
        single = self.fixed_values.new_tensor([value])
        check_values(single, self.name)
        place = int(self._places[group])
        with torch.no_grad():
            self.fixed_values[group] = single[0]
            if place < self.get_refinable_count():
                self.refinable_params[place] = _logits(single)[0]

    def set_refinable_mask(self, refinable_mask: Tensor | None) -> None:
        """Choose anew what is refined; every occupancy stays. `refinable_params` is a new parameter afterwards."""
        values = self.collapsed().detach()
        self.refinable_mask = self._collapsed_mask(refinable_mask)
        self.fixed_values.copy_(values)
        self._settle(values)

    def _settle(self, collapsed: Tensor) -> None:
        """Make the parameter of the refinable groups, and the places of all groups in the list that is looked up."""
        chosen = self.refinable_mask
        self.refinable_params = nn.Parameter(_logits(collapsed[chosen]))
        count = int(chosen.sum())
        places = torch.arange(len(chosen), device=chosen.device) + count
        places[chosen] = torch.arange(count, device=chosen.device)
        self.register_buffer("_places", places, persistent=False)
        self.register_buffer("_lookup", places[self.expansion_mask], persistent=False)

    def _collapse_values(self, values: Tensor) -> Tensor:
        """The mean over the atoms of each group; atoms that agree keep their value to the last bit."""
        groups = int(self.expansion_mask.max()) + 1 if len(self.expansion_mask) else 0
        lowest, highest = (
            values.new_zeros(groups).scatter_reduce(0, self.expansion_mask, values, how, include_self=False)
            for how in ("amin", "amax")
        )
        mean = values.new_zeros(groups).scatter_reduce(0, self.expansion_mask, values, "mean", include_self=False)
        return torch.where(lowest == highest, lowest, mean)

    def _expand_values(self, collapsed: Tensor) -> Tensor:
        """Values of groups as values of atoms."""
        return collapsed.index_select(0, self.expansion_mask)

    def _collapsed_mask(self, mask: Tensor | None) -> Tensor:
        groups = int(self.expansion_mask.max()) + 1 if len(self.expansion_mask) else 0
        if mask is None:
            return torch.ones(groups, dtype=torch.bool, device=self.expansion_mask.device)
        given = torch.as_tensor(mask, dtype=torch.bool, device=self.expansion_mask.device)
        if given.shape == (groups,):
            return given.clone()
        asked = f"choose which atoms' {self.name} is refined"
        if given.shape != self.shape:
            found = f"the mask has the shape {tuple(given.shape)} for {self.shape[0]} atoms in {groups} groups"
            raise ConfigError(asked, found, "Give one flag for each atom or each group")
        share = self._collapse_values(given.to(torch.float64))
        mixed = torch.nonzero((share > 0) & (share < 1)).flatten()
        if len(mixed):
            found = f"group {int(mixed[0])} has atoms of both kinds"
            raise ConfigError(asked, found, "Give all atoms of a group the same flag, or split the group")
        return share > 0

    def _known(self, group: int) -> int:
        groups = self.collapsed_shape[0]
        if not 0 <= group < groups:
            found = f"there are groups 0 to {groups - 1}"
            raise ConfigError(f"use group {group} of the {self.name}", found, "Give one of these")
        return group

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take over which groups are refined before the parameter, whose length depends on it."""
        mask = state_dict.get(f"{prefix}refinable_mask")
        if isinstance(mask, Tensor) and mask.shape == self.refinable_mask.shape:
            self.set_refinable_mask(mask)
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self.register_buffer("_lookup", self._places[self.expansion_mask], persistent=False)


def _logits(values: Tensor) -> Tensor:
    """The logits of occupancies; those of 0 and 1 of a value `EDGE` away."""
    inner = torch.where(values <= 0, torch.full_like(values, EDGE), values)
    return torch.logit(torch.where(inner >= 1, torch.full_like(values, 1 - EDGE), inner))
