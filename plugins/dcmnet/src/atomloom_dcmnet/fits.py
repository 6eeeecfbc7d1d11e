"""Fits of molecules as plain data: what ``atomloom dcmnet fit`` prints and keeps, and what ``export`` reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from atomloom.errors import DataError
from atomloom_dcmnet.conformers import Conformers
from atomloom_dcmnet.direct import Search, Sites
from atomloom_dcmnet.linear import Array, fit_columns, matrix, root_mean_square
from atomloom_dcmnet.local_frames import Frame, LocalAxes, LocalModel
from atomloom_dcmnet.molecules import Drawn

Rows = list[list[float]]


class ConformerFit(msgspec.Struct, frozen=True, kw_only=True):
    """One of several conformers.

    Args:
        frame: its number in the data.
        rmse_heldout: on its points that the fit has not seen, in (kcal/mol)/e.
        R, positions: of its atoms and of their charges, in angstrom.
    """

    frame: int
    rmse_heldout: float
    R: Rows
    positions: list[Rows]


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a fit found. Errors are in `unit`, lengths in angstrom, charges in e.

    Args:
        rmse_heldout, rmse_heldout_atom_charges: on points that the fit has not seen, of its charges and of one charge
            at each atom.
        rmse_fit: on the points of the fit.
        shell: limits within which points of a volume were taken, in van der Waals radii.
        Z, R: of the atoms, in the first conformer.
        charges, positions: of the sites of each atom, in the first conformer.
        frames: the atoms whose positions give axes, the first of which that has an atom gives it its own.
        conformers: each of them, where several were fitted jointly.
    """

    rmse_heldout: float
    rmse_fit: float
    rmse_heldout_atom_charges: float
    unit: str = "(kcal/mol)/e"
    sites_per_atom: int
    d_max: float
    largest_displacement: float
    total_charge: float
    sum_of_charges: float
    fit_points: int
    heldout_points: int
    shell: tuple[float, float] | None
    Z: list[int]
    R: Rows
    charges: Rows
    positions: list[Rows]
    frames: list[list[int]]
    conformers: list[ConformerFit] = []

    @property
    def model(self) -> LocalModel:
        """The charges in the axes of the atoms."""
        axes = LocalAxes.of_frames(tuple(Frame(tuple(atoms)) for atoms in self.frames))
        return LocalModel.of(axes, np.array(self.R), np.array(self.charges), np.array(self.positions))


def read_fit(path: Path) -> Fit:
    """What ``atomloom dcmnet fit`` kept in a file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Fit)
    except msgspec.MsgspecError as error:
        todo = "Name a file that `atomloom dcmnet fit --out` wrote"
        raise DataError(f"read '{path}' as a fit of charges", str(error), todo) from error


def told(found: Conformers, frames: Sequence[int], points: Sequence[Drawn], search: Search, sites: Sites) -> Fit:
    """What is to be said of a fit to the drawn points of each conformer."""
    seen = [each.potential.at(part.fitted) for each, part in zip(found.subjects, points, strict=True)]
    judged = [each.potential.at(part.held_out) for each, part in zip(found.subjects, points, strict=True)]
    columns = np.concatenate([matrix(each.points, each.positions) for each in seen])
    centred = fit_columns(columns, _joined([each.values for each in seen]), seen[0].total, search.ridge).charges
    left = [matrix(each.points, each.positions) @ centred - each.values for each in judged]
    errors = [sites.error(each) for each in judged]
    places = [each.places(sites.displacements) for each in judged]
    several = [
        ConformerFit(frame=frame, rmse_heldout=root_mean_square(e), R=p.positions.tolist(), positions=at.tolist())
        for frame, e, p, at in zip(frames, errors, judged, places, strict=True)
    ]
    first = found.subjects[0]
    return Fit(
        rmse_heldout=root_mean_square(_joined(errors)),
        rmse_fit=sites.rmse,
        rmse_heldout_atom_charges=root_mean_square(_joined(left)),
        sites_per_atom=search.sites,
        d_max=search.d_max,
        largest_displacement=float(np.linalg.norm(sites.displacements, axis=2).max()),
        total_charge=first.potential.total,
        sum_of_charges=float(sites.charges.sum()),
        fit_points=sum(len(part.fitted) for part in points),
        heldout_points=sum(len(part.held_out) for part in points),
        shell=first.shell,
        Z=first.numbers.tolist(),
        R=first.potential.positions.tolist(),
        charges=sites.charges.tolist(),
        positions=sites.places.tolist(),
        frames=[list(frame.atoms) for frame in found.axes.frames],
        conformers=several if len(several) > 1 else [],
    )


def _joined(parts: Sequence[Array]) -> Array:
    return np.concatenate(parts)
