"""`EF_ChargeSpinConditioned`: energy, forces, charges and dipoles of molecules of given charge and multiplicity.

With the features x of an element, changed by charge Q and multiplicity 2S+1, a backbone gives each atom an energy e_i
and a charge, to which those of its element are added. Charges are then corrected to the sum Q, and ::

    E = sum over i of e_i + k/2 sum over i, j of q_i q_j / r_ij (damped) + repulsion of the nuclei + dispersion

Units are eV, angstrom and e. Energies are what is left once those of the elements are taken off.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom_jax.blocks import (
    ElementTable,
    Frames,
    Pairs,
    Radial,
    StateAttention,
    StateRange,
    States,
    StateTable,
    conserve,
    coulomb_energy,
    dipole,
    displacements,
    forces,
    masked,
    real_pairs,
    virial,
    zbl_energy,
)
from atomloom_physnet.backbones import BACKBONES, OUTPUTS, by_head
from atomloom_physnet.d3.damping import Dispersion
from atomloom_physnet.d3.energy import dispersion_energy

_WHOLE = 1e-3  # how far a charge may be from a whole number


class Molecules(NamedTuple):
    """What energies depend on beside the vectors between atoms.

    Args:
        numbers: atomic numbers ``[atoms]``, 0 for padding.
        states: of each frame.
        frames: which atoms make up which.
        heads: the number of each atom's level of theory among those that have a readout; None where they have not.
        ends: destination and source of each pair, and which pairs are real.
    """

    numbers: jax.Array
    states: States
    frames: Frames
    heads: jax.Array | None
    ends: tuple[jax.Array, jax.Array, jax.Array]


class EF_ChargeSpinConditioned(nn.Module):  # the name that the first design of this network has
    """One potential for many electronic states; see the module.

    A charge or multiplicity outside of the ranges, and an element beyond `max_atomic_number`, gives an energy of NaN:
    nothing is ever moved to the edge of a table. `atomloom_physnet.PhysNet` tells beforehand in words.

    Attributes:
        features: of each atom.
        charge_range, spin_range: least and largest Q and 2S+1.
        charge_embed_dim, spin_embed_dim: of the rows of the tables, with ``conditioning="embedding"``.
        conditioning: ``"attention"`` spreads charge and unpaired electrons over atoms, ``"embedding"`` looks them up in
            tables for all atoms alike, ``"none"`` leaves the network as it is for every state.
        backbone: ``"scalar-vector"`` or ``"physnet"``.
        layers: rounds of messages.
        basis_functions, cutoff: radial functions, and where they end in angstrom.
        max_atomic_number: of the last element.
        coulomb, coulomb_damping, coulomb_cutoff: whether charges act on one another, and the distances of
            `coulomb_energy`. Without a cutoff the list of pairs has to hold all pairs of a frame.
        repulsion, repulsion_cutoff: whether nuclei repel, and where that ends in angstrom.
        levels: names of levels of theory that have a readout each; none for a single one.
        dispersion: the correction D3, if there shall be one; without a cutoff the list has to hold all pairs as well.
        predict_energy, predict_forces: what is given, unless a call says otherwise.

    >>> network = EF_ChargeSpinConditioned(features=8, layers=1)
    >>> water = dict(
    ...     atomic_numbers=jnp.array([8, 1, 1]), positions=jnp.array([[0.0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]]),
    ...     total_charges=jnp.array([1.0]), total_spins=jnp.array([2]), batch_segments=jnp.zeros(3, int),
    ...     dst_idx=jnp.array([0, 0, 1, 1, 2, 2]), src_idx=jnp.array([1, 2, 0, 2, 0, 1]))
    >>> parameters = network.init(jax.random.key(0), **water)
    >>> found = network.apply(parameters, **water)
    >>> {name: values.shape for name, values in found.items()}
    {'charges': (3,), 'dipoles': (1, 3), 'energy': (1,), 'forces': (3, 3), 'virials': (1, 3, 3)}
    >>> round(float(found["charges"].sum()), 6)
    1.0
    >>> list(network.apply(parameters, **water, predict_forces=False))
    ['charges', 'dipoles', 'energy']
    """

    features: int = 128
    charge_range: tuple[int, int] = (-2, 2)
    spin_range: tuple[int, int] = (1, 5)
    charge_embed_dim: int = 16
    spin_embed_dim: int = 16
    conditioning: str = "attention"
    backbone: str = "scalar-vector"
    layers: int = 2
    basis_functions: int = 16
    cutoff: float = 5.0
    max_atomic_number: int = 94
    coulomb: bool = True
    coulomb_damping: float = 4.0
    coulomb_cutoff: float | None = None
    repulsion: bool = True
    repulsion_cutoff: float = 1.5
    levels: tuple[str, ...] = ()
    dispersion: Dispersion | None = None
    predict_energy: bool = True
    predict_forces: bool = True

    def __call__(
        self,
        atomic_numbers: jax.Array,
        positions: jax.Array,
        total_charges: jax.Array,
        total_spins: jax.Array,
        dst_idx: jax.Array,
        src_idx: jax.Array,
        batch_segments: jax.Array,
        *,
        pair_mask: jax.Array | None = None,
        pair_shift: jax.Array | None = None,
        levels: jax.Array | None = None,
        predict_energy: bool | None = None,
        predict_forces: bool | None = None,
    ) -> dict[str, jax.Array]:
        """Predictions for a batch of molecules.

        Args:
            atomic_numbers: ``[atoms]``, 0 for padding.
            positions: in angstrom ``[atoms, 3]``.
            total_charges, total_spins: Q in e and 2S+1 ``[frames]``.
            dst_idx, src_idx: the atoms of each ordered pair ``[pairs]``.
            batch_segments: the frame of each atom ``[atoms]``.
            pair_mask: which pairs are real ``[pairs]``; without it those between real atoms.
            pair_shift: added to R[src] - R[dst], in angstrom ``[pairs, 3]``.
            levels: the number of each frame's level of theory among the attribute `levels` ``[frames]``.
            predict_energy, predict_forces: other than the attributes say.

        Returns:
            ``charges`` in e ``[atoms]`` and ``dipoles`` in e angstrom ``[frames, 3]``, from the origin of the
            coordinates; with energies ``energy`` in eV ``[frames]``; with forces ``forces`` in eV/angstrom
            ``[atoms, 3]`` and ``virials``, the derivative of the energy by the strain, in eV ``[frames, 3, 3]``.
        """
        real = real_pairs(atomic_numbers, dst_idx, src_idx) if pair_mask is None else pair_mask
        frames = _frames(atomic_numbers, batch_segments, total_charges.shape[0])
        states = States(total_charges, total_spins)
        heads = None if levels is None else jnp.asarray(levels)[batch_segments]
        molecules = Molecules(atomic_numbers, states, frames, heads, (dst_idx, src_idx, real))
        vectors = displacements(positions, dst_idx, src_idx, real, pair_shift)
        with_forces = self.predict_forces if predict_forces is None else predict_forces
        with_energy = self.predict_energy if predict_energy is None else predict_energy
        found: dict[str, jax.Array] = {}
        if with_forces and not self.is_initializing():
            energies, charges, slopes = self._slopes(vectors, molecules)
            pairs = Pairs.along(vectors, *molecules.ends)
            found["forces"] = forces(slopes, pairs, atomic_numbers.shape[0])
            found["virials"] = virial(slopes, pairs, frames)
        else:
            energies, charges = self.energies(vectors, molecules)
        if with_energy:
            found["energy"] = energies
        found |= {"charges": charges, "dipoles": dipole(charges, positions, frames)}
        return dict(sorted(found.items()))

    @nn.compact
    def energies(self, vectors: jax.Array, molecules: Molecules) -> tuple[jax.Array, jax.Array]:
        """Energies of frames ``[frames]`` and charges of atoms ``[atoms]`` from the vectors of pairs ``[pairs, 3]``."""
        numbers, states, frames, heads, ends = molecules
        pairs = Pairs.along(vectors, *ends)
        x = ElementTable(self.features, self.max_atomic_number, name="elements")(numbers)
        radial = Radial(count=self.basis_functions, cutoff=self.cutoff)(pairs)
        backbone = BACKBONES[self.backbone](self.features, self.layers, self.levels, name="backbone")
        own = backbone(self._conditioned(x, states, frames), pairs, radial, heads)
        own += by_head(partial(self._offsets, numbers), "element_offsets", self.levels, heads)
        charges = conserve(own[:, 1], states.charges.astype(own.dtype), frames)
        atoms = own[:, 0]
        if self.coulomb:
            atoms += coulomb_energy(charges, pairs, self.coulomb_damping, self.coulomb_cutoff)
        if self.repulsion:
            atoms += zbl_energy(numbers, pairs, self.repulsion_cutoff)
        if self.dispersion is not None:
            atoms += dispersion_energy(numbers, pairs, self.dispersion)
        return frames.sum(atoms) + self._nan_if_unknown(states, frames), charges

    def _offsets(self, numbers: jax.Array, name: str) -> jax.Array:
        """What the elements of atoms add to energies and charges ``[atoms, 2]``."""
        found: jax.Array = ElementTable(OUTPUTS, self.max_atomic_number, zero=True, name=name)(numbers)
        return found

    def _conditioned(self, x: jax.Array, states: States, frames: Frames) -> jax.Array:
        """Features that know the state of their frame, if they shall."""
        if self.conditioning == "none":
            return x
        if self.conditioning == "embedding":
            known = StateRange(self.charge_range, self.spin_range)
            table = StateTable(self.features, known, self.charge_embed_dim, self.spin_embed_dim, name="state")
            looked_up: jax.Array = table(x, states, frames)
            return looked_up
        spread: jax.Array = StateAttention(self.features, name="state")(x, states, frames)
        return spread

    def _nan_if_unknown(self, states: States, frames: Frames) -> jax.Array:
        """NaN for frames of a state that the network is not for, and zero for all others ``[frames]``."""
        known = jnp.ones(frames.slots, bool)
        for values, (low, high) in ((states.charges, self.charge_range), (states.multiplicities, self.spin_range)):
            known &= (jnp.abs(values - jnp.rint(values)) < _WHOLE) & (values > low - 0.5) & (values < high + 0.5)
        return jnp.where(known | ~frames.frame_mask, 0.0, jnp.nan)

    def _slopes(self, vectors: jax.Array, molecules: Molecules) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Energies, charges, and the derivative of all energies by the vectors ``[pairs, 3]``."""
        network, variables = self.unbind()

        def total(vectors: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            applied: Any = network.apply(variables, vectors, molecules, method="energies")
            energies, charges = applied
            return energies.sum(), (energies, charges)

        slopes, (energies, charges) = jax.grad(total, has_aux=True)(vectors)
        return energies, charges, slopes


def _frames(numbers: jax.Array, segments: jax.Array, count: int) -> Frames:
    """Which atoms make up which frame; a frame without atoms is padding."""
    real = numbers > 0
    atoms = jax.ops.segment_sum(masked(jnp.ones_like(segments), real), segments, num_segments=count)
    return Frames(segments, real, atoms > 0)
