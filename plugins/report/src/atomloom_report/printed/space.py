"""Points, surfaces and molecules in print: seen as on the page before one turns them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure as Sheet
from matplotlib.patches import Circle

from atomloom.report import Points3D, Surface3D
from atomloom.report.arrays import Array
from atomloom_report import elements
from atomloom_report.palette import LOOKS, NOWHERE
from atomloom_report.printed.layout import color_bar, shades
from atomloom_report.scene import Scene, scene

HIDDEN = 0.8
"""How deep within an atom a bond starts, as a share of the atom's radius."""

VEIL = 0.82
"""The opacity of a surface: the molecule within shines through."""


def scenery(paper: Sheet, figure: Points3D | Surface3D) -> bool:
    """Draw what there is in space, the hindmost first; False if there is nothing."""
    shown = scene(figure)
    if shown.empty:
        return False
    drawn = paper.add_subplot()
    drawn.set_axis_off()
    drawn.set_aspect("equal")
    reach = shown.radius + 0.3
    drawn.set(xlim=(-1.15 * reach, 1.15 * reach), ylim=(-reach, reach))
    _bonds(drawn, shown)
    _atoms(drawn, shown)
    if shown.triangles.size:
        _surface(drawn, shown)
    elif len(shown.points):
        _points(drawn, shown)
    if shown.scale is not None and shown.values is not None and np.isfinite(shown.values).any():
        color_bar(paper, drawn, shown.scale, figure.color)
    return True


def _tints(shown: Scene) -> Array:
    if shown.values is None or shown.scale is None:
        return np.array([LOOKS[0].color] * len(shown.points))
    tints = shades(shown.scale, shown.values)
    nowhere = [int(NOWHERE[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    tints[~np.isfinite(shown.values), :3] = nowhere
    return tints


def _bonds(drawn: Axes, shown: Scene) -> None:
    sizes = HIDDEN * shown.sizes
    widths = (1.4, 0.8) if shown.slim else (3.6, 2.6)
    for i, j in shown.bonds:
        start, end = shown.positions[i], shown.positions[j]
        along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
        (x1, y1, z1), (x2, y2, z2) = start + sizes[i] * along, end - sizes[j] * along
        for width, color in zip(widths, ("#5b6570", "#a9b2bc"), strict=True):
            drawn.plot([x1, x2], [y1, y2], color=color, linewidth=width, zorder=_depth(shown, (z1 + z2) / 2) - 1e-4)


def _atoms(drawn: Axes, shown: Scene) -> None:
    for number, (x, y, z), size in zip(shown.numbers.tolist(), shown.positions, shown.sizes, strict=True):
        color = elements.color(number)
        style = {"facecolor": color, "edgecolor": "#4a525b", "linewidth": 0.5}
        drawn.add_patch(Circle((x, y), size, zorder=_depth(shown, z), **style))


def _points(drawn: Axes, shown: Scene) -> None:
    # In front of the middle and behind it: the molecule stands between.
    tints, order = _tints(shown), np.argsort(shown.points[:, 2], kind="stable")
    size = 40 if shown.slim else 7
    front = shown.points[order, 2] > 0
    for half, zorder in ((order[~front], 1.0), (order[front], 4.0)):
        x, y = shown.points[half, 0], shown.points[half, 1]
        drawn.scatter(x, y, s=size, c=tints[half], linewidths=0, alpha=0.9, zorder=zorder, rasterized=len(order) > 3000)


def _surface(drawn: Axes, shown: Scene) -> None:
    corners = shown.points[shown.triangles]
    order = np.argsort(corners[:, :, 2].sum(axis=1), kind="stable")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    light = 0.55 + 0.45 * np.abs(normals[:, 2]) / np.where(lengths > 0, lengths, 1)
    if shown.values is None:
        tints = np.tile([int(NOWHERE[at : at + 2], 16) / 255 for at in (1, 3, 5)], (len(light), 1))
    else:
        tints = _tints(shown)[shown.triangles][:, :, :3].mean(axis=1)
    faces = np.concatenate([tints * light[:, None], np.ones((len(light), 1))], axis=1)[order]
    visible = _front(corners[order], shown)
    sheet = PolyCollection(list(corners[order][visible][:, :, :2]), facecolors=faces[visible], edgecolors="face")
    sheet.set(linewidth=0.2, zorder=5, alpha=VEIL if shown.positions.size else 1, rasterized=True)
    drawn.add_collection(sheet)


def _front(corners: Array, shown: Scene) -> Array:
    # Of a surface around a molecule the side towards the viewer only, or the molecule would hardly shine through; away
    # from the nearest atom is outside, whichever way a triangle turns.
    if not shown.positions.size:
        return np.ones(len(corners), bool)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    middles = corners.mean(axis=1)
    nearest = [int(np.linalg.norm(shown.positions - middle, axis=1).argmin()) for middle in middles]
    outside = (normals * (middles - shown.positions[nearest])).sum(axis=1)
    return np.asarray(normals[:, 2] * outside > 0)


def _depth(shown: Scene, z: float) -> float:
    # Between the hindmost points (1) and the foremost ones (4).
    return 2.5 + z / (shown.radius + 1)
