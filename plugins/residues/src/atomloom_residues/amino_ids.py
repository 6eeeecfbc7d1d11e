"""One numbering of amino acids for all proteins, so that a species means the same in every file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.errors import DataError
from atomloom_residues.protein_source import PADDING, Source

Array = NDArray[Any]


def common_numbers(sources: Sequence[Source]) -> dict[str, int]:
    """The number of each amino acid in all sources: theirs where they agree, else 0, 1, 2, ... by name.

    Empty where no source names its amino acids.
    """
    given = [source.aa_to_id for source in sources]
    names = sorted(frozenset().union(*(source.names for source in sources)))
    if given[0] and all(each == given[0] for each in given) and set(names) <= given[0].keys():
        return dict(given[0])
    nameless = [source for source in sources if not source.names and "species" in source.rows]
    if names and nameless:
        found = f"'{nameless[0].path}' has species and says neither aa_to_id nor resname, which others do"
        raise DataError("number the amino acids of all proteins", found, "Give it aa_to_id")
    return {name: number for number, name in enumerate(names)}


def renumbered(source: Source, block: Array, numbers: Mapping[str, int]) -> Array:
    """A block of `species` of one source in the common numbers; padding stays padding."""
    if not source.aa_to_id or source.aa_to_id == numbers:
        return block
    fill = int(PADDING["species"])
    ids = np.array(sorted({fill, *source.aa_to_id.values()}))
    by_id = {number: numbers[name] for name, number in source.aa_to_id.items()} | {fill: fill}
    places = np.minimum(np.searchsorted(ids, block), len(ids) - 1)
    odd = block[ids[places] != block]
    if odd.size:
        found = f"a species is {int(odd[0])}, which aa_to_id does not name"
        raise DataError(f"number the amino acids in '{source.path}'", found, "Give every species a name")
    return np.array([by_id[number] for number in ids.tolist()], dtype=block.dtype)[places]


def from_names(block: Array, numbers: Mapping[str, int]) -> Array:
    """Species of residue names, where a file has those alone."""
    names, places = np.unique(block, return_inverse=True)
    fill = int(PADDING["species"])
    known = np.array([numbers.get(str(name), fill) for name in names], dtype=np.int32)
    return known[places].reshape(block.shape)
