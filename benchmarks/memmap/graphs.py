"""jraph, which packs graphs into batches of one shape on the fly: `jraph.dynamically_batch`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.batching import Shape
from memmap.molecules import Indices, Molecules, Packed

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]


def all_pairs(atoms: int) -> Pairs:
    """Senders and receivers of all ordered pairs of different atoms."""
    receivers, senders = np.nonzero(~np.eye(atoms, dtype=bool))
    return senders.astype(np.int32), receivers.astype(np.int32)


kept_pairs = lru_cache(maxsize=None)(all_pairs)
"""The same, made once for each number of atoms, which jraph leaves to whoever calls it."""


def batches(molecules: Molecules, order: Indices, shape: Shape, pairs: Callable[[int], Pairs]) -> Iterator[Packed]:
    """Batches of these molecules in this order; jraph keeps one more graph and atom of each batch for its padding."""
    import jraph

    graphs = (_graph(molecules, index, pairs) for index in order.tolist())
    for batch in jraph.dynamically_batch(graphs, shape.atoms + 1, shape.pairs, shape.frames + 1):
        energies = batch.globals["E"]
        real = int(np.count_nonzero(energies))
        edges = np.arange(shape.pairs) < batch.n_edge[:real].sum()
        yield Packed(
            **batch.nodes, E=energies[:real], destination=batch.receivers, source=batch.senders, pair_mask=edges
        )


def _graph(molecules: Molecules, index: int, pairs: Callable[[int], Pairs]) -> Any:
    import jraph

    Z, R, F, _ = molecules.one(index)
    senders, receivers = pairs(len(Z))
    return jraph.GraphsTuple(
        nodes={"Z": Z, "R": R, "F": F},
        edges=None,
        senders=senders,
        receivers=receivers,
        globals={"E": molecules.E[index : index + 1]},
        n_node=np.array([len(Z)]),
        n_edge=np.array([len(senders)]),
    )
