"""A packed store: opened by reading its manifest, its arrays mapped when they are first touched."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, final, get_args

import numpy as np

from atomloom.batching.near import PAIRS_WITHIN
from atomloom.data import Column, Dataset
from atomloom.data.columns import Indices
from atomloom.data.schema import declared
from atomloom.errors import ConfigError, DataError
from atomloom.progress import track
from atomloom_memmap import manifest
from atomloom_memmap.picked import Picked
from atomloom_memmap.shard import Damage, OpenShard
from atomloom_memmap.stored import Check


@final
class Store:
    """A folder of packed arrays.

    Opening reads the manifest and looks at the size of every file, and at nothing else.

    Args:
        path: of the folder.
        check: ``"touch"`` compares every block of 64 KiB with its checksum when something in it is first read;
            ``"never"`` trusts the disk.
        sizes: False to open also where files are missing or cut short, which `verify` then tells.

    Attributes:
        manifest: what the store says of itself.
        shards: its stretches of frames.
    """

    def __init__(self, path: str | Path, check: Check = "touch", *, sizes: bool = True) -> None:
        if check not in get_args(Check):
            raise ConfigError(f"open the store '{path}'", f"check is {check!r}", "Use 'touch' or 'never'")
        self.manifest = manifest.load(Path(path))
        self.path, self.check = Path(os.path.abspath(path)), check  # also where somebody changes the folder
        self.starts = np.cumsum([0, *(shard.frames for shard in self.manifest.shards)], dtype=np.int64)
        axes = {name: entry.axis for name, entry in self.manifest.fields.items()}
        self.shards = tuple(
            OpenShard(self.path, number, first, shard, axes, check)
            for number, (first, shard) in enumerate(zip(self.starts.tolist(), self.manifest.shards, strict=False))
        )
        for shard in self.shards if sizes else ():
            shard.check_sizes()

    def __len__(self) -> int:
        return self.manifest.frames

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened_again, (self.path, self.check, manifest.seal(self.manifest))

    def __repr__(self) -> str:
        return f"<Store of {len(self)} frames in {len(self.shards)} shards: {', '.join(self.manifest.fields)}>"

    def lengths(self, axis: str) -> Indices:
        """The rows of every frame along a ragged axis; counted once, then kept."""
        if axis not in self._lengths:
            if axis not in self.manifest.axes:
                known = ", ".join(self.manifest.axes) or "none"
                raise DataError(f"count the rows along {axis!r}", f"the ragged axes are {known}", "Name one of these")
            lengths = np.empty(len(self), dtype=np.int64)
            for shard in self.shards:
                lengths[shard.first : shard.first + shard.frames] = shard.lengths(axis)
            lengths.flags.writeable = False
            self._lengths[axis] = lengths
        return self._lengths[axis]

    def pick(self, axis: str, frames: Indices) -> Picked:
        """Where these frames are; asked again for the very same read-only array, as for each field, it remembers."""
        fixed = () if frames.flags.writeable else tuple(self._picked.values())
        same = {picked.axis: picked for picked in fixed if picked.frames is frames}
        if axis not in same:
            same[axis] = self._picked[axis] = Picked(
                self.shards, self.starts, axis, frames, next(iter(same.values()), None)
            )
        return same[axis]

    @cached_property
    def _picked(self) -> dict[str, Picked]:
        return {}

    @cached_property
    def _lengths(self) -> dict[str, Indices]:
        return {}

    def dataset(self) -> Dataset:
        """The frames as a data set; nothing is read yet."""
        from atomloom_memmap.column import Counted, Stored

        columns: dict[str, Column] = {name: Stored(self, name) for name in self.manifest.fields}
        fields = {name: entry.field(name) for name, entry in self.manifest.fields.items()}
        for name, axis in self.manifest.counts.items():
            columns[name], fields[name] = Counted(self, axis), declared(name)
        edges = self.manifest.edges
        within = {} if edges is None else {PAIRS_WITHIN: edges.cutoff}
        return Dataset(columns, fields, {**self.manifest.meta, **within, "source": self.path.name})

    @property
    def bytes(self) -> int:
        """Bytes of all arrays, as the manifest says."""
        parts = [part for shard in self.manifest.shards for part in shard.parts]
        return sum(entry.bytes for part in parts for entry in (*part.offsets.values(), *part.fields.values()))

    def verify(self) -> list[Damage]:
        """Every place in every file that has not its checksum; nothing is trusted but the manifest."""
        stretches = (found for shard in self.shards for found in shard.verified())
        total = sum(shard.stretches for shard in self.shards)
        return [
            damage for found in track(stretches, total=total, label=f"verifying {self.path.name}") for damage in found
        ]


def _opened_again(path: Path, check: Check, seal: str) -> Store:
    """A store in another process, as long as it is still the same."""
    store = Store(path, check)
    if manifest.seal(store.manifest) != seal:
        found = "it has been written anew or added to since it was sent to this process"
        raise DataError(f"open the store '{path}' again", found, "Start again with the store as it is now")
    return store
