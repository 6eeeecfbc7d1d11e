"""Columns of a text or row format, in which all fields of a frame are found and parsed together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from atomloom.data import Column
from atomloom.data.columns import Array, Indices

BLOCK = 1024
"""Frames that are parsed at once; the last such block is kept, since a batch asks for its fields one by one."""


class Frames(ABC):
    """Frames of a file that are parsed on demand, all their fields at once."""

    def __init__(self) -> None:
        self._kept: tuple[bytes, Mapping[str, Array]] = (b"", {})

    @abstractmethod
    def parse(self, frames: Indices) -> Mapping[str, Array]:
        """The values of every field of these frames, rows of ragged ones one behind the other."""

    def values(self, name: str, frames: Indices) -> list[Array]:
        """The values of one field, a block of frames in each array."""
        return [self._block(frames[start : start + BLOCK])[name] for start in range(0, len(frames), BLOCK)]

    def _block(self, frames: Indices) -> Mapping[str, Array]:
        key = frames.tobytes()
        kept, values = self._kept
        if kept != key:
            values = self.parse(frames)
            self._kept = (key, values)
        return values

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": (b"", {})}


@final
class Parsed(Column):
    """One field of such frames.

    Args:
        source: the frames.
        name: of the field in what `Frames.parse` returns.
        item: shape of a row.
        frames: how many there are, or for a ragged field the number of rows in each.
    """

    def __init__(
        self, source: Frames, name: str, dtype: np.dtype[Any], item: tuple[int, ...], frames: int | Indices
    ) -> None:
        self.source, self.name, self.dtype, self.item = source, name, dtype, item
        self.frames = frames if isinstance(frames, int) else len(frames)
        self.lengths = None if isinstance(frames, int) else frames

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        if not len(frames):
            return np.empty((0, *self.item), dtype=self.dtype)
        parts = self.source.values(self.name, frames)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
