"""One molecule in space: the potential around it as it is, as it is predicted, and what is between; and its charges."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from atomloom.data.columns import Array
from atomloom.report import Axis, Figure, Molecule, Points3D, Surface3D

UNIT = "kcal/mol/e"

FEWEST = 40
"""Points that a surface is drawn from; of fewer, the points themselves are drawn."""

_THICK = 0.02  # radii; points whose distances differ by less lie on one surface
_LONG = 3.5  # times the median edge of a triangle, beyond which an edge spans a gap


class Portrait(NamedTuple):
    """What is drawn of a molecule.

    Args:
        frame: its number among the frames that were analysed.
        formula: such as ``"C2H6O"``.
        numbers, positions: of its atoms, in angstrom ``[atoms, 3]``.
        points: that count, in angstrom ``[points, 3]``.
        distances: of these from the molecule, in van der Waals radii.
        reference, predicted: the potential at the points, in (kcal/mol)/e.
        charges, places: of the sites, in e ``[sites]`` and angstrom ``[sites, 3]``.
    """

    frame: int
    formula: str
    numbers: Array
    positions: Array
    points: Array
    distances: Array
    reference: Array
    predicted: Array
    charges: Array
    places: Array

    @property
    def name(self) -> str:
        """Such as ``"C2H6O (frame 3)"``."""
        return f"{self.formula} (frame {self.frame})"

    def molecule(self, slim: bool = False) -> Molecule:
        """Its atoms."""
        return Molecule(Z=self.numbers, R=self.positions, slim=slim)


def potentials(portrait: Portrait) -> tuple[Figure, ...]:
    """Reference and prediction in the same colours, and the error in its own, on the surface nearest to the atoms."""
    near = nearest_layer(portrait.distances)
    reference, predicted = portrait.reference[near], portrait.predicted[near]
    largest = float(np.abs([reference, predicted]).max())
    where = f"At {float(np.median(portrait.distances[near])):.2g} van der Waals radii"
    drawn = [
        ("Reference potential", reference, "V", largest, f"{where}, in the colours of the prediction."),
        ("Predicted potential", predicted, "V", largest, f"{where}, in the colours of the reference."),
        ("Error of the potential", predicted - reference, "error of V", None, f"{where}: predicted less reference."),
    ]
    triangles = triangulated(portrait.points[near])
    figures: list[Figure] = []
    for title, values, label, reach, caption in drawn:
        shared: dict[str, Any] = {
            "title": f"{title}, {portrait.name}",
            "caption": caption,
            "molecule": portrait.molecule(),
            "values": values,
            "color": Axis(label, UNIT),
            "centre": 0.0,
            "reach": reach,
        }
        if len(triangles):
            figures.append(Surface3D(vertices=portrait.points[near], triangles=triangles, **shared))
        else:
            figures.append(Points3D(points=portrait.points[near], **shared))
    return tuple(figures)


def charge_sites(portrait: Portrait) -> Figure:
    """The charges where they are, beside the atoms."""
    return Points3D(
        title=f"Charges, {portrait.name}",
        caption="Where the charges are; the small dots at the ends of bonds are the nuclei.",
        points=portrait.places,
        values=portrait.charges,
        molecule=portrait.molecule(slim=True),
        color=Axis("charge", "e"),
        centre=0.0,
    )


def nearest_layer(distances: Array) -> Array:
    """Which points lie on the surface that is nearest to the molecule; all, where they lie on no surfaces.

    >>> nearest_layer(np.repeat([1.4, 2.0], 50)).sum()
    np.int64(50)
    >>> nearest_layer(np.linspace(1.4, 2.0, 50)).sum()
    np.int64(50)
    """
    near: Array = distances <= distances.min() + _THICK
    return near if near.sum() >= FEWEST else np.ones(len(distances), bool)


def triangulated(points: Array) -> Array:
    """Triangles between points that are neighbours as seen from their middle, without those that span a gap.

    None for fewer than `FEWEST` points, or where more than half of them would have to be left out.

    >>> from atomloom_dcmnet.surfaces import sphere
    >>> len(triangulated(sphere(100)))  # twice the points less four, as of any closed surface
    196
    """
    outward = points - points.mean(axis=0)
    lengths = np.linalg.norm(outward, axis=1, keepdims=True)
    if len(points) < FEWEST or not lengths.all():
        return np.zeros((0, 3), np.int64)
    try:
        triangles: Array = ConvexHull(outward / lengths).simplices.astype(np.int64)
    except QhullError:  # they lie in a plane
        return np.zeros((0, 3), np.int64)
    edges = np.linalg.norm(points[triangles] - points[np.roll(triangles, 1, axis=1)], axis=2).max(axis=1)
    short = edges <= _LONG * np.median(edges)
    return triangles[short] if short.mean() > 0.5 else triangles[:0]
