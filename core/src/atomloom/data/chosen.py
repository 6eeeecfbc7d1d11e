"""Some frames of a data set, whose fields are read one by one into the slots of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import final

from atomloom.data.columns import Array, Indices
from atomloom.data.dataset import Dataset
from atomloom.data.slots import Slots


@final
class Chosen:
    """What `Dataset.take` would give, not read yet: `atomloom.batching.pad` reads each field right into its slots.

    Args:
        dataset: what the frames are of.
        numbers: of the frames, from 0 up.
        names: of the fields; all without them.
    """

    def __init__(self, dataset: Dataset, numbers: Indices, names: Sequence[str] | None = None) -> None:
        self.names = list(dataset.columns if names is None else names)
        self.frames = len(numbers)
        whole, viewed = dataset.origin or (dataset, None)
        self._dataset, self._numbers = whole, numbers.view() if viewed is None else viewed[numbers]
        self._numbers.flags.writeable = False  # columns may keep what they find out about these very frames
        self.sizes = whole.sizes_of(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def axis(self, name: str) -> str:
        """The ragged axis of a field, or an empty string."""
        return self._dataset.axis(name)

    def slotted(self, name: str, slots: Slots) -> Iterable[Array]:
        """A field batch by batch in slots."""
        return self._dataset.column(name).slotted(self._numbers, slots)
