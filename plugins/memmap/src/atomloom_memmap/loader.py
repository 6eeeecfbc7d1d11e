"""Batches of static shape from a packed store: shuffled over the whole store, resumable, prepared ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Unpack, cast

import numpy as np
import numpy.typing as npt

from atomloom.batching import (
    Order,
    PaddedBatch,
    PairList,
    Plan,
    Planned,
    Position,
    Sizes,
    Stream,
    ahead,
    dense_pairs,
    feed,
    within,
)
from atomloom.data import Dataset
from atomloom.data.columns import Array, Indices
from atomloom.data.references import ElementEnergies
from atomloom.data.schema import declared
from atomloom.errors import ConfigError, DataError
from atomloom_memmap import batch_plans
from atomloom_memmap.batch_plans import How, Wanted
from atomloom_memmap.cold import ASKED, advised
from atomloom_memmap.column import Counted
from atomloom_memmap.parts import Part, two_parts
from atomloom_memmap.remote import local
from atomloom_memmap.store import Store
from atomloom_memmap.stored import Check

BLOCK = 4096
"""Frames that are read together with ``order="blocks"``."""


@dataclass
class PackedMemmapLoader:
    """The frames of a store, or of a part of it, as batches of static shape.

    Args:
        path: of the store, or its address (see `atomloom_memmap.remote`).
        batch_size: frames in a batch, unless `batches` is given a budget of atoms.
        shuffle: whether every epoch has an order of its own; without it frames come as they are stored.
        bucket_size: as in `batches`, where that is not given one.
        seed: of the order.
        names: of the fields in a batch; all of the store without them.
        order: ``"shuffled"`` over the whole store, or ``"blocks"`` of 4096 frames, 16 of which are mixed at a time:
            for stores that a disk has to read, which reads stretches faster than single frames.
        cold: ask the system for the frames of coming batches before they are needed, and for nothing around them.
        precision: ``"float32"`` or ``"float64"`` that all real numbers of a batch are cast to, after `references`.
        references: energies of the elements that are taken off E in double precision: an `ElementEnergies`, energies
            in eV by symbol, or ``"fit"`` for those that fit the frames of this loader best.
        check: ``"touch"`` compares blocks with their checksums when they are first read, ``"never"`` does not.
        prefetch: batches that a thread prepares ahead; 0 for no thread.
        host, hosts: which of how many hosts this is; each takes its share of every step.
        group: batches in a step, over all hosts; a stream that was stopped can go on with any number of hosts that
            divides it. As many as hosts without it.
        part: the part of the frames that this loader gives; see `split_loader`.

    It pickles as these few values; every process opens the store for itself.
    """

    path: str | Path
    batch_size: int = 32
    shuffle: bool = True
    bucket_size: int = 0
    seed: int = 0
    names: tuple[str, ...] | None = None
    order: Literal["shuffled", "blocks"] = "shuffled"
    cold: bool = False
    precision: Literal["", "float32", "float64"] = ""
    references: ElementEnergies | Mapping[str, float] | Literal["fit"] | None = None
    check: Check = "touch"
    prefetch: int = 2
    host: int = 0
    hosts: int = 1
    group: int = 0
    part: Part | None = None
    _position: Position = field(default_factory=Position, repr=False)
    _given: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        """Open the store, and refuse values that mean nothing."""
        if self.precision not in ("", "float32", "float64") or self.order not in ("shuffled", "blocks"):
            found = f"precision is {self.precision!r} and order {self.order!r}"
            todo = "Use 'float32', 'float64' or '', and 'shuffled' or 'blocks'"
            raise ConfigError(f"load the store '{self.path}'", found, todo)
        self.store = Store(local(self.path), self.check)
        for name in self.names or ():
            self.dataset.column(name)

    def __len__(self) -> int:
        return len(self.store if self.part is None else self.frames)

    def __getstate__(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @cached_property
    def dataset(self) -> Dataset:
        """All frames of the store, with the number of their atoms."""
        dataset = self.store.dataset()
        counted = {"N": Counted(self.store, "atom")} if "atom" in dataset.sizes else {}
        return dataset.with_columns(counted, {name: declared(name) for name in counted})

    @cached_property
    def _fields(self) -> list[str]:
        """All fields but the pairs that the store keeps, which batches have as places."""
        return [name for name in self.dataset.columns if self.dataset.axis(name) != "pair"]

    @cached_property
    def frames(self) -> Indices:
        """The frames of this loader, by number in the store."""
        return np.arange(len(self.store), dtype=np.int64) if self.part is None else self.part.of(self.dataset)

    @cached_property
    def energies(self) -> ElementEnergies | None:
        """The energies of the elements that are taken off E."""
        if self.references is None or isinstance(self.references, ElementEnergies):
            return self.references
        if self.references == "fit":
            return ElementEnergies.fit(self.dataset, None if self.part is None else self.frames)
        return ElementEnergies.given(self.references)

    def batches(self, num_atoms: int | None = None, **how: Unpack[How]) -> Generator[dict[str, Array], None, None]:
        """The batches that are left of this epoch; the next call begins the next epoch.

        Every batch is a dict of flat arrays: fields over atoms ``[atoms, ...]`` and over frames ``[frames, ...]`` as
        far as the store has them, ``N [frames]``, ``batch_segments``, ``dst_idx`` and ``src_idx`` (places of the two
        atoms of every ordered pair, the former ascending), and ``frame_mask``, ``atom_mask``, ``pair_mask``; what is
        filled up is zero and masked, also in the last batch. No shapes occur but those of `plan`.

        Args:
            num_atoms: atom slots of every frame; those of the longest without it.
            how: see `How`.
        """
        plan = self.plan(num_atoms, **how)
        source = self._marked(plan, how.get("cutoff"))
        with closing(ahead(source, self.prefetch)) as prepared:
            for position, given, batch in prepared:
                self._position, self._given = position, given
                yield batch
        self._position, self._given = Position(self._position.epoch + 1), 0

    def plan(self, num_atoms: int | None = None, **how: Unpack[How]) -> Plan:
        """The plan of an epoch: which frames of this loader make a batch, and of which shape."""
        chosen = cast(Wanted, dict(how))
        if num_atoms is not None:
            chosen["num_atoms"] = num_atoms
        if self.bucket_size and not any(name in chosen for name in ("num_atoms", "buckets", "bucket_size", "atoms")):
            chosen["bucket_size"] = self.bucket_size
        block = BLOCK if self.order == "blocks" else 0
        order = Order(len(self), self.seed, self.shuffle, block)
        pairs = chosen.get("pairs", True) is not False
        return batch_plans.make(chosen, self.sizes(pairs, chosen.get("cutoff")), order, self.batch_size, self._grouped)

    def sizes(self, pairs: bool = True, cutoff: float | None = None) -> Sizes:
        """What every frame of this loader takes; where pairs within a cutoff are not cached, all pairs are reckoned."""
        atoms, grid = (self._along(axis) for axis in ("atom", "grid"))
        if atoms is None:
            raise DataError(f"make batches of the store '{self.path}'", "it has no atoms", "Pack Z or R as well")
        if not pairs:
            return Sizes(atoms, None, grid)
        cached = self._cached(cutoff)
        return Sizes(atoms, dense_pairs(atoms) if cached is None else cached[self.frames], grid)

    def load(self, *planned: Planned, cutoff: float | None = None) -> Iterator[dict[str, Array]]:
        """Batches of a plan of this loader, wherever in the epoch they are."""
        return (self._given_out(batch) for batch in self._read(map(self._numbered, planned), cutoff))

    def state(self) -> dict[str, Any]:
        """Where the stream of batches is, as plain data: what comes next is what would have come."""
        return {**self._position.state(), "given": self._given, "seed": self.seed, "frames": len(self)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken, on as many hosts or another number of them."""
        if (state["seed"], state["frames"]) != (self.seed, len(self)):
            found = f"it is of seed {state['seed']} and {state['frames']} frames, not {self.seed} and {len(self)}"
            raise ConfigError("go on with a stream of batches", found, "Open the same store with the same seed")
        if state["given"] and self._grouped != self.hosts:
            found = "it was taken between two batches of one step"
            raise ConfigError("go on with a stream on other hosts", found, "Take the state after a whole step")
        self._position, self._given = Position.of(state), int(state["given"])

    @property
    def _grouped(self) -> int:
        return self.group or self.hosts

    def _along(self, axis: str) -> Indices | None:
        """Rows of every frame along an axis that the store may lack."""
        if axis not in self.store.manifest.axes:
            return None
        lengths = self.store.lengths(axis)
        return lengths if self.part is None else lengths[self.frames]

    def _marked(self, plan: Plan, cutoff: float | None) -> Iterator[tuple[Position, int, dict[str, Array]]]:
        """The batches that are left of the epoch, each with the position behind it."""
        stream = Stream(plan, self._position, host=self.host, hosts=self.hosts)
        marks: deque[tuple[Position, int]] = deque()

        def planned() -> Iterator[Planned]:
            before, skipped = stream.position, self._given
            for step in stream.epoch():
                for number, each in enumerate(step[skipped:], skipped + 1):
                    marks.append((stream.position, 0) if number == len(step) else (before, number))
                    yield self._numbered(each)
                before, skipped = stream.position, 0

        for batch in self._read(planned(), cutoff):
            yield (*marks.popleft(), self._given_out(batch))

    def _numbered(self, planned: Planned) -> Planned:
        """A batch of a plan of this loader, with its frames as the store numbers them."""
        return Planned(self.frames[planned.frames], planned.shape) if self.part else planned

    def _read(self, planned: Iterator[Planned], cutoff: float | None) -> Iterator[PaddedBatch]:
        names = [*dict.fromkeys((*(self.names or self._fields), "N"))]
        pairs = self._pairs(cutoff) if cutoff else None
        scattered = self.order != "blocks"
        if scattered and not self.cold:
            return feed(self.dataset, planned, names, pairs)
        asked = advised(self.store, planned, names, scattered=scattered)
        return feed(self.dataset, asked, names, pairs, together=ASKED // 8 if scattered else ASKED)

    def _cached(self, cutoff: float | None) -> Indices | None:
        """How many pairs within a cutoff every frame of the store has, where the store keeps such pairs."""
        if cutoff is None or "pair" not in self.store.manifest.axes:
            return None
        from atomloom_memmap.edges import cached_cutoff, pair_counts

        return pair_counts(self.store) if cutoff == cached_cutoff(self.store) else None

    def _pairs(self, cutoff: float) -> Callable[[Indices], PairList]:
        """Gives the pairs of frames within a cutoff: those that the store keeps, else found now."""
        if self._cached(cutoff) is not None:
            from atomloom_memmap.edges import edges_of

            return lambda frames: edges_of(self.store, frames)
        needed = [name for name in ("Z", "R", "cell", "pbc") if name in self.dataset]
        return lambda frames: within(self.dataset.take(frames, needed), cutoff)

    def _given_out(self, batch: PaddedBatch) -> dict[str, Array]:
        """A batch as people expect it: with E less the energies of the elements, and in one precision."""
        arrays = batch.as_dict()
        if self.energies is not None and "E" in arrays:
            arrays["E"] = self.energies.subtract(arrays["E"], arrays["Z"], arrays["batch_segments"])
        if not self.precision:
            return arrays
        real = (name for name, values in arrays.items() if values.dtype.kind == "f")
        return arrays | {name: arrays[name].astype(self.precision, copy=False) for name in real}


def split_loader(
    loader: PackedMemmapLoader,
    train_fraction: float = 0.9,
    *,
    seed: int = 0,
    group: str = "",
    indices: Mapping[str, npt.ArrayLike] | None = None,
) -> tuple[PackedMemmapLoader, PackedMemmapLoader]:
    """A loader to train with and one to validate with, which gives its frames in the order of the store.

    Args:
        loader: of a whole store; what it is set to holds for both, and energies are fitted to the training part alone.
        train_fraction: share of the frames to train on.
        seed: of the random split.
        group: per-frame field whose equal values stay together, such as ``"protein_id"``.
        indices: ``{"train": ..., "valid": ...}``, frames of the store by number, instead of a share.
    """
    if loader.part is not None:
        found = f"it is the part {loader.part.name!r} of its store already"
        raise ConfigError(
            "split a loader", found, "Split a loader of the whole store, by indices into three parts or more"
        )
    train, valid = two_parts(len(loader), train_fraction, seed, group, indices)
    learning = replace(loader, part=train, _position=Position(), _given=0)
    known = learning.energies if loader.references == "fit" else loader.references
    watching = replace(loader, part=valid, shuffle=False, references=known, _position=Position(), _given=0)
    return replace(learning, references=known), watching
