"""The pairs of atoms that a store keeps, so that no epoch has to find them again."""

from __future__ import annotations

from atomloom.batching import PairList
from atomloom.batching.near import PAIR_FIELDS, Lists
from atomloom.data.columns import Indices
from atomloom_memmap.column import Stored
from atomloom_memmap.manifest import Manifest
from atomloom_memmap.store import Store

AXIS = "pair"
"""The ragged axis of pairs."""


def cached_cutoff(store: Store | Manifest) -> float | None:
    """The cutoff, in angstrom, of the pairs that a store keeps; None if it keeps none."""
    described = store.manifest if isinstance(store, Store) else store
    return None if described.edges is None else described.edges.cutoff


def pair_counts(store: Store) -> Indices:
    """How many ordered pairs every frame has."""
    return store.lengths(AXIS)


def edges_of(store: Store, frames: Indices) -> PairList:
    """The pairs of these frames, as places among their packed atoms, ordered as `atomloom.batching.within` has them.

    Where the store knows cells there are shifts in every list, zero in frames that do not repeat.
    """
    frames = frames.view()
    frames.flags.writeable = False  # so that the store looks them up once for all fields
    destination, source, shift = PAIR_FIELDS
    far = Stored(store, shift) if shift in store.manifest.fields else None
    lists = Lists(Stored(store, destination), Stored(store, source), far)
    return lists.of(frames, store.lengths("atom")[frames])
