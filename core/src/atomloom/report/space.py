"""Figures in space: points around a molecule, and surfaces on it. All lengths are in angstrom."""

from __future__ import annotations

from typing import Self

import numpy as np

from atomloom.errors import DataError
from atomloom.report.arrays import Array, floats, integers
from atomloom.report.axes import Axis, left_out
from atomloom.report.categories import summary
from atomloom.report.figure import Figure
from atomloom.report.piece import Piece, agree
from atomloom.report.thinning import scattered


class Molecule(Piece, frozen=True):
    """The atoms to draw.

    Args:
        Z: atomic numbers (atoms,).
        R: positions (atoms, 3) in angstrom.
        slim: atoms are drawn as mere dots and bonds as lines, so that points within atoms are seen.
    """

    Z: Array
    R: Array
    slim: bool = False

    def __post_init__(self) -> None:
        """Copy the arrays and check their lengths."""
        self._settle(Z=integers(self.Z, "Z of the molecule"), R=floats(self.R, "R of the molecule", (None, 3)))
        agree("the molecule", Z=self.Z.size, R=len(self.R))

    @property
    def formula(self) -> str:
        """How many atoms there are of each atomic number, heaviest first."""
        numbers, counts = np.unique(self.Z, return_counts=True)
        return ", ".join(f"{n} of Z={z}" for z, n in zip(numbers[::-1], counts[::-1], strict=True))


class _InSpace(Figure, frozen=True, kw_only=True):
    molecule: Molecule | None = None
    values: Array | None = None
    color: Axis = Axis()
    centre: float | None = None
    reach: float | None = None

    def _settle_values(self, points: Array) -> None:
        if self.values is not None:
            values = floats(self.values, f"the values of {self.title!r}")
            agree(f"the figure {self.title!r}", points=len(points), values=values.size)
            self._settle(values=values)
        if self.statistics is None and self.values is not None:
            self._settle(statistics=summary(self.values, self.color))

    def _missing(self, points: Array, things: str) -> tuple[str, ...]:
        nowhere = np.where(np.isfinite(points).all(axis=1), 0.0, np.nan)
        notes = left_out("", (Axis(), nowhere), things=things)
        if self.values is not None and len(points):
            notes += left_out(self.color.label, (self.color, self.values), things=things)
        return notes


class Points3D(_InSpace, frozen=True, kw_only=True, tag="points-3d"):
    """Points around a molecule, coloured by their values.

    Args:
        points: (points, 3) in angstrom.
        values: (points,) or None for points of one colour.
        molecule: the atoms to draw with them.
        color: what the colours measure.
        centre: the value in the middle of a diverging colour scale; None for a sequential one.
        reach: how far the colours go to either side of the centre, so that figures can share them; None for as far as
            the values do.

    >>> Points3D(title="ESP error", points=[[0, 0, 3]], values=[0.5], color=Axis("error", "kcal/mol/e")).notes
    ()
    """

    points: Array

    def __post_init__(self) -> None:
        """Copy the arrays and check their lengths."""
        self._settle(points=floats(self.points, f"the points of {self.title!r}", (None, 3)))
        self._settle_values(self.points)

    def thinned(self, many: int) -> Self:
        """At most `many` points, a fixed choice that holds those with the lowest and the highest value."""
        total = len(self.points)
        if total <= many:
            return self
        shown = self.color.shows(self.values) if self.values is not None else np.ones(total, bool)
        shown = np.flatnonzero(shown & np.isfinite(self.points).all(axis=1))
        values = None if self.values is None else self.values[shown]
        keep = scattered(many, shown.size, *(() if values is None or not values.size else (values,)))
        remarks = (*self.notes, f"{keep.size:,} of {shown.size:,} points are drawn.")
        picked = None if values is None else values[keep]
        return self._replaced(points=self.points[shown[keep]], values=picked, remarks=remarks)

    def _left_out(self) -> tuple[str, ...]:
        return self._missing(self.points, "points")


class Surface3D(_InSpace, frozen=True, kw_only=True, tag="surface-3d"):
    """A surface of triangles around a molecule, coloured by the values at its corners.

    Args:
        vertices: (vertices, 3) in angstrom.
        triangles: (triangles, 3) indices of vertices.
        values: (vertices,) or None for a surface of one colour.
        molecule: the atoms to draw with it.
        color: what the colours measure.
        centre: the value in the middle of a diverging colour scale; None for a sequential one.
        reach: how far the colours go to either side of the centre, so that figures can share them; None for as far as
            the values do.
    """

    vertices: Array
    triangles: Array

    def __post_init__(self) -> None:
        """Copy the arrays, check their lengths and that the triangles refer to vertices that exist."""
        vertices = floats(self.vertices, f"the vertices of {self.title!r}", (None, 3))
        triangles = integers(self.triangles, f"the triangles of {self.title!r}", (None, 3))
        if triangles.size and not (triangles.min() >= 0 and triangles.max() < len(vertices)):
            found = f"a triangle refers to a vertex that is none of the {len(vertices)}"
            raise DataError(f"make the surface {self.title!r}", found, "Count the vertices from zero")
        self._settle(vertices=vertices, triangles=triangles)
        self._settle_values(vertices)

    def _left_out(self) -> tuple[str, ...]:
        return self._missing(self.vertices, "vertices")
