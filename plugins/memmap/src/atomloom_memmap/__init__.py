"""Packed memory-mapped data: train on data larger than memory at the speed of memory.

::

    manifest, checksums   what a store says of itself        contents, part_writer   what is stored and how it is cut
    store, shard, stored  an open store, shard, array        building, writing       a store in the making
    column, picked        its fields as columns              loader                  batches of static shape from it
    gather                many frames at once, in numpy      edges, edge_writing     pairs of atoms that it keeps
    remote, downloading   stores at addresses                grain_source            the batches of an epoch for grain
    converting, workers   many files into one store          describing              what `atomloom memmap info` tells
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomloom.lazily import lazily

if TYPE_CHECKING:
    from atomloom_memmap.edge_writing import cache_edges
    from atomloom_memmap.loader import PackedMemmapLoader, split_loader
    from atomloom_memmap.store import Store
    from atomloom_memmap.writing import append as append_to_store
    from atomloom_memmap.writing import write as write_store

__all__ = ["PackedMemmapLoader", "Store", "append_to_store", "cache_edges", "split_loader", "write_store"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "PackedMemmapLoader": "loader",
            "Store": "store",
            "append_to_store": "writing:append",
            "cache_edges": "edge_writing",
            "split_loader": "loader",
            "write_store": "writing:write",
        },
    )
