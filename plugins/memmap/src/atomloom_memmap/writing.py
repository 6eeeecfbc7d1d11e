"""Writes a data set as a packed store: streaming, in bounded memory, resumable, always the same bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import xxhash
from importlib_metadata import version

from atomloom.data import Dataset
from atomloom.data.columns import Array
from atomloom.errors import ConfigError, DataError
from atomloom.progress import track
from atomloom.runs.targets import writing
from atomloom_memmap import manifest
from atomloom_memmap.building import SHARDS, Build, check_replaceable, check_room, generation
from atomloom_memmap.checksums import BLOCK
from atomloom_memmap.contents import Block, Contents, agree, agree_on_level
from atomloom_memmap.edge_writing import with_edges, without_edges
from atomloom_memmap.manifest import FieldEntry, Manifest, Shard
from atomloom_memmap.part_writer import PartWriter
from atomloom_memmap.shard import OpenShard

SHARD_MIB = 2048
"""MiB of a shard, at most, unless somebody wants it otherwise."""

_PROBES = 16  # frames of a finished shard that are compared with the source before it is trusted


Make = Callable[[Build, int], Manifest]
"""Writes shards into a build, under names that begin with this number, and describes them."""


def write(dataset: Dataset, target: str | Path, /, *, shard_mib: int = SHARD_MIB) -> None:
    """Write `dataset` as a store at `target`, which appears when it is whole; one that is there is replaced then.

    A conversion of files that was killed goes on where it stopped when it is started again.

    Args:
        shard_mib: MiB of a shard at most; a smaller one loses less work to an interruption, larger ones read faster.
    """
    check_replaceable(Path(os.path.realpath(target)))
    contents = Contents.of(dataset)
    put(target, identity(contents, shard_mib), _made_of(contents, shard_mib))


def append(dataset: Dataset, target: str | Path, /, *, shard_mib: int = SHARD_MIB) -> None:
    """Add the frames of `dataset` behind those of the store at `target`; whoever has it open is not disturbed.

    The fields must be the same, in the same units; pairs that the store keeps are found for the new frames too. A
    killed addition of files changes nothing, and goes on when it is started again.
    """
    contents = Contents.of(dataset)
    names = (f"'{target}'", _called(dataset))

    def check(first: Manifest) -> None:
        check_addition(first, contents.fields, contents.meta, names)

    put_behind(target, identity(contents, shard_mib), check, _made_of(contents, shard_mib))


def put(target: str | Path, identity: str, make: Make) -> None:
    """Make a store and give it its place, in which a store may be, and nothing else."""
    path = Path(os.path.realpath(target))
    check_replaceable(path)
    build = Build(path)
    with writing(target, only=build.folder), build.open(identity):
        build.publish(make(build, 0))


def put_behind(target: str | Path, identity: str, check: Callable[[Manifest], None], make: Make) -> None:
    """Make shards and add them to a store.

    Args:
        check: stops where they do not belong behind those of a store.
    """
    path = Path(os.path.realpath(target))
    check(manifest.load(path))
    build = Build(path, adding=True)
    with writing(target, only=build.folder), build.open(identity):
        first = manifest.load(path)  # as it is now that nobody else adds to it
        check(first)
        if build.is_published(first):
            build.remove()
        else:
            build.publish(extended(first, make(build, generation(first)), build))


def check_addition(
    first: Manifest, fields: Mapping[str, FieldEntry], meta: Mapping[str, Any], called: tuple[str, str]
) -> None:
    """Stops where frames with these fields do not belong behind those of a store."""
    agree(without_edges(first).fields, fields, called)
    agree_on_level(first.meta, meta, called)


def build_shards(contents: Contents, build: Build, job: str, shard_mib: int) -> tuple[Shard, ...]:
    """The shards of one job in order, those written that were not complete yet."""
    if shard_mib < 1:
        raise ConfigError("pack the data set", f"a shard of {shard_mib} MiB was asked for", "Ask for one or more")
    cut = contents.shards(shard_mib << 20)
    names = [f"{job}.{number}" for number in range(len(cut))]
    found = {name: _finished(contents, build, name, blocks) for name, blocks in zip(names, cut, strict=True)}
    missing = [(name, block) for name, blocks in zip(names, cut, strict=True) if not found[name] for block in blocks]
    check_room(build.folder, sum(block.bytes for _, block in missing), build.target)
    blocks = track((block for _, block in missing), total=len(missing), label=f"packing {build.target.name}")
    shards = []
    for name, own in zip(names, cut, strict=True):
        if (shard := found[name]) is None:
            shard = _write_shard(contents, build, name, [next(blocks) for _ in own])
            build.finish(name, shard)
        shards.append(shard)
    for _ in blocks:  # brings the bar to its end
        pass
    return tuple(shards)


def described(contents: Contents, shards: Sequence[Shard]) -> Manifest:
    """The manifest of these shards."""
    return Manifest(
        format=manifest.FORMAT,
        written_by=version("atomloom"),
        frames=len(contents.dataset),
        fields=contents.fields,
        counts=contents.counts,
        axes=contents.axes,
        meta=contents.meta,
        sources=contents.sources,
        block=BLOCK,
        shards=tuple(shards),
    )


def extended(first: Manifest, own: Manifest, build: Build) -> Manifest:
    """The manifest of a store and of shards that were built for it; of pairs that it keeps theirs are found as well."""
    return joined(first, own if first.edges is None else with_edges(own, first.edges, build))


def joined(first: Manifest, other: Manifest) -> Manifest:
    """The manifest of the frames of both; `meta` keeps what is the same."""
    fields = {
        name: msgspec.structs.replace(entry, dtype=np.result_type(entry.dtype, other.fields[name].dtype).str)
        for name, entry in first.fields.items()
    }
    return msgspec.structs.replace(
        other,
        frames=first.frames + other.frames,
        fields=fields,
        counts=first.counts,
        axes={axis: entry.joined(other.axes[axis]) for axis, entry in first.axes.items()},
        meta={key: value for key, value in first.meta.items() if other.meta.get(key) == value},
        sources=(*first.sources, *other.sources),
        shards=(*first.shards, *other.shards),
    )


def identity(contents: Contents, shard_mib: int) -> str:
    """Tells one conversion of files from any other; empty for data that come from no file and could be anything."""
    if not contents.sources:
        return ""
    said = (manifest.FORMAT, version("atomloom"), contents.fields, contents.counts, contents.meta, contents.sources)
    digest = xxhash.xxh3_128(msgspec.json.encode((*said, shard_mib)))
    for axis, lengths in sorted(contents.dataset.sizes.items()):
        digest.update(axis.encode() + np.ascontiguousarray(lengths).data)
    return str(digest.hexdigest())


def _made_of(contents: Contents, shard_mib: int) -> Make:
    return lambda build, number: described(contents, build_shards(contents, build, f"{number}.0", shard_mib))


def _finished(contents: Contents, build: Build, name: str, blocks: Sequence[Block]) -> Shard | None:
    """A shard that an earlier run completed, if it is whole and holds what the source says now.

    The latter is judged by frames spread over it: other options of the conversion may have changed its values.
    """
    shard, start, frames = build.finished(name), blocks[0].start, blocks[-1].stop - blocks[0].start
    if shard is None or shard.frames != frames:
        return None
    axes = {field: entry.axis for field, entry in contents.fields.items()}
    local = np.unique(np.linspace(0, frames - 1, _PROBES).astype(np.int64))
    now = contents.dataset.take(start + local, list(axes))
    try:
        opened = OpenShard(build.home(name), 0, start, shard, axes, "touch")
        opened.check_sizes()
        same = all(_same(opened.rows(field, local), now[field]) for field in axes)
    except DataError:
        return None
    return shard if same else None


def _same(stored: Array, now: Array) -> bool:
    return stored.tobytes() == now.astype(stored.dtype, copy=False).tobytes()


def _write_shard(contents: Contents, build: Build, name: str, blocks: Sequence[Block]) -> Shard:
    start, stop = blocks[0].start, blocks[-1].stop
    fields, offsets = contents.planned(start, stop)
    with PartWriter(build.shard_folder(name), fields, offsets) as part:
        upto = dict.fromkeys(offsets, 0)
        for axis in offsets:
            part.offsets[axis].write(np.zeros(1, dtype=np.int64))
        for block in blocks:
            batch = contents.dataset.take(np.arange(block.start, block.stop, dtype=np.int64), list(fields))
            for field, writer in part.fields.items():
                writer.write(batch[field])
            for axis in offsets:
                part.offsets[axis].write(batch.offsets[axis][1:] + upto[axis])
                upto[axis] += int(batch.offsets[axis][-1])
        return Shard(stop - start, (part.finish(f"{SHARDS}/{name}"),))


def _called(dataset: Dataset) -> str:
    source = dataset.meta.get("source")
    return f"'{source}'" if isinstance(source, str) else "the data set"
