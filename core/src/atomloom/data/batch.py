"""Some frames of a data set in memory, exactly as long as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from atomloom.data.columns import Array, Indices, offsets
from atomloom.data.slots import Slots, spread
from atomloom.specs import Field


@final
class Batch(Mapping[str, Array]):
    """A frozen mapping of field name to values.

    A per-frame field has one row a frame. A ragged field has the rows of all frames one behind the other, and
    `offsets` of its axis says where each frame's begin.

    Args:
        arrays: the values by field name.
        fields: the declarations of these fields.
        sizes: for each ragged axis the length in every frame; the axis of a field that is not harmonised yet is called
            like the field.
        length: number of frames.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        fields: Mapping[str, Field],
        sizes: Mapping[str, Indices],
        length: int,
    ) -> None:
        self._arrays = {name: frozen(values) for name, values in arrays.items()}
        self.fields = dict(fields)
        self.sizes = dict(sizes)
        self.offsets = {axis: offsets(lengths) for axis, lengths in sizes.items()}
        self.frames = length

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def frame(self, index: int) -> dict[str, NDArray[Any]]:
        """The values of one frame, without its axis: ``batch.frame(0)["R"]`` is ``[atoms, 3]``."""
        index = range(self.frames)[index]
        out = {}
        for name, values in self._arrays.items():
            axis = self.axis(name)
            bounds = self.offsets[axis] if axis else None
            out[name] = values[index] if bounds is None else values[bounds[index] : bounds[index + 1]]
        return out

    def axis(self, name: str) -> str:
        """The ragged axis along which a field's rows lie, or an empty string for one row a frame."""
        return self.fields[name].ragged or (name if name in self.sizes else "")

    def slotted(self, name: str, slots: Slots) -> Iterable[Array]:
        """A field batch by batch in slots."""
        axis = self.axis(name)
        return spread(self[name], slots, self.sizes[axis] if axis else None)

    def segments(self, axis: str = "atom") -> Indices:
        """For every row along a ragged axis the frame in this batch to which it belongs."""
        return np.repeat(np.arange(self.frames, dtype=np.int64), self.sizes[axis])

    def __repr__(self) -> str:
        held = ", ".join(f"{name}{list(values.shape)}" for name, values in self._arrays.items())
        return f"<Batch of {self.frames} frames: {held}>"


def frozen(values: Array) -> Array:
    """The same values where nobody can change them."""
    if not values.flags.writeable:
        return values
    view = values.view()
    view.flags.writeable = False
    return view
