"""Chains of alpha carbons whose force field is known, sampled by Langevin dynamics: data to try everything on.

Neighbours are held at 3.8 angstrom by springs, next neighbours at 5.6, and beads further apart repel each other as
``EPSILON (SIGMA / r)^8``, with a factor for each amino acid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from atomloom.data import Dataset

Array = NDArray[np.float64]

BOND, ANGLE = (2.0, 3.8), (0.2, 5.6)
"""Springs to neighbours and next neighbours: eV/angstrom^2 and rest length in angstrom."""

EPSILON, SIGMA, POWER = 0.02, 6.0, 8
"""Repulsion: eV, angstrom, exponent."""

FACTORS: Final = {"ALA": 0.8, "GLY": 0.4, "LEU": 1.2, "LYS": 1.6, "TRP": 2.4}
"""By how much an amino acid repels more."""

TEMPERATURE: Final = 0.0257
"""k T in eV, at 298 K."""

_STEP, _BETWEEN, _WARM = 2e-3, 40, 400
"""Of overdamped dynamics with unit mobility: time step, steps between frames, steps before the first."""


def chains(
    frames: int, lengths: Sequence[int], seed: int, noise: float = 0.0, sequence_seed: int | None = None
) -> Dataset:
    """Frames of one protein for each length, one trajectory behind the other, with forces in eV/angstrom.

    Args:
        frames: of each protein.
        lengths: residues of each.
        seed: of sequences, dynamics and noise.
        noise: standard deviation of what is added to each component of F, as forces that were mapped from atoms to
            beads have it; those without are then ``F_mean``.
        sequence_seed: of the sequences alone, for other trajectories of the same proteins.
    """
    random = np.random.default_rng(seed)
    naming = random if sequence_seed is None else np.random.default_rng(sequence_seed)
    made: list[dict[str, npt.ArrayLike]] = []
    for number, length in enumerate(lengths):
        names = naming.choice(list(FACTORS), size=length)
        fixed = {"Z": np.full(length, 6), "resid": np.arange(1, length + 1), "resname": names}
        for R, mean in _trajectory(names, frames, random):
            F = {"F": mean + random.normal(scale=noise, size=mean.shape), "F_mean": mean} if noise else {"F": mean}
            made.append({"R": R, **F, **fixed, "protein_id": f"chain{number}"})
    return Dataset.from_frames(made, meta={"level_of_theory": "springs and repulsion of alpha carbons", "seed": seed})


def _trajectory(names: Array, frames: int, random: np.random.Generator) -> list[tuple[Array, Array]]:
    """Positions and forces, some steps apart."""
    turn, rise = np.deg2rad(100.0) * np.arange(len(names)), 1.5 * np.arange(len(names))
    R = np.stack([2.3 * np.cos(turn), 2.3 * np.sin(turn), rise], axis=1)  # a helix
    noise = np.sqrt(2.0 * TEMPERATURE * _STEP)
    found = []
    for step in range(_WARM + frames * _BETWEEN):
        F = forces(R, names)
        if step >= _WARM and (step - _WARM) % _BETWEEN == 0:
            found.append((R.copy(), F))
        R = R + _STEP * F + noise * random.normal(size=R.shape)
    return found


def forces(R: Array, names: Sequence[str] | Array) -> Array:
    """The forces on a chain ``[residues, 3]`` in eV/angstrom, the negative gradient of `energy`."""
    vectors, distances, factors, apart = _geometry(R, names)
    slopes = np.zeros_like(distances)
    for number, (stiffness, rest) in enumerate((BOND, ANGLE), start=1):
        slopes += np.where(apart == number, stiffness * (distances - rest), 0.0)
    slopes += np.where(apart > 2, -POWER * EPSILON * factors * SIGMA**POWER / distances ** (POWER + 1), 0.0)
    total: Array = ((slopes / distances)[..., None] * vectors).sum(axis=1)
    return total


def energy(R: Array, names: Sequence[str] | Array) -> float:
    """The energy of a chain in eV."""
    _, distances, factors, apart = _geometry(R, names)
    total = np.where(apart > 2, EPSILON * factors * (SIGMA / distances) ** POWER, 0.0)
    for number, (stiffness, rest) in enumerate((BOND, ANGLE), start=1):
        total += np.where(apart == number, stiffness * (distances - rest) ** 2 / 2, 0.0)
    return float(total.sum() / 2)


def _geometry(R: Array, names: Sequence[str] | Array) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Vectors to all other beads, their lengths (1 for a bead itself), factors, and places apart."""
    vectors = R[None] - R[:, None]
    distances = np.sqrt(np.square(vectors).sum(axis=-1)) + np.eye(len(R))
    factor = np.array([FACTORS[str(name)] for name in names])
    apart = np.abs(np.arange(len(R))[:, None] - np.arange(len(R)))
    return vectors, distances, np.sqrt(factor[:, None] * factor), apart
