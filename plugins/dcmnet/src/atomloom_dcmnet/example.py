"""Small made-up cases for the conformance kit: the potential of known charges beside atoms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomloom.data import Dataset
from atomloom.testing.examples import charged_molecules
from atomloom.units import factor
from atomloom_dcmnet.completing import completed
from atomloom_dcmnet.config import ModelConfig
from atomloom_dcmnet.surfaces import surface

if TYPE_CHECKING:
    from atomloom.runs import Run

BOHR = factor("bohr", "angstrom")
_SITES, _AWAY = 2, 0.2  # angstrom


def example() -> tuple[ModelConfig, Dataset]:
    """Options of a small model, and molecules with potentials."""
    config = ModelConfig(features=8, layers=1, basis_functions=4)
    return config, completed(surfaces(), config)


def surfaces(density: float = 0.05) -> Dataset:
    """Molecules whose potential, dipole and quadrupole are those of two random charges near each atom.

    Args:
        density: points on each square angstrom of the surfaces.
    """
    random, base = np.random.default_rng(0), charged_molecules()
    frames = []
    for number in range(len(base)):
        held = base.take([number])
        places = held["R"][:, None] + random.uniform(-_AWAY, _AWAY, size=(len(held["R"]), _SITES, 3)) / 3**0.5
        charges = held["mono"][:, None] / _SITES + random.normal(scale=0.1, size=(len(held["R"]), 1)) * [1, -1]
        points = np.concatenate([surface(held["Z"], held["R"], scale, density) for scale in (1.4, 2.0)])
        frames.append(
            {
                **{name: held[name] for name in ("Z", "R", "mono")},
                "total_charge": float(held["total_charge"][0]),
                "total_spin": 1,
                "vdw_surface": points,
                "esp": point_charge_potential(points, charges.ravel(), places.reshape(-1, 3)),
                "D": np.einsum("ik,ikx->x", charges, places),
                "quadrupole": _quadrupole(charges.ravel(), places.reshape(-1, 3)),
                "dcm_charges": charges,
            }
        )
    return Dataset.from_frames(frames)


def run(folder: Path, /) -> tuple[Run, Dataset]:
    """A finished run of a small model, and molecules to judge it by."""
    from atomloom.pipeline import fit
    from atomloom.registry import registry
    from atomloom.testing.fitting import job_for

    config, dataset = example()
    job = job_for(registry().get("models", "dcmnet:dcmnet"), config, dataset.without("esp_weight"), folder)
    return fit(job, folder / "run", quiet=True)[0], dataset[:2]


def point_charge_potential(points: np.ndarray, charges: np.ndarray, places: np.ndarray) -> np.ndarray:
    """0.5292 angstrom times the sum of q / r, in hartree/e ``[points]``, in double precision.

    >>> point_charge_potential(np.array([[0.0, 0.0, BOHR]]), np.array([0.5]), np.zeros((1, 3))).tolist()
    [0.5]
    """
    apart = np.linalg.norm(points[:, None] - places, axis=2)
    values: np.ndarray = BOHR * (charges / apart).sum(axis=1)
    return values


def _quadrupole(charges: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The sum of q (3 r r - r^2) / 2, in e angstrom^2."""
    second = np.einsum("s,sx,sy->xy", charges, places, places)
    moment: np.ndarray = (3 * second - np.trace(second) * np.eye(3)) / 2
    return moment
