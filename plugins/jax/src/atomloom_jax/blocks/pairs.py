"""Pairs of atoms with the vectors between them.

The lists of a batch are filled up with pairs under a mask that is False. These are given a vector of length one in
place of the zero that they would have, so that no distance needs care later, and no gradient passes through them; what
is multiplied by a cutoff function times the mask (`Radial` does so) then ignores them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from atomloom_jax.blocks.segments import segment_sum

_APART = (1.0, 0.0, 0.0)  # angstrom


class Pairs(NamedTuple):
    """Ordered pairs of atoms, each with its vector.

    Args:
        destination, source: the atoms of each pair ``[pairs]``; messages go from source to destination.
        mask: which pairs are real ``[pairs]``.
        vectors: from destination to source, in angstrom ``[pairs, 3]``.
        distances: their lengths, in angstrom ``[pairs]``.

    >>> positions = jnp.array([[0.0, 0.0, 0.0], [0.0, 3.0, 4.0]])
    >>> pairs = Pairs.between(positions, jnp.array([0, 1, 0]), jnp.array([1, 0, 0]), jnp.array([True, True, False]))
    >>> pairs.distances.tolist(), pairs.vectors[1].tolist()
    ([5.0, 5.0, 1.0], [0.0, -3.0, -4.0])
    """

    destination: jax.Array
    source: jax.Array
    mask: jax.Array
    vectors: jax.Array
    distances: jax.Array

    @classmethod
    def of(cls, batch: Any, positions: jax.Array | None = None) -> Pairs:
        """Those of a `PaddedBatch`, or of any mapping with its names; at other `positions` than its R if given."""
        at = jnp.asarray(batch["R"]) if positions is None else positions
        return cls.between(at, *pair_list(batch), batch.get("pair_shift"))

    @classmethod
    def between(
        cls,
        positions: jax.Array,
        destination: jax.Array,
        source: jax.Array,
        mask: jax.Array,
        shift: jax.Array | None = None,
    ) -> Pairs:
        """Those of a list; `shift` ``[pairs, 3]`` goes from the cell of one atom to that of the other, in angstrom."""
        return cls.along(displacements(positions, destination, source, mask, shift), destination, source, mask)

    @classmethod
    def along(cls, vectors: jax.Array, destination: jax.Array, source: jax.Array, mask: jax.Array) -> Pairs:
        """Those whose vectors are known; energies are differentiated by these to have forces and virial at once."""
        apart = jnp.where(mask[:, None], vectors, jnp.asarray(_APART, vectors.dtype))
        return cls(destination, source, mask, apart, jnp.sqrt(jnp.sum(apart**2, axis=-1)))

    def collect(self, values: jax.Array, atoms: int) -> jax.Array:
        """To each atom the sum ``[atoms, ...]`` over the pairs of which it is the destination, from ``[pairs, ...]``.

        The values of pairs that are not real have to be zero.
        """
        return segment_sum(values, self.destination, atoms)


def pair_list(batch: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Destination, source and mask of a batch ``[pairs]``; of no pairs where the batch has no slots for any.

    >>> [len(side) for side in pair_list({"R": jnp.zeros((1, 3))})]
    [0, 0, 0]
    """
    if "dst_idx" not in batch:
        none = jnp.zeros(0, jnp.int32)
        return none, none, none.astype(bool)
    destination, source, mask = (jnp.asarray(batch[name]) for name in ("dst_idx", "src_idx", "pair_mask"))
    return destination, source, mask


def displacements(
    positions: jax.Array,
    destination: jax.Array,
    source: jax.Array,
    mask: jax.Array,
    shift: jax.Array | None = None,
) -> jax.Array:
    """R[source] - R[destination] + shift for real pairs, in angstrom ``[pairs, 3]``.

    Others get a constant vector of length one, whatever the positions of their atoms are.
    """
    vectors = positions[source] - positions[destination]
    if shift is not None:
        vectors += shift
    return jnp.where(mask[:, None], vectors, jnp.asarray(_APART, vectors.dtype))


def real_pairs(atomic_numbers: jax.Array, destination: jax.Array, source: jax.Array) -> jax.Array:
    """A mask ``[pairs]`` for lists without one: False where an atom is a dummy, of atomic number zero.

    >>> real_pairs(jnp.array([8, 1, 0]), jnp.array([0, 0, 1]), jnp.array([1, 2, 2])).tolist()
    [True, False, False]
    """
    return (atomic_numbers[destination] > 0) & (atomic_numbers[source] > 0)
