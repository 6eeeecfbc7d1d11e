"""The dispersion energy of atoms, of pairs and of triples."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from atomloom.units import factor
from atomloom_jax.blocks import BOHR, Pairs, masked
from atomloom_jax.blocks.cutoffs import polynomial
from atomloom_physnet.d3.coefficients import c6_coefficients
from atomloom_physnet.d3.coordination import coordination_numbers
from atomloom_physnet.d3.damping import Damping, Dispersion
from atomloom_physnet.d3.tables import LARGEST, tables

HARTREE = factor("hartree", "eV")

FADES = 0.8
"""From this share of a cutoff on pairs fade to nothing at the cutoff."""

_SHARP = 16.0 / 3.0  # a third of the exponent with which three dipoles are damped
_WIDE = 4.0 / 3.0  # by how much their damping reaches further than van der Waals radii


def dispersion_energy(numbers: jax.Array, pairs: Pairs, how: Dispersion) -> jax.Array:
    """The energy of each atom, in eV ``[atoms]``: half of each pair, a third of each triple; NaN for unknown elements.

    ::

        E = - 1/2 sum over i, j of s6 C6 / (r^6 + R^6) + s8 C8 / (r^8 + R^8)        R = a1 sqrt(C8 / C6) + a2

    Without a cutoff the list has to hold all pairs of a frame, or all that shall count.

    Args:
        numbers: atomic numbers ``[atoms]``, 0 for padding.

    >>> from atomloom_physnet.d3.damping import FUNCTIONALS
    >>> ends = jnp.array([0, 1]), jnp.array([1, 0])
    >>> argon = Pairs.between(jnp.array([[0.0, 0.0, 0.0], [0.0, 0.0, 3.76]]), *ends, jnp.array([True, True]))
    >>> print(1000 * dispersion_energy(jnp.array([18, 18]), argon, Dispersion(FUNCTIONALS["pbe0"])).sum().round(5))
    -11.32
    """
    known = jnp.clip(numbers, 0, LARGEST)
    distances = pairs.distances / BOHR
    fading = masked(_fading(pairs.distances, how.cutoff), pairs.mask)
    c6 = c6_coefficients(known, coordination_numbers(known, pairs, distances, fading), pairs)
    energies = pairs.collect(_of_pairs(known, pairs, distances, c6, how.damping) * fading, known.shape[0])
    if how.three_body:
        energies += _of_triples(known, pairs, distances, c6)
    return jnp.where(numbers > LARGEST, jnp.nan, HARTREE * energies)


def _fading(distances: jax.Array, cutoff: float | None) -> jax.Array:
    if cutoff is None:
        return jnp.ones_like(distances)
    return polynomial(jnp.maximum(distances - FADES * cutoff, 0.0), (1 - FADES) * cutoff)


def _of_pairs(numbers: jax.Array, pairs: Pairs, distances: jax.Array, c6: jax.Array, damping: Damping) -> jax.Array:
    """Half of the energy of each pair, in hartree ``[pairs]``."""
    ratio, radius = _radii(numbers, pairs, damping, distances.dtype)
    sixth = 1 / (distances**6 + radius**6)
    eighth = ratio / (distances**8 + radius**8)
    return -0.5 * c6 * (damping.s6 * sixth + damping.s8 * eighth)


def _radii(numbers: jax.Array, pairs: Pairs, damping: Damping, dtype: jnp.dtype) -> tuple[jax.Array, jax.Array]:
    """C8 / C6 in bohr^2 and the damping radius in bohr of each pair ``[pairs]``."""
    q = jnp.asarray(tables().q, dtype)[numbers]
    ratio = 3 * q[pairs.destination] * q[pairs.source]
    return ratio, damping.a1 * jnp.sqrt(ratio) + damping.a2


def _of_triples(numbers: jax.Array, pairs: Pairs, distances: jax.Array, c6: jax.Array) -> jax.Array:
    """A third of the energy of each triple for each of its atoms, in hartree ``[atoms]``.

    ::

        E = sum over i < j < k of sqrt(C6_ij C6_jk C6_ki) (3 cos cos cos + 1) / (r_ij r_jk r_ki)^3 * damped
        damped = 1 / (1 + 6 (R_ij R_jk R_ki / (r_ij r_jk r_ki))^(16/3))

    with R = 4/3 of the van der Waals radius of a pair of elements.

    The third atom goes through all of the batch, one after the other, and what each step held is computed again on the
    way back: the memory is that of the pairs.
    """
    atoms = numbers.shape[0]
    ends = pairs.destination, pairs.source
    radius = _WIDE * jnp.asarray(tables().pairwise, distances.dtype)[numbers[ends[0]], numbers[ends[1]]]
    real = pairs.mask & (pairs.destination != pairs.source)
    both = jnp.zeros((atoms, atoms), bool).at[ends].max(real)
    apart, root, hard = (
        jnp.zeros((atoms, atoms), distances.dtype).at[ends].add(masked(values, real))
        for values in (distances, _root(c6), radius)
    )

    @jax.checkpoint
    def of_third(total: jax.Array, third: jax.Array) -> tuple[jax.Array, None]:
        one, other = both[third][pairs.destination], both[third][pairs.source]
        there = real & one & other
        sides = (
            jnp.where(there, distances, 1.0),
            jnp.where(there, apart[third][pairs.destination], 1.0),
            jnp.where(there, apart[third][pairs.source], 1.0),
        )
        strength = _root(c6) * root[third][pairs.destination] * root[third][pairs.source]
        edge = radius * hard[third][pairs.destination] * hard[third][pairs.source]
        energies = jnp.where(there, strength * _dipoles(sides, edge), 0.0)
        return total + pairs.collect(energies, atoms) / 6, None

    total, _ = jax.lax.scan(of_third, jnp.zeros(atoms, distances.dtype), jnp.arange(atoms))
    return total


def _root(c6: jax.Array) -> jax.Array:
    """The square root, whose slope at zero is none."""
    return jnp.sqrt(jnp.where(c6 > 0, c6, 1.0)) * (c6 > 0)


def _dipoles(sides: tuple[jax.Array, jax.Array, jax.Array], edge: jax.Array) -> jax.Array:
    """``(3 cos cos cos + 1) / r^3`` times the damping, with r the product of the three sides."""
    a, b, c = (side**2 for side in sides)
    product = a * b * c
    cosines = 3 / 8 * (a + b - c) * (a - b + c) * (b + c - a) / product
    size = jnp.sqrt(product)
    return (cosines + 1) / size**3 / (1 + 6 * (edge / size) ** _SHARP)
