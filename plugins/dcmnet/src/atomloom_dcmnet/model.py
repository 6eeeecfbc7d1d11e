"""`DCMNet`: the network as atomloom trains it, with the potential of its charges at the points of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from atomloom.batching import PaddedBatch
from atomloom.data import Dataset
from atomloom.model import Array, Schema
from atomloom_dcmnet.completing import completed
from atomloom_dcmnet.config import ModelConfig
from atomloom_dcmnet.network import DistributedCharges
from atomloom_jax import ELEMENTS, JaxModel
from atomloom_jax.blocks import Budget, Frames, Grid, check_elements, dipole, potential, quadrupole
from atomloom_jax.model import Inputs
from atomloom_jax.modules import applied, first_parameters

MIB: Final = 1 << 20
"""Bytes."""

State = dict[str, Any]


@jax.tree_util.register_static
@dataclass(frozen=True)
class Network:
    """What a state is the state of: a part of the tree that has no arrays.

    Args:
        config: the options.
        longest: atoms of the longest frame of the data, for which the potential is laid out.
    """

    config: ModelConfig
    longest: int

    @property
    def module(self) -> DistributedCharges:
        """The network with these options."""
        config = self.config
        return DistributedCharges(
            n_dcm=config.n_dcm,
            features=config.features,
            layers=config.layers,
            basis_functions=config.basis_functions,
            cutoff=config.cutoff,
            d_max=config.d_max,
            conditioning=config.conditioning,
            largest=ELEMENTS - 1,
        )


class DCMNet(JaxModel[State]):
    """Charges beside the atoms, and the potential, monopoles, dipole and quadrupole that follow from them.

    Elements that were not in the data that it was fitted to are refused. The bound of the displacements is a leaf of
    the state, so that whoever loads a checkpoint has it.
    """

    def init(self, schema: Schema, config: ModelConfig, seed: int) -> State:
        """Random parameters."""
        network = Network(config, schema.atoms)
        parameters = first_parameters(network.module, seed, _smallest())
        seen = np.isin(np.arange(ELEMENTS), schema.elements)
        return {"network": network, "parameters": parameters, "d_max": np.array(config.d_max), "elements": seen}

    def reach(self, state: State) -> float:
        """The cutoff of messages; the potential is summed over sites and grid points, without a list."""
        network: Network = state["network"]
        return network.config.cutoff

    def complete(self, dataset: Dataset, config: ModelConfig) -> Dataset:
        """With what `completed` adds."""
        return completed(dataset, config)

    def constants(self, state: State) -> frozenset[str]:
        """What is not trained."""
        return frozenset({"d_max"})

    def offsets(self, state: State, batch: PaddedBatch) -> dict[str, Array]:
        """None; stops at elements that the model has not seen."""
        check_elements(batch["Z"], ELEMENTS - 1, frozenset(np.flatnonzero(state["elements"]).tolist()))
        return {}

    def predict(self, state: State, batch: Inputs) -> dict[str, Any]:
        """`esp` in hartree/e ``[grid]``, `mono` in e, `D`, `quadrupole`, and the charges with their places."""
        network: Network = state["network"]
        charges, places = applied(network.module, state["parameters"], batch, state["d_max"])
        frames, grid = Frames.of(batch), Grid.of(batch)
        memory = int(network.config.esp_memory * MIB)
        return {
            "esp": site_potential(grid, charges, places, frames, Budget(memory, network.longest)),
            "mono": charges.sum(axis=1),
            "D": dipole(charges, places, frames),
            "quadrupole": quadrupole(charges, places, frames),
            "dcm_charges": charges,
            "dcm_positions": places,
        }


def site_potential(grid: Grid, charges: jax.Array, places: jax.Array, frames: Frames, budget: Budget) -> jax.Array:
    """`potential` laid out for frames of up to ``budget.longest`` atoms, and for longer ones where a batch has some."""
    whole = Budget(budget.memory)
    if budget.longest is None or budget.longest >= len(charges):
        return potential(grid, charges, places, frames, whole)
    enough = (frames.sum(jnp.ones(len(charges), jnp.int32)) <= budget.longest).all()
    short, long = (lambda each=each: potential(grid, charges, places, frames, each) for each in (budget, whole))
    found: jax.Array = jax.lax.cond(enough, short, long)
    return found


def _smallest() -> dict[str, Any]:
    """A pair of atoms, for which parameters are made."""
    return {
        "Z": jnp.array([1, 1]),
        "R": jnp.eye(3)[:2],
        "total_charge": jnp.zeros(1),
        "total_spin": jnp.ones(1, jnp.int32),
        "batch_segments": jnp.zeros(2, jnp.int32),
        "atom_mask": jnp.ones(2, bool),
        "frame_mask": jnp.ones(1, bool),
        "dst_idx": jnp.array([0, 1]),
        "src_idx": jnp.array([1, 0]),
        "pair_mask": jnp.ones(2, bool),
    }
