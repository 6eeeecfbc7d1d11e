"""`PhysNet`: the network as atomloom trains it, with references of the elements and a memory of what it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from atomloom.batching import PaddedBatch, repeats
from atomloom.data import Dataset
from atomloom.data.levels import INDEX, levels_of
from atomloom.errors import ConfigError, DataError
from atomloom.model import FitData, Schema
from atomloom.pipeline.job import schema_of
from atomloom_jax import ELEMENTS, ReferencedModel, no_references
from atomloom_jax.blocks import StateRange, check_elements, pair_list
from atomloom_jax.model import Inputs
from atomloom_jax.modules import applied, first_parameters
from atomloom_physnet.config import Config
from atomloom_physnet.coverage import check_covered
from atomloom_physnet.d3.tables import check_known
from atomloom_physnet.neighbours import check_reach
from atomloom_physnet.network import EF_ChargeSpinConditioned
from atomloom_physnet.states import completed

NETWORK: Final = "network"
PARAMETERS: Final = "parameters"
SEEN: Final = "seen"
"""Keys of the state: what the network is, its parameters, and the elements, charges and multiplicities of the data."""

State = dict[str, Any]


@jax.tree_util.register_static
@dataclass(frozen=True)
class Network:
    """What a state is the state of: a part of the tree that has no arrays.

    Args:
        config: the options.
        levels: the levels of theory of the data.
    """

    config: Config
    levels: tuple[str, ...] = ()

    @property
    def module(self) -> EF_ChargeSpinConditioned:
        """The network with these options."""
        config = self.config
        return EF_ChargeSpinConditioned(
            features=config.features,
            charge_range=(config.charge_min, config.charge_max),
            spin_range=(config.spin_min, config.spin_max),
            charge_embed_dim=config.charge_embed_dim,
            spin_embed_dim=config.spin_embed_dim,
            conditioning=config.conditioning,
            backbone=config.backbone,
            layers=config.layers,
            basis_functions=config.basis_functions,
            cutoff=config.cutoff,
            max_atomic_number=ELEMENTS - 1,
            coulomb=config.coulomb,
            coulomb_damping=config.coulomb_damping,
            coulomb_cutoff=config.coulomb_cutoff,
            repulsion=config.repulsion,
            repulsion_cutoff=config.repulsion_cutoff,
            levels=self.heads,
            dispersion=config.d3,
        )

    @property
    def heads(self) -> tuple[str, ...]:
        """The levels of theory that have a readout each."""
        return self.levels if self.config.level_heads and len(self.levels) > 1 else ()

    @property
    def known(self) -> StateRange:
        """The states that it has room for."""
        config = self.config
        return StateRange((config.charge_min, config.charge_max), (config.spin_min, config.spin_max))


class PhysNet(ReferencedModel):
    """A potential for molecules in several electronic states; see `atomloom_physnet.network`.

    It predicts E, F, mono and D. Elements, charges and multiplicities that were not in the data it was fitted to are
    refused, even where they are within the ranges of its options: nothing is known of them.
    """

    def init(self, schema: Schema, config: Config, seed: int) -> State:
        """Random parameters; any state within the ranges is let through until data say which there are."""
        blank = empty(config, schema.elements, schema.levels)
        return {**blank, PARAMETERS: first_parameters(blank[NETWORK].module, seed, **_smallest(blank[NETWORK]))}

    def reach(self, state: State) -> float:
        """The cutoff of messages or of charges, whichever is longer; see `Config.reach`."""
        network: Network = state[NETWORK]
        return network.config.reach

    def complete(self, dataset: Dataset, config: Config) -> Dataset:
        """With the charge and multiplicity that the options assume where data do not say them; checked."""
        check_reach(config.reach, repeats(dataset))
        whole = completed(dataset, config)
        if config.dispersion == "d3":
            check_known(schema_of(whole).elements)
        Network(config).known.check(whole["total_charge"], whole["total_spin"])
        return whole

    def check(self, parts: Mapping[str, Dataset], config: Config) -> None:
        """Stops at states and elements that no frame to train on has, and at heads for a single level of theory."""
        check_covered(parts)
        levels = levels_of(parts["train"])
        if config.level_heads and len(levels) < 2:
            found = f"the frames to train on are of {levels[0] if levels else 'no level that is said'} alone"
            todo = 'Leave level_heads out, or say the levels: level = "..." under each [[data.source]]'
            raise ConfigError("give each level of theory a readout", found, todo)

    def prepare(self, state: State, data: FitData) -> State:
        """With energies of the elements fitted, and a memory of the states that there are."""
        known, seen = state[NETWORK].known, dict(state[SEEN])
        for key, name, bounds in (
            ("charges", "total_charge", known.charges),
            ("multiplicities", "total_spin", known.multiplicities),
        ):
            values = np.rint(data.train[name]).astype(int)
            seen[key] = np.isin(np.arange(bounds[0], bounds[1] + 1), values)
        return super().prepare({**state, SEEN: seen}, data)

    def prepared(self, state: State) -> frozenset[str]:
        """The energies of the elements, and what there is in the data."""
        return super().prepared(state) | {f"{SEEN}/{name}" for name in state[SEEN]}

    def offsets(self, state: State, batch: PaddedBatch) -> dict[str, NDArray[Any]]:
        """The energies of the elements; stops at atoms and states that the model has not seen."""
        check_seen(state, batch)
        return super().offsets(state, batch)

    def predict(self, state: State, batch: Inputs) -> dict[str, Any]:
        """E in eV ``[frames]`` and F in eV/angstrom ``[atoms, 3]``, mono in e ``[atoms]``, D in e angstrom."""
        found = computed(state, batch)
        return {"E": found["energy"], "F": found["forces"], "mono": found["charges"], "D": found["dipoles"]}


def empty(config: Config, elements: tuple[int, ...], levels: tuple[str, ...] = ()) -> State:
    """A state without parameters."""
    network = Network(config, levels)
    known = network.known
    seen = {
        "elements": np.isin(np.arange(ELEMENTS), elements),
        "charges": np.ones(known.charges[1] - known.charges[0] + 1, bool),
        "multiplicities": np.ones(known.multiplicities[1] - known.multiplicities[0] + 1, bool),
    }
    return {NETWORK: network, SEEN: seen, "references": no_references(len(levels))}


def computed(state: State, batch: Mapping[str, Any], **switches: bool) -> dict[str, jax.Array]:
    """What the network gives for a batch, under its own names; see `EF_ChargeSpinConditioned`."""
    destination, source, real = pair_list(batch)
    found: dict[str, jax.Array] = applied(
        state[NETWORK].module,
        state[PARAMETERS],
        atomic_numbers=jnp.asarray(batch["Z"]),
        positions=jnp.asarray(batch["R"]),
        total_charges=jnp.asarray(batch["total_charge"]),
        total_spins=jnp.asarray(batch["total_spin"]),
        batch_segments=jnp.asarray(batch["batch_segments"]),
        dst_idx=destination,
        src_idx=source,
        pair_mask=real,
        pair_shift=batch.get("pair_shift"),
        levels=batch.get(INDEX),
        **switches,
    )
    return found


def level_number(state: Mapping[str, Any], name: str | None) -> int:
    """The number of a level of theory among those that a model was trained on; 0 where there is but one.

    Raises:
        DataError: for one that is missing or unknown, listing those that there are.
    """
    known = state[NETWORK].levels
    if name in known:
        return int(known.index(name))
    if name is None and len(known) < 2:
        return 0
    wanted = "none is named" if name is None else f"there is no {name!r}"
    there = " and ".join(known) or "data that do not say theirs"
    todo = "Name one of these" if known else "Name none"
    raise DataError("predict at a level of theory", f"{wanted}, and the model was trained on {there}", todo)


def check_seen(state: State, batch: Mapping[str, Any]) -> None:
    """Stops at elements, charges and multiplicities that were not in the data, on the host."""
    seen, real = state[SEEN], np.asarray(batch["frame_mask"])
    known: StateRange = state[NETWORK].known
    check_elements(batch["Z"], ELEMENTS - 1, frozenset(np.flatnonzero(seen["elements"]).tolist()))
    known.check(batch["total_charge"], batch["total_spin"], real)
    for what, key, name, low in (
        ("total charge", "charges", "total_charge", known.charges[0]),
        ("multiplicity 2S+1", "multiplicities", "total_spin", known.multiplicities[0]),
    ):
        there = np.asarray(seen[key], bool)
        values = np.rint(np.asarray(batch[name])[real]).astype(int)
        unseen = values[~there[values - low]]
        if unseen.size:
            learned = ", ".join(map(str, low + np.flatnonzero(there)))
            found = f"there is a {what} of {int(unseen[0])}, and it was trained on {learned}"
            raise DataError("predict for these states", found, "Train with such states, or leave these frames out")


def _smallest(network: Network) -> dict[str, Any]:
    """A pair of atoms, for which parameters are made."""
    known = network.known
    return {
        "atomic_numbers": jnp.array([1, 1]),
        "positions": jnp.eye(3)[:2],
        "total_charges": jnp.array([float(known.charges[0])]),
        "total_spins": jnp.array([known.multiplicities[0]]),
        "dst_idx": jnp.array([0, 1]),
        "src_idx": jnp.array([1, 0]),
        "batch_segments": jnp.array([0, 0]),
        "levels": jnp.array([0]),
    }
