"""Displacements of whole states: how F of a state changes when the B, or the U, of all its atoms changes by one amount.

An isotropic change multiplies F_g(h) by exp(-dB s^2 / 4), s = 1 / d. An anisotropic one multiplies what each symmetry
operation R adds to F_g by exp(-2 pi^2 s' dU s), with s = h R in cartesian coordinates.
"""

from __future__ import annotations

from typing import Protocol

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.states import Network
from atomloom_occupancy.structure import atoms_of
from atomloom_occupancy.structure_factors import Calculator, images
from atomloom_occupancy.transform import Complex

EIGHT_PI2 = 8 * np.pi**2
LEAST_B = 1.0
"""The lowest B, in angstrom^2, that a change may lead to; the lowest in the file where that is lower."""

MOST_B = 300.0
"""The largest change of B, in angstrom^2."""

SETTLED_B = 1e-4
"""A displacement that moves by less than this, in angstrom^2 of B, does not move."""

_LITTLE = 1e-8

COMPONENTS = ("11", "22", "33", "12", "13", "23")


class Displacement(Protocol):
    """A kind of change with `size` parameters for each state; `settled` is `SETTLED_B` in their unit."""

    size: int
    settled: float
    lower: Array
    upper: Array

    def factors(self, change: Array) -> Complex:
        """(states, reflections) F of each state at occupancy one, its displacement changed by (states, size)."""

    def slopes(self, change: Array, occupancy: Array) -> Complex:
        """(states * size, reflections) the derivatives of F_calc by the changes."""

    def broken(self, change: Array) -> list[tuple[Array, float]]:
        """Rows and the least of their products with the flat change that a possible one has and this one has not."""


class Isotropic:
    """One dB, in angstrom^2, for each state.

    Args:
        states: (states, reflections) F of each state at occupancy one.
        d: (reflections,) resolution.
        lowest: (states,) the lowest B of the atoms of each.
    """

    size = 1
    settled = SETTLED_B

    def __init__(self, states: Complex, d: Array, lowest: Array) -> None:
        self._states, self._quarter = states, -0.25 / d**2
        self.lower = (np.minimum(LEAST_B, lowest) - lowest)[:, None]
        self.upper = np.full((len(states), 1), MOST_B)

    def factors(self, change: Array) -> Complex:
        """See `Displacement`."""
        return np.asarray(self._states * np.exp(change * self._quarter))

    def slopes(self, change: Array, occupancy: Array) -> Complex:
        """See `Displacement`."""
        return np.asarray(occupancy[:, None] * self._quarter * self.factors(change))

    def broken(self, change: Array) -> list[tuple[Array, float]]:
        """Nothing between `lower` and `upper`."""
        return []


class Anisotropic:
    """Six components of dU, in angstrom^2, for each state.

    Args:
        parts: (states, operations, reflections) what every operation adds to F of a state.
        forms: (operations, reflections, 6) such that their product with dU is -2 pi^2 s' dU s.
        present: for each state (atoms, 3, 3) the U of its atoms.
    """

    size = 6
    settled = SETTLED_B / EIGHT_PI2

    def __init__(self, parts: Complex, forms: Array, present: list[Array]) -> None:
        self._parts, self._forms, self._present = parts, forms, present
        self._least = [min(_lowest(u), LEAST_B / EIGHT_PI2) for u in present]
        self.upper = np.full((len(parts), 6), MOST_B / EIGHT_PI2)
        self.lower = -self.upper

    def factors(self, change: Array) -> Complex:
        """See `Displacement`."""
        return np.array([np.sum(part, axis=0) for part in self._each(change)])

    def slopes(self, change: Array, occupancy: Array) -> Complex:
        """See `Displacement`."""
        pairs = zip(occupancy, self._each(change), strict=True)
        return np.concatenate([q * np.einsum("or,ork->kr", part, self._forms) for q, part in pairs])

    def broken(self, change: Array) -> list[tuple[Array, float]]:
        """For every state with an atom whose U is not positive, that it be so where it is worst."""
        rows = []
        for state, (u, least) in enumerate(zip(self._present, self._least, strict=True)):
            values, vectors = np.linalg.eigh(u + _matrix(change[state]))
            worst = int(np.argmin(values[:, 0]))
            if values[worst, 0] < least - _LITTLE:
                v = vectors[worst, :, 0]
                row = np.zeros(change.shape)
                row[state] = [*v**2, 2 * v[0] * v[1], 2 * v[0] * v[2], 2 * v[1] * v[2]]
                rows.append((row.ravel(), float(least - v @ u[worst] @ v)))
        return rows

    def _each(self, change: Array) -> list[Complex]:
        return [part * np.exp(self._forms @ row) for part, row in zip(self._parts, change, strict=True)]


KINDS = ("iso", "aniso")
"""What `displacement_of` makes."""


def displacement_of(
    structure: gemmi.Structure, network: Network, states: Complex, hkl: Array, kind: str
) -> Displacement:
    """The displacements of the states of a model.

    Args:
        structure: the model.
        network: its states.
        states: (states, reflections) their F.
        hkl: (reflections, 3)
        kind: of `KINDS`.
    """
    hkl = np.ascontiguousarray(hkl, dtype=np.int32)
    atoms = atoms_of(structure)
    present = [np.array([_u(atoms[number].atom) for number in state.atoms]) for state in network.states]
    if kind == "iso":
        lowest = np.array([_lowest(u) * EIGHT_PI2 for u in present])
        return Isotropic(states, np.asarray(structure.cell.calculate_d_array(hkl)), lowest)
    calculator = Calculator(structure, hkl)
    parts = np.array([calculator.of_images(state.atoms, np.ones(len(state.atoms))) for state in network.states])
    moved = images(structure.find_spacegroup(), hkl)[0] @ np.array(structure.cell.frac.mat.tolist())
    x, y, z = np.moveaxis(moved, -1, 0)
    forms = -2 * np.pi**2 * np.stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z], axis=-1)
    return Anisotropic(parts, forms, present)


def mean_b(change: Array) -> Array:
    """(states,) what (states, 1) changes of B or (states, 6) changes of U come to in B."""
    return np.asarray(change[:, 0] if change.shape[1] == 1 else change[:, :3].mean(axis=1) * EIGHT_PI2)


def displaced(structure: gemmi.Structure, network: Network, change: Array) -> gemmi.Structure:
    """A copy of the model with the displacements of its states changed by (states, 1) dB or (states, 6) dU."""
    copy = structure.clone()
    atoms = atoms_of(copy)
    for state, row in zip(network.states, change, strict=True):
        shift = _matrix(row) if len(row) == 6 else np.eye(3) * row[0] / EIGHT_PI2
        for number in state.atoms:
            atom = atoms[number].atom
            if len(row) == 6 or atom.aniso.nonzero():
                u = _u(atom) + shift
                atom.aniso = gemmi.SMat33f(u[0, 0], u[1, 1], u[2, 2], u[0, 1], u[0, 2], u[1, 2])
            atom.b_iso += float(np.trace(shift)) / 3 * EIGHT_PI2
    return copy


def _u(atom: gemmi.Atom) -> Array:
    """(3, 3) the U of an atom in angstrom^2."""
    if atom.aniso.nonzero():
        return np.array(atom.aniso.as_mat33().tolist())
    return np.eye(3) * atom.b_iso / EIGHT_PI2


def _matrix(row: Array) -> Array:
    a, b, c, d, e, f = row
    return np.array([[a, d, e], [d, b, f], [e, f, c]])


def _lowest(u: Array) -> float:
    return float(np.linalg.eigvalsh(u).min())
