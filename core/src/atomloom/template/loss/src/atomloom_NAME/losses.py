"""A loss of the forces that single wrong labels do not dominate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomloom.model import Ops

SIZE = 0.5
"""The error from which on a force component counts by its size rather than by its square, in eV/angstrom."""


def robust_forces(predicted: Mapping[str, Any], target: Mapping[str, Any], weight: Any, ops: Ops) -> tuple[Any, Any]:
    """2 s^2 (sqrt(1 + (F - F_ref)^2 / s^2) - 1) of every component, with s = 0.5 eV/angstrom, in (eV/angstrom)^2.

    Args:
        predicted: what the model gives, in the slots of a batch.
        target: the batch: references, masks, and the frame of each atom.
        weight: of each frame ``[frames]``; zero for padding.
        ops: the array functions of the backend.

    Returns:
        The sum over each frame and the number of values in it, both ``[frames]``: engines add these up over batches
        and hosts before they divide, so that padding and the size of a batch change nothing.
    """
    real = target["atom_mask"]
    error = ops.xp.where(real[:, None], predicted["F"] - target["F"], 0.0)
    values = 2.0 * SIZE**2 * (ops.xp.sqrt(1.0 + (error / SIZE) ** 2) - 1.0)
    segments, frames = target["batch_segments"], len(target["frame_mask"])
    total = ops.segment_sum(values.sum(axis=-1), segments, frames)
    count = ops.segment_sum(3.0 * ops.xp.where(real, 1.0, 0.0), segments, frames)
    return weight * total, weight * count
