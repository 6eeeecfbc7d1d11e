"""How much memory a compiled program takes, and which batch would fit where it takes too much.

A program takes its arguments and results (parameters, their average, the state of the optimiser, the batch) and what it
holds in between. All but the first three grow in proportion to the batch, so what one of another size takes follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import jax
from jax.stages import Compiled

from atomloom.batching import Shape
from atomloom.errors import RunFailed

_EXHAUSTED = "RESOURCE_EXHAUSTED"


class Demand(NamedTuple):
    """What a program takes on a device.

    Args:
        shape: of its batches.
        fixed: bytes that do not depend on the batch.
        whole: all bytes.
    """

    shape: Shape
    fixed: int
    whole: int

    @classmethod
    def of(cls, compiled: Compiled, shape: Shape, fixed: int) -> Demand:
        """As the compiler tells it; nothing but `fixed` where it does not."""
        told = compiled.memory_analysis()
        if told is None:
            return cls(shape, fixed, fixed)
        own = told.argument_size_in_bytes + told.output_size_in_bytes - told.alias_size_in_bytes
        return cls(shape, fixed, int(own + told.temp_size_in_bytes))

    def fitting(self, limit: int) -> int:
        """How many frames a batch may have to take no more than `limit` bytes.

        >>> Demand(Shape(frames=100, atoms=900), fixed=1000, whole=11000).fitting(6000)
        50
        """
        return int(self.shape.frames * max(limit - self.fixed, 0) // max(self.whole - self.fixed, 1))


def memory_limit(devices: Iterable[jax.Device]) -> int | None:
    """Bytes that the smallest of these devices lets JAX use; None where devices do not tell, as CPUs do not."""
    told = [device.memory_stats() for device in devices]
    limits = [int(each["bytes_limit"]) for each in told if each and "bytes_limit" in each]
    return min(limits, default=None)


def check_fits(demand: Demand, limit: int | None) -> None:
    """Stops before a program is run that takes more memory than there is.

    Raises:
        RunFailed: with the batch that would fit.
    """
    if limit is not None and demand.whole > limit:
        raise too_large(demand, limit)


def too_large(demand: Demand, limit: int | None) -> RunFailed:
    """The error that says which batch would fit, by the compiler's word where the device tells what it has."""
    frames = demand.shape.frames
    less = max(demand.fitting(limit) if limit is not None and demand.whole > limit else frames // 2, 1)
    has = "the device has no more left" if limit is None else f"the device has {_gigabytes(limit)}"
    found = f"an update takes {_gigabytes(demand.whole)} and {has}"
    todo = f"Batches of {less} frames a device would fit; gradient_accumulation_steps keeps the updates as large"
    return RunFailed(f"train with batches of {frames} frames and {demand.shape.atoms} atoms a device", found, todo)


@contextmanager
def exhaustion_told(demands: dict[Shape, Demand], limit: int | None) -> Iterator[None]:
    """Let an error of JAX about memory, whenever it comes, say which batch would fit."""
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if _EXHAUSTED not in str(error) or not demands:
            raise
        raise too_large(max(demands.values(), key=lambda each: each.whole), limit) from error


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.3g} GB"
