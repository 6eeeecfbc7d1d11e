"""Points, surfaces and molecules in space: what both kinds of plots draw, and from where one looks at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atomloom.report import Points3D, Surface3D
from atomloom.report.arrays import Array
from atomloom_report import elements
from atomloom_report.scales import ColorScale, color_scale

TILT = np.deg2rad([-18.0, 24.0])
"""How far the view is turned about the horizontal and the upright axis, so that depth is seen."""


DOT = 0.06
"""The radius of an atom of a slim molecule, in angstrom."""

FARTHEST = 1e30
"""In angstrom; what is farther away is nowhere, as infinity is, and its square still fits into a float."""


@dataclass(frozen=True)
class Scene:
    """What is drawn, with coordinates as they are seen: x to the right, y up, z towards the viewer; in angstrom.

    Args:
        points: (points, 3), the corners if there are triangles.
        triangles: (triangles, 3) indices of points, none for a cloud of points.
        values: (points,), NaN for a point without one; None where nothing is coloured.
        scale: of the colours, None without values.
        numbers: (atoms,) atomic numbers.
        positions: (atoms, 3)
        sizes: (atoms,) radii as they are drawn.
        slim: whether bonds are lines.
        bonds: (bonds, 2) indices of atoms.
        radius: of a ball around the origin that holds everything.
    """

    points: Array
    triangles: Array
    values: Array | None
    scale: ColorScale | None
    numbers: Array
    positions: Array
    sizes: Array
    slim: bool
    bonds: Array
    radius: float

    @property
    def empty(self) -> bool:
        """Whether there is neither a point nor an atom."""
        return not self.points.size and not self.positions.size


def scene(figure: Points3D | Surface3D) -> Scene:
    """The scene of a figure, centred and turned so that its longest direction lies across and its shortest in depth."""
    places = figure.points if isinstance(figure, Points3D) else figure.vertices
    triangles = np.empty((0, 3), np.int64) if isinstance(figure, Points3D) else figure.triangles
    values = figure.values
    numbers, positions = _atoms(figure)
    slim = figure.molecule is not None and figure.molecule.slim
    places, triangles, values = _finite(places, triangles, values)
    turned = _turned(np.concatenate([places, positions]))
    numbers = numbers if positions.size else np.empty(0, np.int64)
    scale = None if values is None else color_scale(values, figure.color, figure.centre, figure.reach)
    shown = None if values is None or scale is None else np.where(figure.color.shows(values), values, np.nan)
    return Scene(
        points=turned[: len(places)],
        triangles=triangles,
        values=shown,
        scale=scale,
        numbers=numbers,
        positions=turned[len(places) :],
        sizes=np.full(len(numbers), DOT) if slim else elements.SHARE * elements.radii(numbers),
        slim=slim,
        bonds=elements.bonds(numbers, positions),
        radius=float(np.linalg.norm(turned, axis=1).max(initial=1.0)),
    )


def _atoms(figure: Points3D | Surface3D) -> tuple[Array, Array]:
    if figure.molecule is None:
        return np.empty(0, np.int64), np.empty((0, 3))
    there = (np.abs(figure.molecule.R) < FARTHEST).all(axis=1)
    return figure.molecule.Z[there], figure.molecule.R[there]


def _finite(places: Array, triangles: Array, values: Array | None) -> tuple[Array, Array, Array | None]:
    there = np.asarray((np.abs(places) < FARTHEST).all(axis=1))
    new = np.cumsum(there) - 1
    whole = there[triangles].all(axis=1) if triangles.size else np.empty(0, bool)
    return (
        places[there],
        new[triangles[whole]] if triangles.size else triangles,
        None if values is None else values[there],
    )


def _turned(places: Array) -> Array:
    if not places.size:
        return places
    centred = places - places.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1]  # the longest first
    # Which way an axis points is left open by the decomposition: its largest component decides, always the same way.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), range(3)])
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    (sx, sy), (cx, cy) = np.sin(TILT), np.cos(TILT)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return np.asarray(centred @ axes @ (about_x @ about_y).T)
