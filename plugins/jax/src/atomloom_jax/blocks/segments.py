"""Sums, means and softmax over the rows of each segment: the atoms of a frame, or the neighbours of an atom.

`segments` names the segment of each row. A mask leaves rows out whatever they hold, be it NaN. Empty segments give
zero.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


def masked(values: jax.Array, mask: jax.Array | None) -> jax.Array:
    """`values` ``[rows, ...]``, and zero in the rows where `mask` ``[rows]`` is False.

    >>> masked(jnp.array([[1.0], [jnp.nan]]), jnp.array([True, False])).tolist()
    [[1.0], [0.0]]
    """
    if mask is None:
        return values
    return jnp.where(mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim)), values, 0)


def segment_sum(values: jax.Array, segments: jax.Array, count: int, mask: jax.Array | None = None) -> jax.Array:
    """Sums of the rows ``[rows, ...]`` of each of `count` segments, ``[count, ...]``.

    >>> segment_sum(jnp.array([1.0, 2.0, 4.0]), jnp.array([0, 0, 2]), 3).tolist()
    [3.0, 0.0, 4.0]
    """
    return jax.ops.segment_sum(masked(values, mask), segments, num_segments=count)


def segment_mean(values: jax.Array, segments: jax.Array, count: int, mask: jax.Array | None = None) -> jax.Array:
    """Means of the rows of each segment over those that the mask leaves, ``[count, ...]``.

    >>> segment_mean(jnp.array([1.0, 3.0, 9.0]), jnp.array([0, 0, 0]), 2, jnp.array([True, True, False])).tolist()
    [2.0, 0.0]
    """
    ones = jnp.ones(values.shape[:1], values.dtype)
    rows = segment_sum(ones, segments, count, mask)
    totals = segment_sum(values, segments, count, mask)
    return totals / jnp.maximum(rows, 1).reshape((count,) + (1,) * (values.ndim - 1))


def segment_softmax(logits: jax.Array, segments: jax.Array, count: int, weights: jax.Array | None = None) -> jax.Array:
    """w exp(l) / sum of w exp(l) over the segment of each row, ``[rows, ...]``.

    Args:
        logits: of each row ``[rows, ...]``.
        weights: at least zero and broadcast against `logits`, such as a cutoff function or a mask; rows of weight zero
            get exactly zero and may hold anything but NaN.

    >>> segment_softmax(jnp.array([0.0, 0.0, 5.0]), jnp.array([0, 0, 1]), 2).tolist()
    [0.5, 0.5, 1.0]
    """
    within = jnp.ones_like(logits) if weights is None else jnp.broadcast_to(weights, logits.shape)
    kept = jnp.where(within > 0, logits, -jnp.inf)
    largest = jax.lax.stop_gradient(jax.ops.segment_max(kept, segments, num_segments=count))[segments]
    powers = within * jnp.exp(jnp.where(within > 0, logits - largest, 0.0))
    totals = jax.ops.segment_sum(powers, segments, num_segments=count)[segments]
    return powers / jnp.where(totals > 0, totals, 1.0)


class Frames(NamedTuple):
    """Which atoms make up which frame.

    Args:
        segments: the frame of each atom ``[atoms]``.
        atom_mask: which atoms are real ``[atoms]``.
        frame_mask: which frames are real ``[frames]``.

    >>> two = Frames(jnp.array([0, 0, 1, 1]), jnp.array([True, True, True, False]), jnp.array([True, True]))
    >>> two.sum(jnp.array([1.0, 2.0, 3.0, 4.0])).tolist()
    [3.0, 3.0]
    """

    segments: jax.Array
    atom_mask: jax.Array
    frame_mask: jax.Array

    @classmethod
    def of(cls, batch: Any) -> Frames:
        """Those of a `PaddedBatch`, or of any mapping with its names."""
        return cls(*(jnp.asarray(batch[name]) for name in ("batch_segments", "atom_mask", "frame_mask")))

    @property
    def slots(self) -> int:
        """How many frames there is room for."""
        return self.frame_mask.shape[0]

    def sum(self, values: jax.Array) -> jax.Array:
        """Of each frame ``[frames, ...]`` over its real atoms, from ``[atoms, ...]``."""
        return segment_sum(values, self.segments, self.slots, self.atom_mask)

    def mean(self, values: jax.Array) -> jax.Array:
        """Of each frame ``[frames, ...]`` over its real atoms, from ``[atoms, ...]``."""
        return segment_mean(values, self.segments, self.slots, self.atom_mask)

    def spread(self, values: jax.Array) -> jax.Array:
        """To each atom the value of its frame, ``[atoms, ...]`` from ``[frames, ...]``."""
        return values[self.segments]
