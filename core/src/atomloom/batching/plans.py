"""Plans: which frames make a batch, and of which static shape.

==============  =============================================================================================
`FixedPlan`     so many frames a batch, each with as many slots as the longest needs: one shape, most padding
`BucketPlan`    the same within each length bucket: as many shapes as buckets, some padding
`PackedPlan`    as many frames as fit into budgets of atoms, pairs, ...: one shape, hardly any padding
==============  =============================================================================================

A plan turns the sizes of frames into batches, the same for the same (seed, epoch) on every machine. Batches come in
groups of `group` equal shapes; a group is filled up with batches of no frames where it has to be. A group is what one
step of a fit consumes, on one host or spread over several.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

import numpy as np

from atomloom.batching import buckets, packing
from atomloom.batching.order import Order
from atomloom.batching.pairs import MOST
from atomloom.batching.shape import AXES, Shape, Sizes
from atomloom.data.columns import Indices
from atomloom.errors import ConfigError, DataError

WINDOW = 1 << 14
"""Frames that are packed together: a resumed stream packs at most so many again."""

Turns = Literal["shuffled", "interleaved", "sequential"]


class Planned(NamedTuple):
    """The frames of one batch, and its shape."""

    frames: Indices
    shape: Shape


class Waste(NamedTuple):
    """What a plan makes of an epoch.

    Args:
        batches: how many there are.
        shapes: how many distinct shapes occur, each of which a compiler compiles once.
        frames, atoms, pairs, grid: share of the slots along each axis that are padding, 0 to 1.
    """

    batches: int
    shapes: int
    frames: float
    atoms: float
    pairs: float
    grid: float


class Plan(ABC):
    """A way to make batches of an epoch.

    Attributes:
        sizes: of each frame.
        order: of the frames.
        group: how many batches of one shape make a step.
    """

    sizes: Sizes
    order: Order
    group: int

    @property
    @abstractmethod
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes that may occur."""

    @abstractmethod
    def windows(self, epoch: int, first: int = 0) -> Iterator[Iterator[Planned]]:
        """The batches of an epoch in stretches, from stretch `first` on; each is made without those before it."""

    def batches(self, epoch: int) -> Iterator[Planned]:
        """All batches of an epoch."""
        for window in self.windows(epoch):
            yield from window

    def waste(self, epoch: int = 0) -> Waste:
        """What an epoch costs, counted over its batches."""
        real, slots = np.zeros(len(AXES)), np.zeros(len(AXES))
        seen: dict[Shape, int] = {}
        columns = [self.sizes.along(axis) for axis in AXES]
        for planned in self.batches(epoch):
            seen[planned.shape] = seen.get(planned.shape, 0) + 1
            slots += planned.shape[: len(AXES)]
            real += [0 if along is None else along[planned.frames].sum() for along in columns]
        shares = 1.0 - real / np.where(slots, slots, np.inf)
        return Waste(sum(seen.values()), len(seen), *np.where(slots, shares, 0.0).tolist())


