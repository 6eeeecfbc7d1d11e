"""A radial basis under a cutoff, as models configure it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import jax

from atomloom.errors import ConfigError
from atomloom_jax.blocks.bernstein import bernstein, exponential_bernstein, reciprocal_bernstein
from atomloom_jax.blocks.bessel import bessel
from atomloom_jax.blocks.cutoffs import CUTOFFS
from atomloom_jax.blocks.gaussian import exp_normal, gaussian
from atomloom_jax.blocks.pairs import Pairs

Basis = Callable[[jax.Array, int, float], jax.Array]

BASES: Mapping[str, Basis] = {
    "bernstein": bernstein,
    "bessel": bessel,
    "exp-normal": exp_normal,
    "exponential-bernstein": lambda distances, count, _: exponential_bernstein(distances, count),
    "gaussian": gaussian,
    "reciprocal-bernstein": lambda distances, count, _: reciprocal_bernstein(distances, count),
}
"""By name: functions of distances ``[...]``, the number of functions and the cutoff, giving ``[..., count]``."""


@dataclass(frozen=True)
class Radial:
    """Radial functions times a cutoff function times the mask of the pairs.

    A linear layer without bias on these is a filter that fades at the cutoff and is zero for padding.

    Args:
        basis: one of `BASES`.
        count: how many functions.
        cutoff: in angstrom.
        envelope: one of `CUTOFFS`.

    >>> import jax.numpy as jnp
    >>> pairs = Pairs.along(jnp.eye(3), jnp.zeros(3, int), jnp.arange(3), jnp.array([True, True, False]))
    >>> Radial("bernstein", count=2, cutoff=2.0, envelope="polynomial")(pairs).tolist()
    [[0.25, 0.25], [0.25, 0.25], [0.0, 0.0]]
    """

    basis: str = "reciprocal-bernstein"
    count: int = 32
    cutoff: float = 5.0
    envelope: str = "bump"

    def __post_init__(self) -> None:
        _known("radial basis", self.basis, BASES)
        _known("cutoff function", self.envelope, CUTOFFS)
        if self.count < 1 or not self.cutoff > 0:
            found = f"there are {self.count} functions and the cutoff is {self.cutoff:g} angstrom"
            raise ConfigError("make a radial basis", found, "Give at least one function and a cutoff above zero")

    def __call__(self, pairs: Pairs) -> jax.Array:
        """At the distances of the pairs, ``[pairs, count]``."""
        weights = CUTOFFS[self.envelope](pairs.distances, self.cutoff) * pairs.mask
        return BASES[self.basis](pairs.distances, self.count, self.cutoff) * weights[:, None]


def _known(kind: str, name: str, among: Mapping[str, object]) -> None:
    if name not in among:
        near = get_close_matches(name, among, 1)
        found = f"there is no {kind} of that name" + (f" (near: {near[0]})" if near else "")
        raise ConfigError(f"use the {kind} {name!r}", found, f"Choose one of {', '.join(among)}")
