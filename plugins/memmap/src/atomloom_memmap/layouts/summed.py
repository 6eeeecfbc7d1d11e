"""A value of each frame that is the sum over its atoms."""

from __future__ import annotations

from typing import final

import numpy as np

from atomloom.data import Column
from atomloom.data.columns import Array, Indices


@final
class Summed(Column):
    """The sums of a ragged column of single whole numbers over each frame."""

    def __init__(self, column: Column) -> None:
        assert column.lengths is not None, "only ragged columns are summed"
        self.column, self.rows = column, column.lengths
        self.frames, self.item, self.dtype = column.frames, (), np.dtype(np.int64)

    @property
    def reads(self) -> int:
        """See `Column.reads`."""
        return int(self.rows.max(initial=0)) * self.column.dtype.itemsize

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        owner = np.repeat(np.arange(len(frames)), self.rows[frames])
        out = np.zeros(len(frames), dtype=self.dtype)
        np.add.at(out, owner, self.column.take(frames))
        return out