@final
@dataclass(frozen=True)
class FixedPlan(Plan):
    """`batch_size` frames a batch, each in as many atom slots as the longest frame (or `num_atoms`) has."""

    sizes: Sizes
    order: Order
    batch_size: int
    num_atoms: int = 0
    group: int = 1
    window: int = WINDOW

    def __post_init__(self) -> None:
        """Refuse frames longer than the slots."""
        _check(self, self.batch_size)
        above = np.flatnonzero(self.sizes.atoms > (self.num_atoms or np.inf))
        if above.size:
            longest = int(self.sizes.atoms.max())
            found = (
                f"frame {int(above[0])} has {int(self.sizes.atoms[above[0]])} atoms and num_atoms is {self.num_atoms}"
            )
            raise DataError("plan batches", found, f"Raise num_atoms to {longest}, or leave out such frames")

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The one shape."""
        return (_per_frame(self.sizes, self.batch_size, self.num_atoms or self.sizes.longest("atoms")),)

    def windows(self, epoch: int, first: int = 0) -> Iterator[Iterator[Planned]]:
        """Every `steps` steps are a stretch, whose order is worked out at once."""
        many, shape = self.step * self.steps, self.shapes[0]
        for start in range(first * many, len(self.sizes), many):
            frames = self.order.at(epoch, start, start + many)
            yield _cut(frames, shape, -(-len(frames) // self.step) * self.group)

    @property
    def step(self) -> int:
        """Frames of a step."""
        return self.batch_size * self.group

    @property
    def steps(self) -> int:
        """Steps of a stretch: about `window` frames."""
        return max(1, self.window // self.step)


@final
@dataclass(frozen=True)
class BucketPlan(Plan):
    """Batches within length buckets of inclusive `boundaries`.

    Args:
        batch_size: frames in a batch of every bucket; or
        atoms: atom slots in a batch: buckets of shorter frames then get more of them.
        turns: in which order the buckets come: ``"shuffled"``, ``"interleaved"`` (in turn) or ``"sequential"``.
    """

    sizes: Sizes
    order: Order
    boundaries: tuple[int, ...]
    batch_size: int = 0
    atoms: int = 0
    turns: Turns = "shuffled"
    group: int = 1

    def __post_init__(self) -> None:
        """Refuse frames above every bucket, and buckets above the budget."""
        _check(self, self.batch_size or self.atoms)
        buckets.assign(self.sizes.atoms, self.boundaries)
        if not self.batch_size and self.boundaries[-1] > self.atoms:
            found = f"the largest bucket holds {self.boundaries[-1]} atoms and a batch {self.atoms}"
            raise ConfigError("plan batches of buckets", found, "Raise the atoms of a batch")

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """One for each bucket."""
        members = buckets.assign(self.sizes.atoms, self.boundaries)
        return tuple(
            _per_frame(self.sizes, self.batch_size or self.atoms // bound, bound, np.flatnonzero(members == bucket))
            for bucket, bound in enumerate(self.boundaries)
        )

    def windows(self, epoch: int, first: int = 0) -> Iterator[Iterator[Planned]]:
        """One stretch: frames are dealt to their buckets in the order of the epoch."""
        if first == 0:
            yield self._planned(epoch)

    def _planned(self, epoch: int) -> Iterator[Planned]:
        order = self.order.at(epoch)
        members = buckets.assign(self.sizes.atoms[order], self.boundaries)
        groups: list[tuple[int, Shape, Indices]] = []
        for bucket, shape in enumerate(self.shapes):
            mine, step = order[members == bucket], shape.frames * self.group
            groups += [(bucket, shape, mine[start : start + step]) for start in range(0, len(mine), step)]
        for number in self._turns([bucket for bucket, _, _ in groups], epoch):
            _, shape, frames = groups[number]
            yield from _cut(frames, shape, self.group)

    def _turns(self, owners: list[int], epoch: int) -> list[int]:
        """The order in which the groups come."""
        if self.turns == "sequential":
            return list(range(len(owners)))
        mixed: list[int] = Order(len(owners), self.order.seed, self.order.shuffled).at(epoch).tolist()
        if self.turns == "shuffled":
            return mixed
        turn = dict.fromkeys(owners, 0)
        ranked = []
        for number in mixed:
            ranked.append((turn[owners[number]], owners[number], number))
            turn[owners[number]] += 1
        return [number for _, _, number in sorted(ranked)]


@final
@dataclass(frozen=True)
class PackedPlan(Plan):
    """As many frames a batch as fit into `shape`; an axis of which it holds 0 is not limited and gets no slots."""

    sizes: Sizes
    order: Order
    shape: Shape
    group: int = 1
    window: int = WINDOW

    def __post_init__(self) -> None:
        """Refuse frames above the budget, and budgets for what is not known of the frames."""
        _check(self, self.shape.frames, self.shape.atoms)
        for axis in self._axes:
            if self.sizes.along(axis) is None:
                raise ConfigError("pack frames", f"a budget of {axis} is given and no count of them", "Leave it out")
        packing.check(self._wanted(np.arange(len(self.sizes))), self._budget)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The one shape."""
        return (self.shape,)

    def windows(self, epoch: int, first: int = 0) -> Iterator[Iterator[Planned]]:
        """Every `window` frames of the epoch's order are packed by themselves."""
        starts = range(first * self.window, len(self.sizes), self.window)
        return (self._packed(epoch, start) for start in starts)

    def _packed(self, epoch: int, start: int) -> Iterator[Planned]:
        frames = self.order.at(epoch, start, start + self.window)
        made = packing.consecutive(self._wanted(frames), self._budget)
        for positions in made:
            yield Planned(frames[positions], self.shape)
        for _ in range(-len(made) % self.group):
            yield Planned(frames[:0], self.shape)

    @property
    def _axes(self) -> list[str]:
        return [axis for axis in AXES if getattr(self.shape, axis)]

    @property
    def _budget(self) -> list[int]:
        return [getattr(self.shape, axis) for axis in self._axes]

    def _wanted(self, frames: Indices) -> Indices:
        along = (self.sizes.along(axis) for axis in self._axes)
        return np.stack([values[frames] for values in along if values is not None], axis=1)


def _cut(frames: Indices, shape: Shape, count: int) -> Iterator[Planned]:
    """So many batches: full ones as long as there are frames, then one of the rest, then empty ones."""
    size = shape.frames
    return (Planned(frames[start : start + size], shape) for start in range(0, size * count, size))


def _per_frame(sizes: Sizes, frames: int, atoms: int, members: Indices | slice = slice(None)) -> Shape:
    """The shape of a batch in which each of so many frames has room for as much as the largest of `members` needs."""
    pairs, grid = (frames * sizes.longest(axis, members) for axis in ("pairs", "grid"))
    return Shape(frames, frames * atoms, pairs, grid, atoms)


def _check(plan: Plan, *sizes: int) -> None:
    if min(sizes) < 1 or plan.group < 1:
        found = f"their size is {min(sizes)} and their group {plan.group}"
        raise ConfigError("plan batches", found, "Give 1 or more for both")
    if max(sizes) > MOST:
        raise ConfigError("plan batches", f"their size is {max(sizes)}", f"Give at most {MOST}")
    if plan.order.frames != len(plan.sizes):
        found = f"the order is of {plan.order.frames} frames and there are {len(plan.sizes)}"
        raise ConfigError("plan batches", found, "Make the order of as many frames")
