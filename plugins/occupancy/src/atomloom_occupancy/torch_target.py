"""The targets in torch, as functions of the occupancies of all atoms: for whoever brings an optimiser of their own.

F_model is linear in the occupancies of the states, so that no structure factor is calculated on the way.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from atomloom.data.columns import Array
from atomloom_occupancy.objective import Objective, Restraint
from atomloom_occupancy.refining import Crystal, How, fit, objective_of
from atomloom_occupancy.states import Network

_TINY = 1e-9


class OccupancyTarget(nn.Module):
    """The negative log-likelihood, or the least squares, of the work set with scales held, restraints included.

    Args:
        objective: the target, see `target_at` and `refining.Refined`.
        network: the states.
        atoms: how many the model has.
        dtype: ``torch.float64`` or ``torch.float32``.
        device: where it is computed.
    """

    def __init__(
        self,
        objective: Objective,
        network: Network,
        atoms: int,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        complex_type = torch.complex128 if dtype == torch.float64 else torch.complex64
        self._keep("_base", objective.base, complex_type, device)
        self._keep("_slopes", objective.slopes, complex_type, device)
        self._keep("_weight", np.broadcast_to(objective.restraint.weight, len(objective.slopes)), dtype, device)
        self._keep("_expected", objective.restraint.expected, dtype, device)
        for name, values in objective.target.coefficients().items():
            self._keep(f"_{name}", values, dtype, device)
        owner = np.full(atoms, len(network.states))
        for number, state in enumerate(network.states):
            owner[list(state.atoms)] = number
        self._keep("_owner", owner, torch.int64, device)
        self._keep("_sizes", np.array([len(state.atoms) for state in network.states]), dtype, device)

    def of_states(self, q: Tensor) -> Tensor:
        """The target for the occupancies of the states: (states,)."""
        base, slopes = self.get_buffer("_base"), self.get_buffer("_slopes")
        model = torch.complex(base.real + q @ slopes.real, base.imag + q @ slopes.imag)
        amplitude = torch.sqrt(model.real**2 + model.imag**2 + _TINY**2)
        pull = self.get_buffer("_weight") * (q - self.get_buffer("_expected")) ** 2
        return self._each(amplitude).sum() + pull.sum()

    def forward(self, occupancy: Tensor) -> Tensor:
        """The target for the occupancies of all atoms: (atoms,); a state has the mean of its atoms."""
        sizes = self.get_buffer("_sizes")
        total = occupancy.new_zeros(len(sizes) + 1).index_add(0, self.get_buffer("_owner"), occupancy)
        return self.of_states(total[:-1] / sizes)

    def _each(self, amplitude: Tensor) -> Tensor:
        """(reflections,)"""
        value = self.get_buffer("_constant") + self.get_buffer("_square") * amplitude**2
        x = self.get_buffer("_cross") * amplitude
        kind = self.get_buffer("_kind")
        cosh = x + torch.log1p(torch.exp(-2 * x)) - np.log(2)
        bessel = torch.log(torch.special.i0e(x)) + x
        return value - torch.where(kind < 0, x, torch.where(kind > 0, cosh, bessel))

    def _keep(self, name: str, values: Array, dtype: torch.dtype, device: torch.device | str | None) -> None:
        self.register_buffer(name, torch.as_tensor(np.array(values), device=device).to(dtype), persistent=False)


def target_at(crystal: Crystal, network: Network, how: How, occupancy: Array, atoms: int) -> OccupancyTarget:
    """The target with the scales and errors that belong to these occupancies of the states.

    Args:
        crystal: see `refining.prepare`.
        network: the states.
        how: options.
        occupancy: (states,)
        atoms: how many the model has.
    """
    objective = objective_of(crystal, fit(crystal, occupancy, how), Restraint.of(network, how.restrain))
    return OccupancyTarget(objective, network, atoms)
