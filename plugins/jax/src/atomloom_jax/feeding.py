"""From a plan to what updates take: batches read, padded, stacked and brought to the devices, all ahead of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding

from atomloom.batching import Near, PaddedBatch, Plan, Planned, Position, Shape, Stream, ahead, load
from atomloom.model import Model
from atomloom_jax.device_batch import DeviceBatch
from atomloom_jax.model import JaxModel
from atomloom_jax.precision import precise
from atomloom_jax.step import DIVIDED


class Prepared(NamedTuple):
    """What one update takes.

    Args:
        planned: the batches of this process.
        shape: of each.
        arrays: on the devices, as ``[batches of a device, devices, ...]``.
        structures: how many real frames they hold.
    """

    planned: tuple[Planned, ...]
    shape: Shape
    arrays: DeviceBatch
    structures: int


@dataclass(frozen=True)
class Feed:
    """The updates' data of a part of a data set.

    Args:
        near: the part, with the pairs of atoms that the model looks at.
        plan: its batches, in groups that make an update.
        names: the fields that are read.
        model: with `state`, which gives the offsets of the references.
        mesh: the devices.
        precision: of the numbers.
    """

    near: Near
    plan: Plan
    names: tuple[str, ...]
    model: Model[Any]
    state: Any
    mesh: Mesh
    precision: str

    @contextmanager
    def epochs(self, numbers: Iterable[int], depth: int) -> Iterator[Iterator[Prepared | None]]:
        """The updates of these epochs (the first is 0), with None behind each epoch.

        Up to `depth` of them are prepared before they are asked for, those of the next epoch too.
        """
        with closing(ahead(self._one_by_one(numbers), depth)) as prepared:
            yield prepared

    def _one_by_one(self, numbers: Iterable[int]) -> Iterator[Prepared | None]:
        host, hosts = jax.process_index(), jax.process_count()
        for number in numbers:
            stream = Stream(self.plan, Position(number), host=host, hosts=hosts)
            yield from map(self.prepared, stream.epoch())
            yield None

    @property
    def updates(self) -> int:
        """How many updates an epoch has; for plans in which epochs differ, the first."""
        return sum(1 for _ in self.plan.batches(0)) // self.plan.group

    def prepared(self, planned: tuple[Planned, ...]) -> Prepared:
        """One update's batches on the devices."""
        batches = [self.batch(each) for each in planned]
        stacked = DeviceBatch.stacked(batches)
        devices = len(self.mesh.local_devices)
        divided = jax.tree.map(lambda values: values.reshape(-1, devices, *values.shape[1:]), stacked)
        with precise(self.precision):
            arrays = self._placed(divided)
        return Prepared(planned, stacked.shape, arrays, sum(len(each.frames) for each in planned))

    def batch(self, planned: Planned) -> DeviceBatch:
        """One batch on the host, its references less what the model adds to its predictions."""
        padded = load(self.near.dataset, planned, self.names, self.near.of(planned.frames))
        return DeviceBatch.of(padded, self.precision, offsets_of(self.model, self.state, padded))

    def _placed(self, batches: DeviceBatch) -> DeviceBatch:
        """All arrays in one go where one process has all devices, which takes half the time."""
        sharding = NamedSharding(self.mesh, DIVIDED)
        if jax.process_count() == 1:
            placed: DeviceBatch = jax.device_put(batches, sharding)
            return placed
        shared: DeviceBatch = jax.tree.map(
            lambda values: jax.make_array_from_process_local_data(sharding, values), batches
        )
        return shared


def offsets_of(model: Model[Any], state: Any, batch: PaddedBatch) -> Mapping[str, np.ndarray]:
    """What a model adds to its predictions in float64, on the host."""
    return model.offsets(state, batch) if isinstance(model, JaxModel) else {}
