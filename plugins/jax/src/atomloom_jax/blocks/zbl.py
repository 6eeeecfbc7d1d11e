"""The repulsion of nuclei at short distances, screened by their electrons (Ziegler, Biersack, Littmark 1985).

It holds where there are no training data: an energy that falls when atoms come together lets simulations collapse.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from atomloom_jax.blocks.coulomb import COULOMB
from atomloom_jax.blocks.cutoffs import polynomial
from atomloom_jax.blocks.pairs import Pairs

AMPLITUDES = (0.18175, 0.50986, 0.28022, 0.02817)
"""Of the four exponentials; their sum is one, so that bare nuclei repel at r = 0."""

DECAYS = (3.19980, 0.94229, 0.40290, 0.20162)

_LENGTH, _POWER = 0.46850, 0.23  # angstrom


def screening(reduced: jax.Array) -> jax.Array:
    """0.18175 exp(-3.19980 x) + 0.50986 exp(-0.94229 x) + 0.28022 exp(-0.40290 x) + 0.02817 exp(-0.20162 x).

    >>> float(screening(jnp.array(0.0))).__round__(6)
    1.0
    """
    return sum(
        (amplitude * jnp.exp(-decay * reduced) for amplitude, decay in zip(AMPLITUDES, DECAYS, strict=True)),
        start=jnp.zeros_like(reduced),
    )


def zbl_energy(atomic_numbers: jax.Array, pairs: Pairs, cutoff: float | None = None) -> jax.Array:
    """k / 2 times the sum over j of Z_i Z_j / r_ij screening(r_ij / a_ij), for each atom i, in eV ``[atoms]``.

    a_ij = 0.46850 angstrom / (Z_i^0.23 + Z_j^0.23). Half of each pair is counted to either atom. It is above zero, and
    added to the energy.

    Args:
        atomic_numbers: Z ``[atoms]``.
        cutoff: where given, each pair is multiplied by the `polynomial` cutoff function, in angstrom.

    >>> ends = jnp.array([0, 1]), jnp.array([1, 0])
    >>> pairs = Pairs.between(jnp.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), *ends, jnp.array([True, True]))
    >>> print(jax.device_get(zbl_energy(jnp.array([6, 8]), pairs)).round(3))
    [9.469 9.469]
    """
    numbers = atomic_numbers.astype(pairs.distances.dtype)
    root = numbers**_POWER
    reduced = pairs.distances * (root[pairs.destination] + root[pairs.source]) / _LENGTH
    products = numbers[pairs.destination] * numbers[pairs.source]
    energies = COULOMB / 2 * products / pairs.distances * screening(reduced)
    if cutoff is not None:
        energies *= polynomial(pairs.distances, cutoff)
    return pairs.collect(jnp.where(pairs.mask, energies, 0.0), atomic_numbers.shape[0])
