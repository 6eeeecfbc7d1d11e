"""`BeadNetwork`: springs along the chain, fitted before the training, and a network for the forces that they leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
from msgspec import Meta

from atomloom.batching import PaddedBatch
from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.model import FitData, Schema
from atomloom_beads.kinds import FIELD, KINDS, called, with_kinds
from atomloom_beads.network import Messages
from atomloom_jax import JaxModel
from atomloom_jax.blocks import Frames, Pairs
from atomloom_jax.model import Inputs
from atomloom_jax.modules import applied, first_parameters
from atomloom_residues.chain_prior import mean_square, solve

NETWORK: Final = "network"
PARAMETERS: Final = "parameters"
PRIOR: Final = "prior"
SCALE: Final = "scale"
SEEN: Final = "seen"
"""Keys of the state: what the network is, its parameters, the springs, the size of the forces that they leave, and
which kinds of beads there were."""

State = dict[str, Any]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of the network."""

    features: Annotated[int, Meta(ge=1, description="features of each bead")] = 32
    layers: Annotated[int, Meta(ge=1, description="how often messages are passed")] = 2
    functions: Annotated[int, Meta(ge=2, description="radial functions")] = 16
    cutoff: Annotated[float, Meta(gt=0, description="distance beyond which beads do not meet, in angstrom")] = 12.0
    separations: Annotated[int, Meta(ge=1, description="springs of the prior reach so many places along the chain")] = 3


@jax.tree_util.register_static
@dataclass(frozen=True)
class Network:
    """What a state is the state of: a part of the tree that has no arrays."""

    config: Config

    @property
    def module(self) -> Messages:
        """The network with these options."""
        config = self.config
        return Messages(config.features, config.layers, config.functions, config.cutoff)


class BeadNetwork(JaxModel[State]):
    """``E = springs + scale sum_i e_i`` with e_i from `Messages`; forces are the negative gradient.

    Springs and scale are fitted to all frames to train on, whatever buckets these are in, and stay as they are: what
    parameters mean does not depend on how frames are put into batches.
    """

    def init(self, schema: Schema, config: Config, seed: int) -> State:
        """No springs, and a network that begins with no forces."""
        network, ends, real = Network(config), (jnp.array([0, 1]), jnp.array([1, 0])), jnp.ones(2, bool)
        pair = Pairs.along(jnp.eye(3)[:2], *ends, real)
        parameters = first_parameters(network.module, seed, jnp.array([6, 6]), pair)
        springs = {name: np.zeros(config.separations) for name in ("stiffness", "pull")}
        seen = np.ones(KINDS, bool)
        return {NETWORK: network, PARAMETERS: parameters, PRIOR: springs, SCALE: np.ones(()), SEEN: seen}

    def reach(self, state: State) -> float:
        """The cutoff of messages."""
        network: Network = state[NETWORK]
        return network.config.cutoff

    def complete(self, dataset: Dataset, config: Config) -> Dataset:
        """With the kind of each bead."""
        return with_kinds(dataset)

    def prepare(self, state: State, data: FitData) -> State:
        """With springs fitted to the forces, the root mean square of what they leave, and a memory of the beads."""
        springs = solve(data, data.train, len(state[PRIOR]["stiffness"]))
        left = mean_square(springs, data, data.train)
        seen = np.isin(np.arange(KINDS), data.train[FIELD])
        return {**state, PRIOR: springs, SCALE: np.sqrt(left) if left else np.ones(()), SEEN: seen}

    def constants(self, state: State) -> frozenset[str]:
        """What is not trained."""
        return frozenset({SCALE, *(f"{PRIOR}/{name}" for name in state[PRIOR])})

    def offsets(self, state: State, batch: PaddedBatch) -> dict[str, Any]:
        """Nothing; stops at kinds of beads of which nothing was learnt."""
        kinds = np.unique(batch[FIELD][batch["atom_mask"]])
        unseen = kinds[~np.asarray(state[SEEN], bool)[kinds]]
        if unseen.size:
            found = f"it was trained on none that is {called(int(unseen[0]))}"
            raise DataError("predict for these beads", found, "Train with such beads, or leave these frames out")
        return {}

    def predict(self, state: State, batch: Inputs) -> dict[str, Any]:
        """E in eV ``[frames]``, relative, and F in eV/angstrom ``[beads, 3]``."""
        frames = Frames.of(batch)

        def total(positions: jax.Array) -> tuple[jax.Array, jax.Array]:
            pairs = Pairs.of(batch, positions)
            own = applied(state[NETWORK].module, state[PARAMETERS], jnp.asarray(batch[FIELD]), pairs)
            energies = frames.sum(state[SCALE] * own + springs(state[PRIOR], positions, frames))
            return energies.sum(), energies

        gradient, energies = jax.grad(total, has_aux=True)(jnp.asarray(batch["R"]))
        return {"E": energies, "F": -gradient}


def springs(prior: dict[str, Any], positions: jax.Array, frames: Frames) -> jax.Array:
    """``k_s d^2 / 2 - c_s d`` summed over the springs that begin at each bead, ``[beads]``.

    >>> prior = {"stiffness": jnp.array([2.0]), "pull": jnp.array([1.0])}
    >>> two = Frames(jnp.zeros(3, int), jnp.array([True, True, False]), jnp.array([True]))
    >>> springs(prior, jnp.array([[0.0, 0, 0], [3.0, 0, 0], [9.0, 0, 0]]), two).tolist()
    [6.0, 0.0, 0.0]
    """
    energies = jnp.zeros(len(positions), positions.dtype)
    for place in range(1, min(len(prior["stiffness"]) + 1, len(positions))):
        first = jnp.arange(len(positions) - place)
        real = frames.atom_mask[first] & frames.atom_mask[first + place]
        pairs = Pairs.between(positions, first, first + place, real & _same(frames.segments, place))
        distances, (stiffness, pull) = pairs.distances, (prior[name][place - 1] for name in ("stiffness", "pull"))
        own = jnp.where(pairs.mask, stiffness * distances**2 / 2 - pull * distances, 0.0)
        energies = energies.at[first].add(own.astype(energies.dtype))
    return energies


def _same(segments: jax.Array, place: int) -> jax.Array:
    """Whether a slot and the one so many places behind it are of one frame."""
    return segments[:-place] == segments[place:]


def example() -> tuple[Config, Dataset]:
    """A narrow network, and chains of six to nine residues whose force field is known."""
    from atomloom_residues.chains import chains

    return Config(features=8, layers=1, functions=6), chains(frames=12, lengths=(6, 9), seed=1)
