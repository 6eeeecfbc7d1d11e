"""How well predicted charges describe each molecule, beside the best that charges of their kind could do for it.

Two bounds stand beside the error of a network: the least-squares charges at the atoms, and as many free sites as the
network has, both fitted to the very points that judge it. A network that sees geometry alone can at most come near.
Errors of potentials are in (kcal/mol)/e.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.data.columns import Array
from atomloom.elements import symbol
from atomloom.harmonizing import require
from atomloom.pipeline import Fitted, predict
from atomloom.progress import track
from atomloom_dcmnet.direct import Potential, Search, fit_sites
from atomloom_dcmnet.linear import fit_charges, root_mean_square
from atomloom_dcmnet.molecules import KCAL
from atomloom_dcmnet.pictures import Portrait
from atomloom_dcmnet.surfaces import nearest_atoms, scaled_distances

SHELLS = (0.0, 1.2, 1.4, 1.6, 1.8, 2.0, 3.0, np.inf)
"""Where distance shells begin and end, in van der Waals radii."""

QUANTILES = {"median": 50.0, "p75": 75.0, "p99": 99.0}
"""Percentiles over molecules that a summary has beside mean and max."""

STEPS = 40  # of the search for free sites, which begins at those of the network


class MoleculeErrors(NamedTuple):
    """One molecule.

    Args:
        frame: its number among the frames that were analysed.
        formula: such as ``"C2H6O"``.
        total_charge: in e.
        points: that count; `points_all` with those that do not.
        rmse, mae, largest: of the potential on the points that count, in (kcal/mol)/e.
        rmse_all, mae_all, largest_all: on all points.
        bound_atoms: RMSE of the best charges at the atoms, on the points that count.
        bound_sites: RMSE of the best free sites found, as many as the network has.
        dipole: length of the difference of the dipoles in e angstrom; NaN without a reference.
        quadrupole: root mean square over components in e angstrom^2; NaN without a reference.
        net_charge: by how much the charges miss the total charge, in e.
        displacement: the largest distance of a charge from its atom, in angstrom.
    """

    frame: int
    formula: str
    total_charge: float
    points: int
    points_all: int
    rmse: float
    mae: float
    largest: float
    rmse_all: float
    mae_all: float
    largest_all: float
    bound_atoms: float
    bound_sites: float
    dipole: float
    quadrupole: float
    net_charge: float
    displacement: float


class Part(NamedTuple):
    """The points near one element, or in one shell.

    Args:
        name: of the element or the shell.
        points: that count, with their rmse and mae in (kcal/mol)/e; NaN where none does.
        points_all: with those that do not count, and the errors of all of them.
    """

    name: str
    points: int
    rmse: float
    mae: float
    points_all: int
    rmse_all: float
    mae_all: float


@dataclass(frozen=True)
class Analysis:
    """What is known of the predictions for a data set.

    Args:
        molecules: one by one.
        elements: the points by the element of the nearest atom, nearest in van der Waals radii.
        shells: the points by that distance.
        reference, predicted: the potential at the points that count, in (kcal/mol)/e.
        charges, displacements: of all sites, in e and angstrom.
        portraits: the molecule with the largest error and one in the middle, to be drawn.
    """

    molecules: tuple[MoleculeErrors, ...]
    elements: tuple[Part, ...]
    shells: tuple[Part, ...]
    reference: Array = field(repr=False)
    predicted: Array = field(repr=False)
    charges: Array = field(repr=False)
    displacements: Array = field(repr=False)
    portraits: tuple[Portrait, ...] = field(repr=False)

    def of(self, name: str) -> NDArray[np.float64]:
        """One quantity of all molecules, ``[molecules]``."""
        return np.array([getattr(each, name) for each in self.molecules], float)

    def summary(self, name: str = "rmse") -> dict[str, float]:
        """Mean, median, p75, p99 and max over the molecules that have it; empty where none has."""
        values = self.of(name)
        return summarised(values[np.isfinite(values)])


def summarised(values: Array) -> dict[str, float]:
    """Mean, percentiles of `QUANTILES`, and max; nothing of nothing.

    >>> summarised(np.array([1.0, 2.0, 6.0]))["median"]
    2.0
    """
    if not len(values):
        return {}
    found = {name: float(np.percentile(values, at)) for name, at in QUANTILES.items()}
    return {"mean": float(values.mean()), **found, "max": float(values.max())}


def analyse(fitted: Fitted, dataset: Dataset) -> Analysis:
    """Predictions of a fitted network for data with `esp`, analysed."""
    whole = fitted.complete(dataset)
    require(whole, ("esp",), "analyse the potential of predicted charges")
    found = predict(fitted, whole)
    config = fitted.config
    frames = [
        _Frame(whole.take([n]).frame(0), found.take([n]).frame(0), config.n_dcm, float(fitted.state["d_max"]))
        for n in range(len(whole))
    ]
    molecules = [frame.errors(n) for n, frame in enumerate(track(frames, total=len(frames), label="analysing"))]
    errors, counts, nearest, distances = (
        np.concatenate([getattr(frame, name) for frame in frames])
        for name in ("error", "counts", "nearest", "distances")
    )
    return Analysis(
        molecules=tuple(molecules),
        elements=tuple(_part(symbol(int(z)), errors, counts, nearest == z) for z in np.unique(nearest)),
        shells=tuple(_shells(distances, errors, counts)),
        reference=np.concatenate([frame.reference[frame.counts] for frame in frames]),
        predicted=np.concatenate([(frame.reference + frame.error)[frame.counts] for frame in frames]),
        charges=np.concatenate([frame.charges.ravel() for frame in frames]),
        displacements=np.concatenate([frame.displacements.ravel() for frame in frames]),
        portraits=tuple(frames[n].portrait(n) for n in _typical(molecules)),
    )


def _typical(molecules: Sequence[MoleculeErrors]) -> tuple[int, ...]:
    """Which has the largest error, and which one in the middle."""
    judged = sorted((each for each in molecules if each.points), key=lambda each: -each.rmse)
    return tuple(dict.fromkeys(judged[place].frame for place in (0, len(judged) // 2))) if judged else ()


class _Frame:
    """One molecule with what is predicted for it."""

    def __init__(self, held: dict[str, Any], found: dict[str, Any], sites: int, d_max: float) -> None:
        self.held, self.found, self.sites, self.d_max = held, found, sites, d_max
        self.numbers, self.positions = held["Z"], np.asarray(held["R"], float)
        self.points = np.asarray(held["vdw_surface"], float)
        self.reference = KCAL * np.asarray(held["esp"], float)
        self.error = KCAL * np.asarray(found["esp"], float) - self.reference
        self.counts = np.asarray(held["esp_weight"]) > 0
        self.distances = scaled_distances(self.points, self.numbers, self.positions)
        self.nearest = self.numbers[nearest_atoms(self.points, self.numbers, self.positions)]
        self.charges = np.asarray(found["dcm_charges"], float)
        places = np.asarray(found["dcm_positions"], float)
        self.displacements = np.linalg.norm(places - self.positions[:, None], axis=2)

    def errors(self, number: int) -> MoleculeErrors:
        """Everything about it."""
        error, total = self.error[self.counts], float(self.held["total_charge"])
        counted = bool(len(error))
        bound_atoms, bound_sites = self._bounds(total) if counted else (np.nan, np.nan)
        return MoleculeErrors(
            frame=number,
            formula=formula(self.numbers),
            total_charge=total,
            points=len(error),
            points_all=len(self.error),
            rmse=root_mean_square(error) if counted else np.nan,
            mae=float(np.abs(error).mean()) if counted else np.nan,
            largest=float(np.abs(error).max()) if counted else np.nan,
            rmse_all=root_mean_square(self.error) if len(self.error) else np.nan,
            mae_all=float(np.abs(self.error).mean()) if len(self.error) else np.nan,
            largest_all=float(np.abs(self.error).max(initial=0.0)) if len(self.error) else np.nan,
            bound_atoms=bound_atoms,
            bound_sites=bound_sites,
            dipole=float(np.linalg.norm(self._off("D"))),
            quadrupole=root_mean_square(_traceless(self._off("quadrupole"))),
            net_charge=float(abs(self.charges.sum() - total)),
            displacement=float(self.displacements.max()),
        )

    def portrait(self, number: int) -> Portrait:
        """What is drawn of it."""
        counts = self.counts
        return Portrait(
            frame=number,
            formula=formula(self.numbers),
            numbers=self.numbers,
            positions=self.positions,
            points=self.points[counts],
            distances=self.distances[counts],
            reference=self.reference[counts],
            predicted=(self.reference + self.error)[counts],
            charges=self.charges.ravel(),
            places=np.asarray(self.found["dcm_positions"], float).reshape(-1, 3),
        )

    def _bounds(self, total: float) -> tuple[float, float]:
        """RMSE of the best charges at the atoms, and of the best sites that a search finds from those predicted."""
        points, values = self.points[self.counts], self.reference[self.counts]
        potential = Potential(self.positions, total, points, values)
        centred = fit_charges(points, values, self.positions, total).rmse
        search = Search(self.sites, self.d_max, starts=1, steps=STEPS)
        places = np.asarray(self.found["dcm_positions"], float)
        return centred, fit_sites(potential, search, begin=places).rmse

    def _off(self, name: str) -> Array:
        """Predicted less reference; NaN without one."""
        reference = self.held.get(name)
        predicted = np.asarray(self.found[name], float)
        return predicted - reference if reference is not None else np.full_like(predicted, np.nan)


def formula(numbers: Array) -> str:
    """Of a molecule, carbon and hydrogen first.

    >>> formula(np.array([8, 1, 6, 1, 1, 1]))
    'CH4O'
    """
    counts = {symbol(int(z)): int(n) for z, n in zip(*np.unique(numbers, return_counts=True), strict=True)}
    order = sorted(counts, key=lambda name: ({"C": 0, "H": 1}.get(name, 2), name))
    return "".join(name + (str(counts[name]) if counts[name] > 1 else "") for name in order)


def _shells(distances: Array, errors: Array, counts: Array) -> Sequence[Part]:
    """The points of each of `SHELLS` that has some."""
    found = []
    for low, high in pairwise(SHELLS):
        inside = (distances >= low) & (distances < high)
        if inside.any():
            name = f"{low:g} to {high:g}" if np.isfinite(high) else f"beyond {low:g}"
            found.append(_part(name, errors, counts, inside))
    return found


def _part(name: str, errors: Array, counts: Array, inside: Array) -> Part:
    """The points that are inside, of which some count."""
    return Part(name, *_sized(errors[inside & counts]), *_sized(errors[inside]))


def _sized(errors: Array) -> tuple[int, float, float]:
    """How many there are, their RMSE and MAE."""
    if not len(errors):
        return 0, np.nan, np.nan
    return len(errors), root_mean_square(errors), float(np.abs(errors).mean())


def _traceless(moment: Array) -> Array:
    rest: Array = moment - np.trace(moment) / 3 * np.eye(3)
    return rest
