"""Finds the pairs of atoms of all frames of a store and keeps them in it.

The pairs of a shard are a part of it, in a folder of its own, so that no file that is there already changes; the new
manifest names it beside the old ones. Killed half-way it leaves a store without them, and goes on with the next shard
when it is started again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import msgspec
import numpy as np

from atomloom.batching import PairList, within
from atomloom.batching.near import PAIR_FIELDS
from atomloom.data import Batch
from atomloom.data.columns import Array, Indices, offsets
from atomloom.data.schema import declared
from atomloom.errors import ConfigError, DataError
from atomloom.progress import track
from atomloom.runs.targets import writing
from atomloom_memmap import manifest
from atomloom_memmap.building import SHARDS, Build
from atomloom_memmap.edges import AXIS
from atomloom_memmap.manifest import AxisEntry, Edges, FieldEntry, Manifest, Part, Shard
from atomloom_memmap.part_writer import ArrayWriter, PartWriter, Planned, file_names
from atomloom_memmap.shard import OpenShard

_CANDIDATES = 1 << 18  # pairs of all atoms that are looked at in one go, which bounds the memory that it takes
_PER_FRAME = 64  # what a frame counts beside its pairs
_CHUNK = 1 << 18  # pairs that are copied at once


def cache_edges(path: str | Path, cutoff: float, *, replace: bool = False) -> bool:
    """Keep the pairs within `cutoff`, in angstrom, of all frames in the store at `path`; whether there was any need.

    Args:
        replace: whether pairs within another cutoff may be replaced. Their files stay, for those who have the store
            open, until `prune`.
    """
    folder = Path(os.path.realpath(path))
    if _is_done(manifest.load(folder), path, cutoff, replace):
        return False
    build = Build(folder, adding=True)
    with writing(path, only=build.folder):
        identity = f"pairs within {float(cutoff)!r}, of {manifest.seal(manifest.load(folder))}"
        with build.open(identity):
            before = manifest.load(folder)  # as it is now that nobody else adds to it
            if done := _is_done(before, path, cutoff, replace):
                build.remove()
            else:
                number = 1 + (before.edges.number if before.edges else 0)
                build.publish(with_edges(without_edges(before), Edges(float(cutoff), number), build))
    return not done


def without_edges(described: Manifest) -> Manifest:
    """What the manifest of a store is without the pairs that it keeps."""
    if described.edges is None:
        return described
    return msgspec.structs.replace(
        described,
        fields={name: entry for name, entry in described.fields.items() if name not in PAIR_FIELDS},
        axes={axis: entry for axis, entry in described.axes.items() if axis != AXIS},
        shards=tuple(
            Shard(shard.frames, tuple(part for part in shard.parts if AXIS not in part.offsets))
            for shard in described.shards
        ),
        edges=None,
    )


def with_edges(described: Manifest, edges: Edges, build: Build) -> Manifest:
    """The manifest with the pairs of all its shards, which are found and written into `build`."""
    work = _Work(described, edges, build)
    found = [work.finished(shard) for shard in work.shards]
    missing = [shard for shard, pairs in zip(work.shards, found, strict=True) if pairs is None]
    total = sum(1 for shard in missing for _ in _blocks(shard))
    label = f"finding pairs in {build.target.name}"
    blocks = track((block for shard in missing for block in _blocks(shard)), total=total, label=label)
    for number, shard in enumerate(work.shards):
        if found[number] is None:
            found[number] = work.write(shard, blocks)
    for _ in blocks:  # brings the bar to its end
        pass
    pairs = [each for each in found if each is not None]
    return msgspec.structs.replace(
        described,
        fields={**described.fields, **work.fields},
        axes={**described.axes, AXIS: reduce(AxisEntry.joined, (AxisEntry.of(each.lengths(AXIS)) for each in pairs))},
        shards=tuple(
            Shard(shard.frames, (*shard.parts, *(part.described for part in own.parts)))
            for shard, own in zip(described.shards, pairs, strict=True)
        ),
        edges=edges,
    )


@dataclass(frozen=True)
class _Work:
    """Finding the pairs of the shards of a manifest."""

    described: Manifest
    edges: Edges
    build: Build

    @cached_property
    def fields(self) -> dict[str, FieldEntry]:
        """What pairs are kept as: atoms in the smallest type that counts those of the longest frame."""
        counted = np.min_scalar_type(max(self.described.axes["atom"].longest - 1, 0)).newbyteorder("<").str
        known = PAIR_FIELDS if {"cell", "pbc"} <= set(self.described.fields) else PAIR_FIELDS[:2]
        return {
            name: FieldEntry(
                declared(name).dims,
                declared(name).unit,
                "<f8" if name == "pair_shift" else counted,
                (3,) if name == "pair_shift" else (),
                AXIS,
            )
            for name in known
        }

    @cached_property
    def shards(self) -> list[OpenShard]:
        """The shards, open."""
        axes = {name: entry.axis for name, entry in self.described.fields.items()}
        firsts = offsets(np.array([shard.frames for shard in self.described.shards])).tolist()
        return [
            OpenShard(self.build.home(_base(shard.parts[0])), number, first, shard, axes, "touch")
            for number, (first, shard) in enumerate(zip(firsts, self.described.shards, strict=False))
        ]

    def finished(self, shard: OpenShard) -> OpenShard | None:
        """The pairs of a shard, where they are on the disk already."""
        name = self._name(shard)
        if (done := self.build.finished(name)) is None or done.frames != shard.frames:
            return None
        opened = OpenShard(
            self.build.home(name), shard.number, shard.first, done, dict.fromkeys(self.fields, AXIS), "touch"
        )
        try:
            opened.check_sizes()
        except DataError:
            return None
        return opened

    def write(self, shard: OpenShard, blocks: Iterator[Indices]) -> OpenShard:
        """Find the pairs of a shard, of as many of the `blocks` as are its own, and write them."""
        name, lengths, upto = self._name(shard), [], 0
        folder = self.build.shard_folder(name)
        with ExitStack() as stack:
            # A file says in front how many pairs it holds, which is known when the last one is found.
            spools = {name: stack.enter_context(TemporaryFile(dir=folder.parents[1])) for name in self.fields}
            while upto < shard.frames:
                frames = next(blocks)
                counts, values = self._pairs(shard, frames)
                lengths.append(counts)
                upto += len(frames)
                for field, entry in self.fields.items():
                    spools[field].write(np.ascontiguousarray(values[field], dtype=entry.dtype).tobytes())
            part = self._copied(name, folder, np.concatenate(lengths), spools)
        self.build.finish(name, Shard(shard.frames, (part,)))
        found = self.finished(shard)
        assert found is not None, f"the pairs in {folder} are gone"
        return found

    def _pairs(self, shard: OpenShard, frames: Indices) -> tuple[Indices, dict[str, Array]]:
        """How many pairs each of some frames has, and these, counted within their frames."""
        needed: list[str] = [name for name in ("R", "cell", "pbc") if name in self.described.fields]
        _, atoms = shard.spans("atom", frames)
        arrays = {name: shard.rows(name, frames) for name in needed}
        fields = {name: declared(name) for name in needed}
        batch = Batch(arrays, fields, {"atom": atoms}, len(frames))
        pairs: PairList = within(batch, self.edges.cutoff)
        owners = batch.segments()[pairs.destination]
        first = batch.offsets["atom"][owners]
        shift = np.zeros((len(first), 3)) if pairs.shift is None else pairs.shift
        values = {"pair_dst": pairs.destination - first, "pair_src": pairs.source - first, "pair_shift": shift}
        return np.bincount(owners, minlength=len(frames)), values

    def _copied(self, name: str, folder: Path, lengths: Indices, spools: Mapping[str, IO[bytes]]) -> Part:
        files = file_names(self.fields)
        fields = {
            field: Planned(files[field], (int(lengths.sum()), *entry.item), np.dtype(entry.dtype))
            for field, entry in self.fields.items()
        }
        bounds = Planned(f"offsets-{AXIS}.npy", (len(lengths) + 1,), np.dtype("<i8"))
        with PartWriter(folder, fields, {AXIS: bounds}) as part:
            part.offsets[AXIS].write(offsets(lengths))
            for field, writer in part.fields.items():
                _copy(spools[field], writer, self.fields[field])
            return part.finish(f"{SHARDS}/{name}")

    def _name(self, shard: OpenShard) -> str:
        return f"{_base(shard.parts[0].described)}+edges-{self.edges.number}"


def _copy(spool: IO[bytes], writer: ArrayWriter, entry: FieldEntry) -> None:
    size = int(np.prod(entry.item, dtype=np.int64)) * np.dtype(entry.dtype).itemsize
    spool.seek(0)
    while piece := spool.read(_CHUNK * size):
        writer.write(np.frombuffer(piece, dtype=entry.dtype).reshape(-1, *entry.item))


def _blocks(shard: OpenShard) -> Iterator[Indices]:
    """The frames of a shard in stretches with about as many candidates for pairs, but of one frame at least."""
    costs = np.cumsum(shard.lengths("atom") ** 2 + _PER_FRAME)
    cuts = np.flatnonzero(np.diff(costs // _CANDIDATES)) + 1
    return iter(np.split(np.arange(shard.frames, dtype=np.int64), cuts))


def _base(part: Part) -> str:
    return part.folder.rpartition("/")[2]


def _is_done(described: Manifest, path: str | Path, cutoff: float, replace: bool) -> bool:
    """Whether a store has these pairs already; stops where it cannot have them."""
    asked = f"keep pairs in the store '{path}'"
    if described.edges is None:
        if held := [name for name in PAIR_FIELDS if name in described.fields]:
            todo = f"Convert its source again, with --as {held[0]}=ignore"
            raise DataError(asked, f"it holds {held[0]!r}, and not the cutoff that was used", todo)
        if "R" not in described.fields:
            raise DataError(asked, "it holds no positions R", "Pack the positions as well")
        return False
    if described.edges.cutoff == cutoff:
        return True
    if not replace:
        found = f"it keeps those within {described.edges.cutoff:g} angstrom"
        raise ConfigError(asked, found, f"Give --replace to keep those within {cutoff:g} angstrom instead")
    return False
