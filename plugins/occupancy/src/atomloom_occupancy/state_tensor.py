"""Occupancies of states in torch under the constraints of a network, which hold whatever the parameters are.

For each group of states that are tied to each other q = M p, M being its corners and p = softmax(x): sums, caps, ratios
and sets that share states hold by construction.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from atomloom.data.columns import Array
from atomloom_occupancy.states import Network
from atomloom_occupancy.vertices import corners_of

EDGE = 2e-4
"""The least share of any corner at the start: one that is zero could not grow."""


class StateTensor(nn.Module):
    """Occupancies of all atoms of a model, those of the states of a network refined.

    Args:
        network: the states and what ties them.
        atoms: (atoms,) occupancies of the file, which atoms in no state keep.
        start: (states,) where to begin; else at the occupancies of the file, or the nearest that are allowed.
        dtype: ``torch.float64`` or ``torch.float32``.
        device: where they lie.
        name: for messages.
    """

    fixed_values: Tensor

    def __init__(
        self,
        network: Network,
        atoms: Array,
        start: Array | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
        name: str = "occupancy",
    ) -> None:
        super().__init__()
        self.name, self.names = name, tuple(state.name for state in network.states)
        form = network.form
        q = form.nearest(network.start if start is None else start)[: form.states]
        groups = corners_of(form)
        shares = [group.weights(q[group.states]) for group in groups]
        logits = [np.log((1 - EDGE) * share + EDGE / len(share)) for share in shares]
        owner = np.repeat(np.arange(len(groups)), [len(share) for share in shares])
        matrix = np.zeros((len(owner), form.states))
        for number, group in enumerate(groups):
            matrix[np.ix_(owner == number, group.states)] = group.values
        corner, state = np.nonzero(matrix)
        self._groups = len(groups)
        self._keep("_owner", owner, torch.int64, device)
        self._keep("_corner", corner, torch.int64, device)
        self._keep("_state", state, torch.int64, device)
        self._keep("_value", matrix[corner, state], dtype, device)
        self._keep("_lookup", _lookup(network, len(atoms)), torch.int64, device)
        self.register_buffer("fixed_values", torch.as_tensor(np.array(atoms), dtype=dtype, device=device))
        whole = np.concatenate(logits) if logits else np.zeros(0)
        self.refinable_params = nn.Parameter(torch.as_tensor(whole, dtype=dtype, device=device))

    @property
    def shape(self) -> torch.Size:
        """The shape of `forward`: (atoms,)."""
        return self.fixed_values.shape

    def states(self) -> Tensor:
        """(states,) the occupancies."""
        x, owner = self.refinable_params, self.get_buffer("_owner")
        highest = x.new_full((self._groups,), -torch.inf).scatter_reduce(0, owner, x.detach(), "amax")
        grown = torch.exp(x - highest[owner])
        share = grown / x.new_zeros(self._groups).index_add(0, owner, grown)[owner]
        part = share[self.get_buffer("_corner")] * self.get_buffer("_value")
        return x.new_zeros(len(self.names)).index_add(0, self.get_buffer("_state"), part)

    def forward(self) -> Tensor:
        """(atoms,) the occupancies."""
        return torch.cat((self.states(), self.fixed_values))[self.get_buffer("_lookup")]

    def _keep(self, name: str, values: Array, dtype: torch.dtype, device: torch.device | str | None) -> None:
        self.register_buffer(name, torch.as_tensor(values, dtype=dtype, device=device), persistent=False)


def _lookup(network: Network, atoms: int) -> Array:
    """(atoms,) places in the list of the states' occupancies and, behind them, those of the file."""
    places = len(network.states) + np.arange(atoms)
    for number, state in enumerate(network.states):
        places[list(state.atoms)] = number
    return places
