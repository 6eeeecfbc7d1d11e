"""Losses of distributed charges: potential, quadrupole, and the size of the charges.

Atomic charges and dipoles are compared by core's own losses. Each gives the sum and the count of every frame, as those
do.
"""

from __future__ import annotations

from typing import Any

from atomloom.losses import SumAndCount, Values
from atomloom.model import Ops
from atomloom.units import factor

KCAL = factor("hartree", "kcal/mol")
"""One hartree/e, in (kcal/mol)/e."""


def potential(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """sum of w (V - V_ref)^2 / sum of w over the points of each frame, in ((kcal/mol)/e)^2; a frame counts once.

    w is `esp_weight` where it is among the values, and one otherwise. Each frame's mean comes first, so one of many
    points counts as much as one of few; a frame without a point that counts is left out.
    """
    xp = ops.xp
    mask, segments, frames = target["grid_mask"], target["grid_segments"], len(target["frame_mask"])
    error = KCAL * xp.where(mask, predicted["esp"] - target["esp"], 0.0)
    each = mask.astype(error.dtype) * target.get("esp_weight", 1.0)
    each = xp.where(mask, each, 0.0)
    whole = ops.segment_sum(each, segments, frames)
    there = whole > 0
    mean = ops.segment_sum(each * error**2, segments, frames) / xp.where(there, whole, 1.0)
    return weight * mean, weight * there


def traceless_quadrupole(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The squared difference of the components of the traceless quadrupoles (3 r r - r^2) / 2, in (e angstrom^2)^2.

    No potential outside a molecule depends on a trace, so that of the reference is taken off. Both have to be from the
    same origin, that of the coordinates.
    """
    xp = ops.xp
    difference = predicted["quadrupole"] - target["quadrupole"]
    shaped = target["frame_mask"].reshape(-1, 1, 1)
    difference = xp.where(shaped, difference, 0.0)
    trace = (difference * xp.eye(3)).sum(axis=(1, 2))
    difference = difference - trace.reshape(-1, 1, 1) * xp.eye(3) / 3
    return weight * (difference**2).sum(axis=(1, 2)), weight * 9


def site_charges(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The mean square of the charges of all sites of each frame, in e^2; a frame counts once.

    Charges that are large and cancel describe the points of the training as well as others do and fail elsewhere.
    """
    xp = ops.xp
    mask, segments, frames = target["atom_mask"], target["batch_segments"], len(target["frame_mask"])
    charges = xp.where(mask.reshape(-1, 1), predicted["dcm_charges"], 0.0)
    atoms = ops.segment_sum(mask.astype(charges.dtype), segments, frames)
    there = atoms > 0
    mean = ops.segment_sum((charges**2).mean(axis=1), segments, frames) / xp.where(there, atoms, 1.0)
    return weight * mean, weight * there
