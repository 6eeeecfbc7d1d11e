"""Very many molecules at once, of the sizes and elements of QM9, whose energy is known in closed form.

A molecule is a chain of atoms. Each has a constant by its element, and each two that follow each other are held by a
spring: E = sum_i e(Z_i) + sum_i k (|R_(i+1) - R_i| - r0)^2 / 2. The forces are its exact negative gradient.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from atomloom.data.columns import Array, Indices, offsets
from atomloom.examples.morse import ELEMENT_ENERGIES

SPRING: Final = 20.0
"""k, in eV/angstrom^2."""

LENGTH: Final = 1.4
"""r0, in angstrom."""

ENERGIES: Final = {**ELEMENT_ENERGIES, 9: -2713.0}
"""e by atomic number, in eV."""

_SHARES: Final = {1: 0.51, 6: 0.35, 7: 0.06, 8: 0.077, 9: 0.003}  # of the elements, as in QM9
_MEAN, _SPREAD, _FEWEST, _MOST = 18.0, 3.0, 3, 29  # atoms of a molecule, as in QM9
_SHAKE = 0.04  # angstrom, standard deviation of a distance


def make(frames: int, seed: int = 0) -> dict[str, Array]:
    """Molecules as people keep them: ``Z [frames, most]``, ``R`` and ``F [frames, most, 3]``, ``E`` and ``N [frames]``.

    Zeros fill up each molecule to the largest. Energies are in eV and float64, positions (angstrom) and forces
    (eV/angstrom) in float32.

    >>> made = make(2)
    >>> made["R"].shape[0], bool((made["Z"][0] > 0).sum() == made["N"][0])
    (2, True)
    """
    rng = np.random.default_rng(seed)
    atoms = np.clip(np.rint(rng.normal(_MEAN, _SPREAD, frames)), _FEWEST, _MOST).astype(np.int64)
    numbers = rng.choice(np.array(list(_SHARES), dtype=np.uint8), int(atoms.sum()), p=list(_SHARES.values()))
    positions = _chains(atoms, rng)
    energies, forces = energy_and_forces(numbers, positions, atoms)
    real = np.arange(atoms.max()) < atoms[:, None]
    padded = {"Z": np.zeros(real.shape, np.uint8), "R": np.zeros((*real.shape, 3), np.float32)}
    padded["F"] = np.zeros_like(padded["R"])
    for name, values in (("Z", numbers), ("R", positions), ("F", forces)):
        padded[name][real] = values
    return {**padded, "E": energies, "N": atoms}


def energy_and_forces(numbers: Array, positions: Array, atoms: Indices) -> tuple[Array, Array]:
    """The energy of each molecule in eV, and the forces on all atoms in eV/angstrom.

    Args:
        numbers, positions: of all atoms ``[atoms]``, ``[atoms, 3]``, one molecule behind the other.
        atoms: how many each molecule has.
    """
    owners = np.repeat(np.arange(len(atoms)), atoms)
    bonds = np.flatnonzero(owners[1:] == owners[:-1])
    vectors = positions[bonds + 1] - positions[bonds]
    lengths = np.linalg.norm(vectors, axis=1)
    stretch = lengths - LENGTH
    pull = vectors * (SPRING * stretch / lengths)[:, None]
    forces = np.zeros_like(positions)
    forces[bonds] += pull
    forces[bonds + 1] -= pull
    table = np.zeros(max(ENERGIES) + 1)
    table[list(ENERGIES)] = list(ENERGIES.values())
    energies = np.bincount(owners, table[numbers], len(atoms))
    energies += np.bincount(owners[bonds], SPRING * stretch**2 / 2, len(atoms))
    return energies, forces


def _chains(atoms: Indices, rng: np.random.Generator) -> Array:
    """Positions of all atoms: random walks, each from where its molecule begins."""
    steps = rng.normal(size=(int(atoms.sum()), 3))
    steps *= (rng.normal(LENGTH, _SHAKE, len(steps)) / np.linalg.norm(steps, axis=1))[:, None]
    walked = np.cumsum(steps, axis=0)
    found: Array = walked - np.repeat(walked[offsets(atoms)[:-1]], atoms, axis=0)
    return found
