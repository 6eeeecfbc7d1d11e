"""The molecule of the gallery: 4-nitrophenol from ideal bond lengths, with point charges and a surface."""

from __future__ import annotations

import numpy as np

from atomloom.report import Molecule
from atomloom.report.arrays import Array

KCAL = 332.0637
"""The energy of two unit charges one angstrom apart, in kcal/mol."""

WIDTH = 1.15
"""How far the density of an atom of the surface reaches, in angstrom."""

LEVEL = 0.22
"""The density at the surface, relative to that at an atom."""

_CHARGES = {"ring": -0.06, "H": 0.14, "N": 0.62, "O of NO2": -0.42, "O of OH": -0.56, "H of OH": 0.42, "C of OH": 0.24}


def molecule() -> tuple[Molecule, Array]:
    """The atoms, and their charges (atoms,) in e, which add up to zero."""
    numbers, places, charges = [], [], []

    def add(number: int, x: float, y: float, kind: str) -> None:
        numbers.append(number)
        places.append((x, y, 0.0))
        charges.append(_CHARGES[kind])

    for corner in range(6):
        angle = corner * np.pi / 3
        add(6, 1.39 * np.cos(angle), 1.39 * np.sin(angle), "C of OH" if corner == 3 else "ring")
        if corner not in (0, 3):
            add(1, 2.47 * np.cos(angle), 2.47 * np.sin(angle), "H")
    add(7, 2.86, 0.0, "N")
    add(8, 3.44, 1.08, "O of NO2")
    add(8, 3.44, -1.08, "O of NO2")
    add(8, -2.75, 0.0, "O of OH")
    add(1, -3.05, 0.91, "H of OH")
    total = np.array(charges)
    return Molecule(np.array(numbers), np.array(places)), total - total.mean()


def potential(points: Array, found: Molecule, charges: Array) -> Array:
    """The electrostatic potential of the charges at `points`, (points,) in kcal/mol/e."""
    distances = np.linalg.norm(points[:, None] - found.R, axis=-1)
    return np.asarray(KCAL * (charges / distances).sum(axis=1))


def surface(found: Molecule, fineness: int = 4) -> tuple[Array, Array]:
    """A smooth surface around the atoms: its corners (vertices, 3) in angstrom, and its triangles."""
    directions, triangles = _sphere(fineness)
    low, high = np.zeros(len(directions)), np.full(len(directions), 12.0)
    for _ in range(40):
        middle = (low + high) / 2
        inside = _density(directions * middle[:, None], found) > LEVEL
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return directions * high[:, None], triangles


def _density(points: Array, found: Molecule) -> Array:
    widths = np.where(found.Z == 1, WIDTH, 1.3 * WIDTH)
    distances = np.linalg.norm(points[:, None] - found.R, axis=-1)
    return np.asarray(np.exp(-((distances / widths) ** 2)).sum(axis=1))


def _sphere(fineness: int) -> tuple[Array, Array]:
    # An icosahedron, the middles of whose edges become corners again and again.
    golden = (1 + 5**0.5) / 2
    corners = [p for a in (-1, 1) for b in (-golden, golden) for p in ((0, a, b), (a, b, 0), (b, 0, a))]
    points = np.array(corners, dtype=float)
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    near = (apart > 0) & (apart < 2.1)
    faces = [
        (i, j, k) for i in range(12) for j in range(i) for k in range(j) if near[i, j] and near[j, k] and near[i, k]
    ]
    triangles = np.array(faces)
    for _ in range(fineness):
        edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        unique, which = np.unique(edges, axis=0, return_inverse=True)
        middle = which.reshape(-1, 3) + len(points)
        points = np.concatenate([points, points[unique].mean(axis=1)])
        a, b, c = triangles.T
        d, e, f = middle.T
        triangles = np.stack([[a, d, f], [d, b, e], [f, e, c], [d, e, f]]).transpose(0, 2, 1).reshape(-1, 3)
    return points / np.linalg.norm(points, axis=1, keepdims=True), triangles
