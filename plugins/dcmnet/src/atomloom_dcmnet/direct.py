"""Fits of one molecule's own potential without a network, by variable projection from several starts.

Several conformers are fitted jointly: their charges are the same, and stand at the same places in the axes of their
atoms (see `local_frames`).

The best charges of given places are known (see `linear`), so only places are searched for: those that leave the least
of the potential. A search follows the residual r = (1 - A A+) V with the Jacobian of Kaufman (1975), which leaves out
the part of dr that lies in the columns of A. Places stay within `d_max` of their atoms by construction:
d = d_max tanh(|u|) u / |u| for free vectors u.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no annotations

from atomloom.progress import track
from atomloom_dcmnet.linear import KCAL_ANGSTROM, RIDGE, exact, free, matrix, root_mean_square

STARTS = 12
"""Searches that are begun at random places."""

STEPS = 200
"""Of a search, at the most."""

_SPREAD = 1.0  # of the vectors u at the start
_NEARLY = 0.999  # of the bound, at which a search begins that is given places on it
_CLOSE = 1e-7  # change of the residual, relative, at which a search ends

Array = NDArray[Any]


@dataclass(frozen=True)
class Potential:
    """The potential of one molecule at some points.

    Args:
        positions: of the atoms, in angstrom ``[atoms, 3]``.
        total: charge of the molecule, in e.
        points: in angstrom ``[points, 3]``.
        values: in (kcal/mol)/e ``[points]``.
        axes: those of each atom in which displacements are told, as rows ``[atoms, 3, 3]``; those of space without.
    """

    positions: Array
    total: float
    points: Array
    values: Array
    axes: Array | None = None

    def at(self, chosen: Array) -> Potential:
        """At some of the points only."""
        return replace(self, points=self.points[chosen], values=self.values[chosen])

    def places(self, displacements: Array) -> Array:
        """Where charges are that are displaced by so much from their atoms ``[atoms, sites, 3]``, in angstrom."""
        axes = np.eye(3)[None] if self.axes is None else self.axes
        found: Array = self.positions[:, None] + displacements @ axes
        return found


@dataclass(frozen=True)
class Search:
    """How places are looked for.

    Args:
        sites: charges of each atom.
        d_max: how far a charge may be from its atom, in angstrom.
        starts: searches that are begun; the best by the points of the fit is kept.
        ridge: see `RIDGE`.
        seed: of the starts.
        steps: of each search, at the most.
    """

    sites: int = 2
    d_max: float = 0.35
    starts: int = STARTS
    ridge: float = RIDGE
    seed: int = 0
    steps: int = STEPS


class Sites(NamedTuple):
    """Charges that were fitted.

    Args:
        charges: in e ``[atoms, sites]``.
        places: in angstrom ``[atoms, sites, 3]``, in the first conformer.
        rmse: of the points of the fit, in (kcal/mol)/e.
        displacements: from the atoms, in their axes and angstrom ``[atoms, sites, 3]``.
    """

    charges: Array
    places: Array
    rmse: float
    displacements: Array

    def error(self, potential: Potential) -> Array:
        """Predicted less reference in (kcal/mol)/e at the points of `potential`, ``[points]``."""
        places = potential.places(self.displacements).reshape(-1, 3)
        found: Array = matrix(potential.points, places) @ self.charges.ravel() - potential.values
        return found


def fit_sites(
    potential: Potential | Sequence[Potential], search: Search = Search(), begin: Array | None = None
) -> Sites:
    """The charges and places that fit a potential best, of all the starts.

    Args:
        potential: or those of several conformers of one molecule, with axes; each of their points counts the same.
        begin: places in the first conformer from which the first search begins, in place of random ones, in angstrom
            ``[atoms, sites, 3]``.

    >>> random = np.random.default_rng(0)
    >>> places = np.array([[0.1, 0.0, 0.0], [0.0, 0.2, 0.0]])
    >>> points = 3.0 * random.normal(size=(200, 3)) + [0.0, 0.0, 6.0]
    >>> values = matrix(points, places) @ [0.4, -0.4]
    >>> found = fit_sites(Potential(np.zeros((1, 3)), 0.0, points, values), Search(sites=2, starts=3))
    >>> found.rmse < 1e-2
    True
    """
    conformers = (potential,) if isinstance(potential, Potential) else tuple(potential)
    first = conformers[0]
    random = np.random.default_rng(search.seed)
    size = 3 * search.sites * len(first.positions)
    starts = [random.normal(scale=_SPREAD, size=size) for _ in range(search.starts)]
    if begin is not None:
        apart = begin - first.positions[:, None]
        along = apart if first.axes is None else np.einsum("iax,isx->isa", first.axes, apart)
        starts[0] = unmoved(along, search.d_max).ravel()
    with threadpool_limits(1, "blas"):  # on matrices as small as these, threads only wait for each other
        searches = track(starts, total=len(starts), label="fitting") if len(starts) > 1 else starts
        found = [_searched(start, conformers, search) for start in searches]
    return min(found, key=lambda each: each.rmse)


def _searched(start: Array, conformers: tuple[Potential, ...], search: Search) -> Sites:
    """Where a search ends that begins at these free vectors."""
    end = least_squares(
        lambda u: _Projected(u, conformers, search).residual,
        start,
        jac=lambda u: _Projected(u, conformers, search).jacobian(),
        method="trf",
        max_nfev=search.steps,
        ftol=_CLOSE,
        xtol=_CLOSE,
    )
    return _Projected(end.x, conformers, search).sites()


class _Projected:
    """What free vectors `u` leave of the potentials of all conformers, and how that changes."""

    def __init__(self, u: Array, conformers: tuple[Potential, ...], search: Search) -> None:
        self.u, self.conformers, self.search = u.reshape(-1, 3), conformers, search
        shape = (-1, search.sites, 3)
        self.displacements = moved(self.u, search.d_max).reshape(shape)
        self.places = [each.places(self.displacements).reshape(-1, 3) for each in conformers]
        self.parts = [matrix(each.points, places) for each, places in zip(conformers, self.places, strict=True)]
        self.whole, self.values = np.concatenate(self.parts), np.concatenate([each.values for each in conformers])
        total, count = conformers[0].total, len(self.u)
        basis, start = free(count), total / count
        ridge = search.ridge**0.5 * np.eye(basis.shape[1])
        self.q, upper = np.linalg.qr(np.vstack([self.whole @ basis, ridge]))
        wanted = np.concatenate([self.values - start * self.whole.sum(axis=1), np.zeros(basis.shape[1])])
        within = self.q.T @ wanted
        self.charges = exact(start + basis @ np.linalg.solve(upper, within), total)
        self.residual: Array = wanted - self.q @ within

    def jacobian(self) -> Array:
        """d residual / d u, ``[points + charges, 3 sites]``."""
        moving = _moving(self.u, self.search.d_max)
        along = np.concatenate([self._along(*each, moving) for each in zip(*self._each(), strict=True)])
        flat = along.reshape(len(along), -1)
        padded = np.vstack([flat, np.zeros((len(self.residual) - len(flat), flat.shape[1]))])
        found: Array = self.q @ (self.q.T @ padded) - padded
        return found

    def _each(self) -> tuple[tuple[Potential, ...], list[Array], list[Array]]:
        return self.conformers, self.places, self.parts

    def _along(self, potential: Potential, places: Array, part: Array, moving: Array) -> Array:
        """d (A q) / d u of one conformer, ``[points, sites, 3]``."""
        apart = potential.points[:, None] - places
        slopes = (self.charges * part**3 / KCAL_ANGSTROM**2)[:, :, None] * apart  # d (A q) / d place
        if potential.axes is not None:
            moving = np.swapaxes(np.repeat(potential.axes, self.search.sites, axis=0), 1, 2) @ moving
        found: Array = np.einsum("gsx,sxu->gsu", slopes, moving)
        return found

    def sites(self) -> Sites:
        """As they are now."""
        shape = self.displacements.shape
        rmse = root_mean_square(self.whole @ self.charges - self.values)
        return Sites(self.charges.reshape(shape[:2]), self.places[0].reshape(shape), rmse, self.displacements)


def moved(u: Array, limit: float) -> Array:
    """limit tanh(|u|) u / |u|, ``[sites, 3]``.

    >>> moved(np.array([[0.0, 0.0, 50.0], [0.0, 0.0, 0.0]]), 0.35).tolist()
    [[0.0, 0.0, 0.35], [0.0, 0.0, 0.0]]
    """
    lengths = np.linalg.norm(u, axis=1, keepdims=True)
    factors: Array = np.where(lengths > 0, np.tanh(lengths) / np.where(lengths > 0, lengths, 1.0), 1.0)
    return limit * factors * u


def unmoved(displacements: Array, limit: float) -> Array:
    """The vectors u that `moved` brings to these displacements, ``[..., 3]``; those at the bound come off it a little.

    >>> unmoved(moved(np.array([[0.0, 0.0, 0.5]]), 0.35), 0.35).round(6).tolist()
    [[0.0, 0.0, 0.5]]
    """
    lengths = np.linalg.norm(displacements, axis=-1, keepdims=True)
    safe = np.where(lengths > 0, lengths, 1.0)
    found: Array = displacements / safe * np.arctanh(np.minimum(lengths / limit, _NEARLY))
    return found


def _moving(u: Array, limit: float) -> Array:
    """d moved / d u, ``[sites, 3, 3]``."""
    lengths = np.maximum(np.linalg.norm(u, axis=1), np.finfo(float).tiny ** 0.25)
    along = u / lengths[:, None]
    across = np.tanh(lengths) / lengths
    outer = along[:, :, None] * along[:, None, :]
    slope = 1 / np.cosh(np.minimum(lengths, 300.0)) ** 2  # beyond that it is zero in any precision
    found: Array = limit * (across[:, None, None] * (np.eye(3) - outer) + slope[:, None, None] * outer)
    return found
