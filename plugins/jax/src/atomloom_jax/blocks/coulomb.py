"""The energy of atomic charges in one another's field, damped where the atoms are near."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from atomloom.errors import ConfigError
from atomloom.units import factor
from atomloom_jax.blocks.cutoffs import polynomial
from atomloom_jax.blocks.pairs import Pairs

COULOMB = factor("hartree", "eV") * factor("bohr", "angstrom")
"""1 / (4 pi epsilon_0) = 14.3996... eV angstrom / e^2."""

_SOFT = 1.0  # angstrom^2


def damped_inverse(distances: jax.Array, damped: float = 5.0, cutoff: float | None = None) -> jax.Array:
    """p(r) / sqrt(r^2 + 1) + (1 - p(r)) / r in 1/angstrom: the plain 1/r beyond `damped`, 1 at r = 0, of PhysNet.

    p is the `polynomial` cutoff function 1 - 10 x^3 + 15 x^4 - 6 x^5 with x = r / damped, so value, slope and curvature
    are continuous.

    Args:
        distances: r in angstrom.
        damped: where the damping ends, in angstrom; PhysNet has half of its cutoff for messages.
        cutoff: r/cutoff^2 - 2/cutoff is added and all is zero beyond this distance, which makes value and slope
            continuous there; in angstrom. Without it every pair counts.

    >>> print(jax.device_get(damped_inverse(jnp.array([0.0, 5.0, 8.0]))).round(4))
    [1.    0.2   0.125]
    """
    near = polynomial(distances, damped)
    plain = 1 / jnp.where(distances > 0, distances, 1.0)
    damped_inverse = near / jnp.sqrt(distances**2 + _SOFT) + (1 - near) * plain
    if cutoff is None:
        return damped_inverse
    if damped > cutoff:
        found = f"damping ends at {damped:g} angstrom, beyond the cutoff of {cutoff:g} angstrom"
        raise ConfigError("damp the Coulomb energy", found, "Give a damping distance of at most the cutoff")
    return jnp.where(distances < cutoff, damped_inverse + distances / cutoff**2 - 2 / cutoff, 0.0)


def coulomb_energy(charges: jax.Array, pairs: Pairs, damped: float = 5.0, cutoff: float | None = None) -> jax.Array:
    """k / 2 times the sum over j of q_i q_j `damped_inverse` (r_ij), for each atom i, in eV ``[atoms]``.

    Half of each pair is counted to either atom. The list of pairs has to hold all within `cutoff`, or without one all
    pairs of a frame, which is not what messages need. Periodic frames need a cutoff; there is no Ewald sum here.

    Args:
        charges: q in e ``[atoms]``.

    >>> ends = jnp.array([0, 1]), jnp.array([1, 0])
    >>> pairs = Pairs.between(jnp.array([[0.0, 0.0, 0.0], [0.0, 0.0, 10.0]]), *ends, jnp.array([True, True]))
    >>> print(jax.device_get(coulomb_energy(jnp.array([1.0, -1.0]), pairs)).round(3))
    [-0.72 -0.72]
    """
    products = charges[pairs.destination] * charges[pairs.source]
    energies = COULOMB / 2 * products * damped_inverse(pairs.distances, damped, cutoff)
    return pairs.collect(jnp.where(pairs.mask, energies, 0.0), charges.shape[0])
