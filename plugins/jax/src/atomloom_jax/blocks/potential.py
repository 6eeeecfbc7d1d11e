"""The electrostatic potential of point charges at many points, in a bounded amount of memory.

Ten thousand points and sixty atoms of seven charges are four million distances, and a gradient would keep several
numbers of each. Here the points of a batch are cut into blocks, none of which has points of two frames; some blocks at
a time meet the charges of their own frame only, and in a gradient their distances are worked out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from atomloom.units import factor
from atomloom_jax.blocks.segments import Frames

BOHR = factor("bohr", "angstrom")
"""In angstrom; one hartree/e is the potential of one e at this distance."""

_BLOCK = 128  # points that share a frame; smaller blocks fill better, larger ones read the charges less often
_NUMBERS = 10  # for each distance, of those that a gradient keeps at the same time


class Grid(NamedTuple):
    """Points in space, and the frame to which each belongs.

    Args:
        points: in angstrom ``[grid, 3]``.
        segments: the frame of each point, in ascending order ``[grid]``.
        mask: which points are real ``[grid]``.
    """

    points: jax.Array
    segments: jax.Array
    mask: jax.Array

    @classmethod
    def of(cls, batch: Any) -> Grid:
        """That of a `PaddedBatch` with ``vdw_surface``."""
        return cls(*(jnp.asarray(batch[name]) for name in ("vdw_surface", "grid_segments", "grid_mask")))


@dataclass(frozen=True)
class Budget:
    """What a potential may take.

    Args:
        memory: for distances and what is derived from them, in bytes. The arguments, the result and their gradients
            come on top.
        longest: the most atoms that a frame of the data has; all atom slots of the batch without it, which is right
            and slow for batches of several frames. The potential of a frame that has more is NaN.
    """

    memory: int = 1 << 24
    longest: int | None = None


def potential(
    grid: Grid, charges: jax.Array, places: jax.Array, frames: Frames, budget: Budget = Budget()
) -> jax.Array:
    """0.5292 angstrom times the sum of q / abs(point - place) over the charges of its frame, in hartree/e ``[grid]``.

    Points that are not real get zero, and no gradient comes from them. A real point at the place of a charge has an
    infinite potential.

    Args:
        charges: at the atoms ``[atoms]``, or at several sites of each of them ``[atoms, sites]``, in e.
        places: where they are, ``[atoms, 3]`` or ``[atoms, sites, 3]``, in angstrom.
        frames: whose atoms stand one behind the other, as in a `PaddedBatch`.

    >>> grid = Grid(jnp.array([[0.0, 0.0, BOHR]]), jnp.array([0]), jnp.array([True]))
    >>> frame = Frames(jnp.array([0]), jnp.array([True]), jnp.array([True]))
    >>> potential(grid, jnp.array([0.5]), jnp.zeros((1, 3)), frame).tolist()
    [0.5]
    """
    if not len(grid.points) or not charges.size:
        return jnp.zeros(len(grid.points), places.dtype)
    sites = _sites(charges, places, frames, budget.longest or len(charges))
    blocks = _Blocks.cut(grid, frames.slots, _points_of_a_block(len(grid.points), sites, budget))
    steps = blocks.in_steps(_blocks_at_once(sites, blocks, budget))

    def work(block: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        frame, points, real = block
        return _block_potential(points, real, sites.of_frame(frame))

    values = jax.lax.map(jax.checkpoint(jax.vmap(work)), steps).reshape(-1)
    enough = (frames.sum(jnp.ones(len(charges), jnp.int32)) <= sites.real.shape[1] // sites.each)[grid.segments]
    return jnp.where(grid.mask, jnp.where(enough, BOHR * values[blocks.slots], jnp.nan), 0.0)


def potential_at(points: jax.Array, charges: jax.Array, places: jax.Array, budget: Budget = Budget()) -> jax.Array:
    """`potential` of one frame without padding, in hartree/e ``[points]``.

    >>> potential_at(jnp.array([[0.0, 0.0, 2 * BOHR]]), jnp.array([1.0]), jnp.zeros((1, 3))).tolist()
    [0.5]
    """
    points, charges, places = map(jnp.asarray, (points, charges, places))
    grid = Grid(points, jnp.zeros(len(points), jnp.int32), jnp.ones(len(points), bool))
    frame = Frames(jnp.zeros(len(charges), jnp.int32), jnp.ones(len(charges), bool), jnp.ones(1, bool))
    return potential(grid, charges, places, frame, budget)


class _Sites(NamedTuple):
    """The charges of each frame in rows of one length."""

    charges: jax.Array  # [frames, row]
    places: jax.Array  # [frames, row, 3]
    real: jax.Array  # [frames, row]
    each: int  # charges of an atom

    def of_frame(self, frame: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        return self.charges[frame], self.places[frame], self.real[frame]


def _sites(charges: jax.Array, places: jax.Array, frames: Frames, longest: int) -> _Sites:
    atoms, slots = len(charges), frames.slots
    starts = jnp.searchsorted(frames.segments, jnp.arange(slots + 1))
    index = starts[:-1, None] + jnp.arange(longest)
    taken = jnp.minimum(index, atoms - 1)
    real = (index < starts[1:, None]) & frames.atom_mask[taken]
    each = charges[0].size
    return _Sites(
        charges.reshape(atoms, each)[taken].reshape(slots, -1),
        places.reshape(atoms, each, 3)[taken].reshape(slots, -1, 3),
        jnp.repeat(real, each, axis=1),
        each,
    )


class _Blocks(NamedTuple):
    """Points in blocks of one length, each of one frame, and for each point where its value is among all of them."""

    frames: jax.Array  # [blocks]
    points: jax.Array  # [blocks, length, 3]
    real: jax.Array  # [blocks, length]
    slots: jax.Array  # [grid]

    @classmethod
    def cut(cls, grid: Grid, frames: int, length: int) -> _Blocks:
        """The points of a grid; there are blocks for the worst division of the points among the frames."""
        most = -(-len(grid.points) // length) + frames - 1
        starts = jnp.searchsorted(grid.segments, jnp.arange(frames + 1))
        ends = jnp.cumsum(-(-jnp.diff(starts) // length))
        begins = jnp.concatenate([jnp.zeros(1, ends.dtype), ends[:-1]])
        number = jnp.arange(most)
        frame = jnp.minimum(jnp.searchsorted(ends, number, side="right"), frames - 1)
        first = starts[frame] + (number - begins[frame]) * length
        index = first[:, None] + jnp.arange(length)
        taken = jnp.minimum(index, len(grid.points) - 1)
        real = (index < starts[frame + 1][:, None]) & grid.mask[taken]
        slots = begins[grid.segments] * length + jnp.arange(len(grid.points)) - starts[grid.segments]
        return cls(frame, grid.points[taken], real, slots)

    def in_steps(self, at_once: int) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Frames, points and masks as ``[steps, at_once, ...]``, filled up with blocks without a real point."""
        missing = -len(self.frames) % at_once

        def fold(values: jax.Array) -> jax.Array:
            filled = jnp.pad(values, [(0, missing)] + [(0, 0)] * (values.ndim - 1))
            return filled.reshape(-1, at_once, *values.shape[1:])

        return fold(self.frames), fold(self.points), fold(self.real)


def _block_potential(points: jax.Array, real: jax.Array, sites: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
    """The sum of q / r at the points of one block, in e/angstrom ``[length]``."""
    charges, places, site_real = sites
    squares = sum((points[:, None, along] - places[None, :, along]) ** 2 for along in range(3))
    both = real[:, None] & site_real[None, :]
    return jnp.sum(jnp.where(both, charges * jax.lax.rsqrt(jnp.where(both, squares, 1.0)), 0.0), axis=1)


def _points_of_a_block(points: int, sites: _Sites, budget: Budget) -> int:
    return max(1, min(points, _BLOCK, budget.memory // _bytes(sites)))


def _blocks_at_once(sites: _Sites, blocks: _Blocks, budget: Budget) -> int:
    return max(1, min(len(blocks.frames), budget.memory // (_bytes(sites) * blocks.real.shape[1])))


def _bytes(sites: _Sites) -> int:
    """What one point takes with all charges of its frame."""
    return _NUMBERS * sites.places.dtype.itemsize * sites.real.shape[1]
