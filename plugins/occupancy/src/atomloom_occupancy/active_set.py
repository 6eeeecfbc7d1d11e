"""Exact minimisation over A p = b, p >= 0: quadratic functions by active sets, smooth ones by Newton steps of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr

from atomloom.data.columns import Array
from atomloom.errors import RunFailed

_ROUNDS = 60
_TOLERANCE = 1e-11
_FLAT = 1e-8  # curvature, relative to the largest, that a flat direction is given
_RANK = 1e-13
_DEPENDENT = 1e-10
_NOTHING = 1e-20  # relative fall that rounding can feign along flat directions
_ENOUGH = 1e-4
_HALVINGS = 40
_CUTS = 30


class Local(NamedTuple):
    """A function near a point: its value, gradient (n,) and Hessian (n, n)."""

    value: float
    gradient: Array
    hessian: Array


class Cut(NamedTuple):
    """An inequality that holds for every allowed point: row (n,) p >= least."""

    row: Array
    least: float


def uncut(point: Array) -> list[Cut]:
    """No inequality beside p >= 0."""
    return []


def minimise_quadratic(hessian: Array, slope: Array, matrix: Array, start: Array) -> Array:
    """The minimum of p H p / 2 + slope p over A p = A start, p >= 0, by a primal active set.

    Args:
        hessian: (n, n), positive semidefinite.
        slope: (n,)
        matrix: A (rows, n)
        start: (n,) a feasible point.

    >>> slope, start = np.array([-2.0, 0.0]), np.array([0.5, 0.5])
    >>> minimise_quadratic(np.eye(2), slope, np.ones((1, 2)), start).round(12).tolist()
    [1.0, 0.0]
    """
    point = start.copy()
    active = point <= 0
    scale = float(np.abs(hessian).max()) + float(np.abs(slope).max()) + 1e-300
    for _ in range(20 * len(point) + 20):
        gradient = hessian @ point + slope
        step = _on_face(hessian, gradient, matrix, active)
        if -float(gradient @ step) > _NOTHING * scale:
            point, active = _advance(point, step, active)
            continue
        pull = _multipliers(gradient, matrix, active)
        worst = int(np.argmin(np.where(active, pull, np.inf)))
        if not active.any() or pull[worst] >= -_TOLERANCE * scale:
            return point
        active[worst] = False
    raise RunFailed(
        "minimise over the constraints", "the active set does not settle", "Report this with the model's group file"
    )


def minimise(
    function: Callable[[Array, bool], Local],
    matrix: Array,
    start: Array,
    cuts: Callable[[Array], list[Cut]] = uncut,
) -> tuple[Array, Local]:
    """The minimum of a smooth function over A p = A start, p >= 0, and the function there.

    Args:
        function: of the point, and of whether gradient and Hessian are wanted.
        matrix: A (rows, n)
        start: (n,) a feasible point.
        cuts: inequalities that a point does not keep, of a convex set that p stays in; none where it is in there.
    """
    point, here, held = start, function(start, True), list[Cut]()
    for _ in range(_ROUNDS):
        hessian = _convex(here.hessian, matrix)
        slope = here.gradient - hessian @ point
        wanted = _above(hessian, slope, matrix, point, held)
        for _ in range(_CUTS):
            if not (broken := cuts(wanted)):
                break
            held += broken
            wanted = _above(hessian, slope, matrix, point, held)
        step = wanted - point
        fall = float(here.gradient @ step)
        if np.abs(step).max(initial=0.0) < _TOLERANCE or fall > -_TOLERANCE * (1 + abs(here.value)) * 1e-3:
            break
        length = _length(function, point, step, here.value, fall)
        if not length:
            break
        point = wanted if length == 1 else point + length * step
        here = function(point, True)
    return point, here


def _above(hessian: Array, slope: Array, matrix: Array, start: Array, cuts: list[Cut]) -> Array:
    """`minimise_quadratic` with inequalities, each of which has a slack."""
    if not cuts:
        return minimise_quadratic(hessian, slope, matrix, start)
    size, many = len(start), len(cuts)
    rows, least = np.array([cut.row for cut in cuts]), np.array([cut.least for cut in cuts])
    wider = np.block([[matrix, np.zeros((len(matrix), many))], [rows, -np.eye(many)]])
    curvature = np.zeros((size + many, size + many))
    curvature[:size, :size] = hessian
    begin = np.concatenate([start, np.maximum(rows @ start - least, 0.0)])
    return minimise_quadratic(curvature, np.concatenate([slope, np.zeros(many)]), wider, begin)[:size]


def tangent(matrix: Array, active: Array) -> Array:
    """(n, free directions) an orthonormal basis of the directions that keep A p and the active p = 0."""
    free = np.flatnonzero(~active)
    basis = np.zeros((len(active), 0))
    if len(free):
        inner = _null_space(matrix[:, free])
        basis = np.zeros((len(active), inner.shape[1]))
        basis[free] = inner
    return basis


def _null_space(rows: Array) -> Array:
    """(n, n - rank) an orthonormal basis of what `rows` map to zero, by a QR decomposition with pivoting."""
    turned, triangle, _ = qr(rows.T, pivoting=True)
    size = np.abs(np.diag(triangle))
    return np.asarray(turned[:, int(np.sum(size > _DEPENDENT * size.max(initial=0.0))) :])


def _length(function: Callable[[Array, bool], Local], point: Array, step: Array, value: float, fall: float) -> float:
    """A share of the step that brings enough, 0 where none does any more."""
    length = 1.0
    for _ in range(_HALVINGS):
        if function(point + length * step, False).value <= value + _ENOUGH * length * fall:
            return length
        length /= 2
    return 0.0


def _on_face(hessian: Array, gradient: Array, matrix: Array, active: Array) -> Array:
    """The step to the minimum on the face where the active p stay zero."""
    basis = tangent(matrix, active)
    if not basis.shape[1]:
        return np.zeros_like(gradient)
    reduced = basis.T @ hessian @ basis
    return np.asarray(-basis @ np.linalg.lstsq(reduced, basis.T @ gradient, rcond=_RANK)[0])


def _advance(point: Array, step: Array, active: Array) -> tuple[Array, Array]:
    """As far along the step as p >= 0 allows, and what is active then."""
    reach = np.full(len(point), np.inf)
    falling = step < 0
    reach[falling] = point[falling] / -step[falling]
    blocking = int(np.argmin(reach))
    active = active.copy()
    moved = point + min(1.0, float(reach[blocking])) * step
    if reach[blocking] < 1:
        active[blocking] = True
    moved[active] = 0.0
    return np.maximum(moved, 0.0), active


def _multipliers(gradient: Array, matrix: Array, active: Array) -> Array:
    """(n,) what is left of the gradient when the equalities have taken their share."""
    weights = np.linalg.lstsq(matrix[:, ~active].T, -gradient[~active], rcond=None)[0]
    return np.asarray(gradient + matrix.T @ weights)


def _convex(hessian: Array, matrix: Array) -> Array:
    """The Hessian with its curvature on A p = const made non-negative and little of it zero."""
    basis = tangent(matrix, np.zeros(len(hessian), dtype=bool))
    values, vectors = np.linalg.eigh(basis.T @ hessian @ basis)
    size = float(np.abs(values).max(initial=1e-300))
    inner = vectors * np.maximum(np.abs(values), _FLAT * size) @ vectors.T
    return np.asarray(basis @ inner @ basis.T)
