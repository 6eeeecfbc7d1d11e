"""`DistributedCharges`: from atoms to charges beside them.

Scalars s and vectors v of each atom, from messages between atoms, give it n charges and n displacements::

    q_ik = f(s_i)_k + b(Z_i)_k, corrected so that all of a frame add up to its total charge
    r_ik = R_i + d_max tanh(|u_ik|) u_ik / |u_ik|, with vectors u_ik = g(s_i, v_i)_k

The correction is part of the network, so what is trained is what is used. Nothing in here knows how many atoms or
points there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom_jax.blocks import (
    AtomScalars,
    AtomVectors,
    ElementTable,
    Frames,
    Pairs,
    Radial,
    ScalarVectorLayers,
    StateAttention,
    States,
    bounded,
    conserve,
    masked,
)


class DistributedCharges(nn.Module):
    """Charges in e ``[atoms, n_dcm]`` and their places in angstrom ``[atoms, n_dcm, 3]``; see the module.

    Attributes:
        n_dcm: charges of each atom.
        features, layers: of each atom, and rounds of messages.
        basis_functions, cutoff: radial functions, and where they end in angstrom.
        d_max: how far a charge may be from its atom, in angstrom.
        conditioning: ``"none"``, or ``"attention"`` for `StateAttention`.
        largest: atomic number of the last element.

    >>> batch = dict(
    ...     Z=jnp.array([8, 1]), R=jnp.array([[0.0, 0, 0], [0.97, 0, 0]]), total_charge=jnp.array([-1.0]),
    ...     total_spin=jnp.array([1]), batch_segments=jnp.zeros(2, int), atom_mask=jnp.ones(2, bool),
    ...     frame_mask=jnp.ones(1, bool), dst_idx=jnp.array([0, 1]), src_idx=jnp.array([1, 0]),
    ...     pair_mask=jnp.ones(2, bool))
    >>> (charges, places), _ = DistributedCharges(n_dcm=3, features=8).init_with_output(jax.random.key(0), batch)
    >>> round(float(charges.sum()), 6), places.shape
    (-1.0, (2, 3, 3))
    """

    n_dcm: int = 2
    features: int = 32
    layers: int = 2
    basis_functions: int = 16
    cutoff: float = 5.0
    d_max: float = 0.35
    conditioning: str = "none"
    largest: int = 94

    @nn.compact
    def __call__(self, batch: Mapping[str, Any], d_max: Any = None) -> tuple[jax.Array, jax.Array]:
        """Charges and places of the atoms of a `PaddedBatch`, or of any mapping with its names.

        Args:
            d_max: in place of the attribute.
        """
        numbers, positions, frames = jnp.asarray(batch["Z"]), jnp.asarray(batch["R"]), Frames.of(batch)
        totals = jnp.asarray(batch["total_charge"]).astype(positions.dtype)
        pairs = Pairs.of(batch, positions)
        x = ElementTable(self.features, self.largest, name="elements")(numbers)
        if self.conditioning == "attention":
            x = StateAttention(self.features, name="state")(x, States.of(batch), frames)
        radial = Radial(count=self.basis_functions, cutoff=self.cutoff)(pairs)
        scalars, vectors = ScalarVectorLayers(self.features, self.layers, name="messages")(x, pairs, radial)
        raw = AtomScalars(self.n_dcm, name="charges")(scalars)
        raw += ElementTable(self.n_dcm, self.largest, zero=True, name="element_charges")(numbers)
        moved = bounded(AtomVectors(self.n_dcm, name="displacements")(scalars, vectors), self._limit(d_max))
        return conserve(raw, totals, frames), positions[:, None, :] + masked(moved, frames.atom_mask)

    def _limit(self, d_max: Any) -> Any:
        return self.d_max if d_max is None else d_max


def create_model(n_dcm: int = 2, features: int = 32, **options: Any) -> DistributedCharges:
    """A network of these options; see `DistributedCharges`.

    >>> create_model(n_dcm=7, features=16).n_dcm
    7
    """
    return DistributedCharges(n_dcm=n_dcm, features=features, **options)
