"""Molecules whose energy is known in closed form, so that a fit to them can be judged.

Small molecules are shaken out of their equilibrium geometry. The energy is a Morse potential D (1 - exp(-a (r - r0)))^2
of every bond, a spring k (d - d0)^2 / 2 between atoms that are bonded to a common neighbour, and a constant for each
element.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset

Array = NDArray[Any]

WELL_DEPTH = 4.5
"""D of every bond, in eV."""

STEEPNESS = 2.0
"""a of every bond, in 1/angstrom."""

SPRING = 3.0
"""k between neighbours of one atom, in eV/angstrom^2."""

ELEMENT_ENERGIES = {1: -13.6, 6: -1030.0, 7: -1485.0, 8: -2041.0}
"""The constant of each element, in eV: of the size that quantum chemistry gives."""


class Molecule(NamedTuple):
    """Atomic numbers, equilibrium positions in angstrom, and the bonds."""

    numbers: tuple[int, ...]
    positions: tuple[tuple[float, float, float], ...]
    bonds: tuple[tuple[int, int], ...]


_TETRAHEDRON = ((0.629, 0.629, 0.629), (-0.629, -0.629, 0.629), (-0.629, 0.629, -0.629), (0.629, -0.629, -0.629))

MOLECULES = {
    "water": Molecule((8, 1, 1), ((0.0, 0.0, 0.0), (0.757, 0.586, 0.0), (-0.757, 0.586, 0.0)), ((0, 1), (0, 2))),
    "ammonia": Molecule(
        (7, 1, 1, 1),
        ((0.0, 0.0, 0.0), (0.94, 0.0, 0.38), (-0.47, 0.814, 0.38), (-0.47, -0.814, 0.38)),
        ((0, 1), (0, 2), (0, 3)),
    ),
    "methane": Molecule((6, 1, 1, 1, 1), ((0.0, 0.0, 0.0), *_TETRAHEDRON), ((0, 1), (0, 2), (0, 3), (0, 4))),
}
"""The molecules, with geometries close to the measured ones."""


def make(frames: int, seed: int, *, shake: float = 0.06) -> Dataset:
    """A data set of shaken molecules with energies in eV and forces in eV/angstrom.

    Args:
        shake: standard deviation of every coordinate, in angstrom.
    """
    random = np.random.default_rng(seed)
    kinds = list(MOLECULES.values())
    made = []
    for kind in random.integers(len(kinds), size=frames):
        molecule = kinds[kind]
        positions = np.array(molecule.positions) + random.normal(scale=shake, size=(len(molecule.numbers), 3))
        energy, forces = energy_and_forces(molecule, positions)
        made.append({"Z": np.array(molecule.numbers), "R": positions, "E": np.array(energy), "F": forces})
    return Dataset.from_frames(made, meta={"level_of_theory": "Morse bonds and springs", "seed": seed})


def energy_and_forces(molecule: Molecule, positions: Array) -> tuple[float, Array]:
    """The energy of a geometry in eV, and its negative gradient in eV/angstrom."""
    rest = np.array(molecule.positions)
    forces = np.zeros_like(positions)
    energy = sum(ELEMENT_ENERGIES[number] for number in molecule.numbers)
    for i, j in molecule.bonds:
        vector, length, stretch = _stretch(i, j, positions, rest)
        decay = np.exp(-STEEPNESS * stretch)
        energy += WELL_DEPTH * (1.0 - decay) ** 2
        _pull(forces, i, j, vector / length * 2 * WELL_DEPTH * STEEPNESS * (1.0 - decay) * decay)
    for i, j in _common_neighbours(molecule.bonds):
        vector, length, stretch = _stretch(i, j, positions, rest)
        energy += 0.5 * SPRING * stretch**2
        _pull(forces, i, j, vector / length * SPRING * stretch)
    return float(energy), forces


def _stretch(i: int, j: int, positions: Array, rest: Array) -> tuple[Array, float, float]:
    vector = positions[j] - positions[i]
    length = float(np.linalg.norm(vector))
    return vector, length, length - float(np.linalg.norm(rest[j] - rest[i]))


def _pull(forces: Array, i: int, j: int, gradient: Array) -> None:
    """Adds the forces of a term whose derivative by the position of j is `gradient`."""
    forces[i] += gradient
    forces[j] -= gradient


def _common_neighbours(bonds: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    ends = [{i, j} for i, j in bonds]
    pairs = {tuple(sorted(a ^ b)) for a in ends for b in ends if len(a & b) == 1}
    return sorted((i, j) for i, j in pairs)
