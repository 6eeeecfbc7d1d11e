"""PaiNN of SchNetPack, put together and trained as its documentation has it."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.utils.data.dataloader as dataloader
from torch import nn

dataloader.T_co = typing.TypeVar("T_co", covariant=True)  # type: ignore[attr-defined]  # newer torch lacks it

import schnetpack as spk  # noqa: E402
from schnetpack import properties  # noqa: E402


def painn(features: int, layers: int) -> nn.Module:
    """A potential with forces, in the training mode."""
    cutoff = 5.0
    return spk.model.NeuralNetworkPotential(
        representation=spk.representation.PaiNN(
            n_atom_basis=features,
            n_interactions=layers,
            radial_basis=spk.nn.GaussianRBF(n_rbf=20, cutoff=cutoff),
            cutoff_fn=spk.nn.CosineCutoff(cutoff),
        ),
        input_modules=[spk.atomistic.PairwiseDistances()],
        output_modules=[spk.atomistic.Atomwise(n_in=features, output_key="energy"), spk.atomistic.Forces()],
    ).train()


def inputs(batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """A padded batch without its padding, under SchNetPack's names."""
    pairs, atoms = np.asarray(batch["pair_mask"]), np.asarray(batch["atom_mask"])
    place = np.cumsum(atoms) - 1
    frames = int(np.asarray(batch["frame_mask"]).sum())
    arrays = {
        properties.Z: np.asarray(batch["Z"])[atoms].astype(np.int64),
        properties.R: np.asarray(batch["R"], np.float32)[atoms],
        properties.idx_i: place[np.asarray(batch["dst_idx"])[pairs]],
        properties.idx_j: place[np.asarray(batch["src_idx"])[pairs]],
        properties.idx_m: np.asarray(batch["batch_segments"])[atoms].astype(np.int64),
        properties.n_atoms: np.bincount(np.asarray(batch["batch_segments"])[atoms], minlength=frames),
        properties.offsets: np.zeros((int(pairs.sum()), 3), np.float32),
        properties.cell: np.zeros((frames, 3, 3), np.float32),
        properties.pbc: np.zeros(3 * frames, bool),
    }
    return {name: torch.from_numpy(values) for name, values in arrays.items()}


class Updates:
    """One update after the other on one batch, with Adam on the same loss as ours."""

    def __init__(self, features: int, layers: int, batch: Mapping[str, Any], weights: Mapping[str, float]) -> None:
        self._network, self._inputs, self._weights = painn(features, layers), inputs(batch), weights
        atoms, frames = np.asarray(batch["atom_mask"]), np.asarray(batch["frame_mask"])
        self._energies = torch.from_numpy(np.asarray(batch["E"], np.float32)[frames])
        self._forces = torch.from_numpy(np.asarray(batch["F"], np.float32)[atoms])
        self._optimiser = torch.optim.Adam(self._network.parameters(), lr=1e-3)

    def __call__(self) -> None:
        """One update."""
        self._optimiser.zero_grad()
        found = self._network(dict(self._inputs))
        energy = torch.mean((found["energy"] - self._energies) ** 2)
        force = torch.mean((found["forces"] - self._forces) ** 2)
        (self._weights["energy"] * energy + self._weights["forces"] * force).backward()
        self._optimiser.step()
