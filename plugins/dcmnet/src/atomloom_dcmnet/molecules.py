"""One molecule's potential out of a data set: which of its points count, and what its charge is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.harmonizing import require
from atomloom.units import factor
from atomloom_dcmnet.direct import Potential
from atomloom_dcmnet.linear import matrix
from atomloom_dcmnet.surfaces import scaled_distances

SHELL = (1.4, 2.0)
"""Where the points of a volume are used, in van der Waals radii."""

FIT_POINTS = 600
"""Points of a fit; those that are left judge it."""

_INSIDE = 1.0  # radii; points that are nearer belong to a volume, and to no surface around a molecule
_WHOLE = 0.1  # how far a fitted total charge may be from the whole number that it stands for, in e
_LEFT = 4  # of so many points one is kept to judge a fit, where there are few

KCAL = factor("hartree", "kcal/mol")
"""One hartree/e, in (kcal/mol)/e."""


class Drawn(NamedTuple):
    """Points to fit to, and those that are left."""

    fitted: NDArray[np.int64]
    held_out: NDArray[np.int64]


class Subject(NamedTuple):
    """What is fitted.

    Args:
        numbers: of the atoms.
        potential: at the points that count.
        shell: limits within which points of a volume were taken, in van der Waals radii, or None for all points.
    """

    numbers: NDArray[Any]
    potential: Potential
    shell: tuple[float, float] | None


def subject(
    dataset: Dataset, frame: int = 0, charge: float | None = None, shell: tuple[float, float] | None = None
) -> Subject:
    """The potential of one frame.

    Points that reach into the molecule, as those of a cube do, are taken within `SHELL` unless `shell` says otherwise;
    points that lie around it are all taken.

    Args:
        charge: of the molecule in e, for data that do not say it; else it is what charges at the atoms add up to when
            they are fitted without a constraint, if that is nearly a whole number.
    """
    require(dataset, ("Z", "R", "vdw_surface", "esp"), "fit charges to a potential")
    if not 0 <= frame < len(dataset):
        found = f"there are {len(dataset)} frames, the first of which is 0"
        raise DataError(f"fit charges to frame {frame}", found, f"Choose one up to {len(dataset) - 1}")
    held = dataset.take([frame])
    positions, numbers = np.asarray(held["R"], float), held["Z"]
    points, values = np.asarray(held["vdw_surface"], float), KCAL * np.asarray(held["esp"], float)
    distances = scaled_distances(points, numbers, positions)
    limits = shell or (SHELL if len(distances) and distances.min() < _INSIDE else None)
    if limits is not None:
        kept = (distances >= limits[0]) & (distances <= limits[1])
        points, values = points[kept], values[kept]
    if len(points) < _LEFT:
        within = "" if limits is None else f" from {limits[0]:g} to {limits[1]:g} van der Waals radii"
        found = f"it has {len(points)} points{within}"
        raise DataError(f"fit charges to frame {frame}", found, "Bring more points, or widen the shell with --shell")
    total = held["total_charge"][0] if "total_charge" in held else charge
    total = _total(points, values, positions) if total is None else float(total)
    return Subject(numbers, Potential(positions, total, points, values), limits)


def drawn(count: int, fit_points: int = FIT_POINTS, seed: int = 0) -> Drawn:
    """Points to fit to, drawn at random; a quarter of them at least is left to judge the fit by.

    >>> [len(part) for part in drawn(1000)], [len(part) for part in drawn(100)]
    ([600, 400], [75, 25])
    """
    most = count - -(-count // _LEFT)
    chosen = np.random.default_rng(seed).choice(count, min(fit_points, most), replace=False)
    return Drawn(np.sort(chosen), np.setdiff1d(np.arange(count), chosen))


def _total(points: NDArray[Any], values: NDArray[Any], positions: NDArray[Any]) -> float:
    """The whole number that free charges at the atoms add up to."""
    free = float(np.linalg.lstsq(matrix(points, positions), values, rcond=None)[0].sum())
    if abs(free - round(free)) > _WHOLE:
        found = f"the data hold no total_charge, and the potential fits one of {free:.2f}"
        raise DataError("fit charges that add up to the charge of the molecule", found, "Give it with --charge")
    return float(round(free))
