"""A batch on its way through JAX: the arrays of a `PaddedBatch`, with its slots as part of the type.

Two batches of one shape are the same to a compiler. On the host the arrays are numpy's, while tracing they are tracers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, final

import jax
import numpy as np

from atomloom.batching import PaddedBatch, Shape
from atomloom_jax.precision import cast


@final
class DeviceBatch(Mapping[str, Any]):
    """Arrays by name; see `PaddedBatch` for what they are.

    Attributes:
        shape: the slots, known while compiling.
    """

    def __init__(self, arrays: Mapping[str, Any], shape: Shape) -> None:
        self._arrays, self.shape = dict(arrays), shape

    @classmethod
    def of(cls, batch: PaddedBatch, precision: str, offsets: Mapping[str, np.ndarray] | None = None) -> DeviceBatch:
        """The numbers of a batch in one precision, and less `offsets`, which are subtracted in float64; no texts."""
        less = offsets or {}
        numbers = {name: values for name, values in batch.items() if values.dtype.kind in "fiub"}
        moved = {name: values - less[name] if name in less else values for name, values in numbers.items()}
        return cls({name: cast(values, precision) for name, values in moved.items()}, batch.shape)

    @classmethod
    def stacked(cls, batches: list[DeviceBatch]) -> DeviceBatch:
        """Batches of one shape with a new first axis."""
        first = batches[0]
        return cls({name: np.stack([batch[name] for batch in batches]) for name in first}, first.shape)

    def __getitem__(self, name: str) -> Any:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return f"<DeviceBatch of {', '.join(self._arrays)} in {tuple(self.shape)}>"


def _flatten(batch: DeviceBatch) -> tuple[list[tuple[Any, Any]], tuple[tuple[str, ...], Shape]]:
    names = tuple(sorted(batch))
    return [(jax.tree_util.DictKey(name), batch[name]) for name in names], (names, batch.shape)


def _unflatten(known: tuple[tuple[str, ...], Shape], arrays: Any) -> DeviceBatch:
    names, shape = known
    return DeviceBatch(dict(zip(names, arrays, strict=True)), shape)


jax.tree_util.register_pytree_with_keys(DeviceBatch, _flatten, _unflatten)
