"""The pairs of atoms that a model looks at: counted before batches are planned, listed as they are read."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from atomloom.batching.pairs import PairList, Places, placed, within
from atomloom.batching.shape import dense_pairs
from atomloom.data import Dataset
from atomloom.data.columns import Array, Column, Indices, Packed, offsets
from atomloom.errors import DataError
from atomloom.progress import track

PAIR_FIELDS: Final = ("pair_dst", "pair_src", "pair_shift")
"""The fields of a data set that brings lists of its own, the last one where it knows cells."""

PAIRS_WITHIN: Final = "pairs_within"
"""The entry of its `meta` that says how far those go, in angstrom."""

KEPT = 1 << 28
"""Bytes of lists that are kept; where there are more, they are found anew for every batch."""

_AT_ONCE = 256  # frames whose pairs are looked for together


class Lists(NamedTuple):
    """Pairs of all frames, with the atoms of each numbered from zero.

    Args:
        destination, source: the atoms of each pair.
        shift: see `PairList`.
    """

    destination: Column
    source: Column
    shift: Column | None

    def of(self, frames: Indices, atoms: Indices) -> PairList:
        """Those of these frames, which have so many atoms."""
        first, second = (column.take(frames).astype(np.int32) for column in (self.destination, self.source))
        shift = None if self.shift is None else self.shift.take(frames)
        return placed(PairList(first, second, shift), self.destination.lengths_of(frames), atoms)


class Near:
    """The pairs of atoms of a data set that are less than `reach` apart.

    Lists that the data set brings for this very distance are used. Others are found once and kept, unless they take
    more than `KEPT`.

    Args:
        dataset: whose frames repeat where `cell` and `pbc` say so.
        reach: in angstrom; infinity for all pairs of a frame, 0 for none.

    Attributes:
        counts: ordered pairs of each frame; None without any.

    >>> two = {"Z": [1, 1, 1], "R": [[0.0, 0, 0], [0, 0, 1.0], [0, 0, 4.0]]}
    >>> dataset = Dataset.from_frames([two, two])
    >>> Near(dataset, 2.0).counts.tolist(), Near(dataset, math.inf).counts.tolist()
    ([2, 2], [6, 6])
    >>> Near(dataset, 2.0).of(np.array([1])).source.tolist()
    [1, 0]
    """

    def __init__(self, dataset: Dataset, reach: float) -> None:
        self.dataset, self.reach = dataset, reach
        self.counts: Indices | None = None
        self._lists: Lists | None = None
        self._finite = 0 < reach < math.inf
        self._names = [name for name in ("Z", "R", "cell", "pbc") if name in dataset]
        self._repeats = repeats(dataset)
        if self._finite:
            self._lists = self._brought()
            self.counts = self._found() if self._lists is None else self._lists.destination.lengths
        elif reach:
            self.counts = self._all()

    def of(self, frames: Indices) -> PairList | None:
        """The pairs of these frames for `pad`; None where it lists all pairs itself, or has no slots for any."""
        if not self._finite:
            return None
        if self._lists is None:
            return self._with_shift(within(self.dataset.take(frames, self._names), self.reach))
        return self._lists.of(frames, self.dataset.sizes["atom"][frames])

    def _all(self) -> Indices:
        if self._repeats:
            found = "they are periodic, and the model lets all pairs of atoms act on one another, without an end"
            raise DataError("pair the atoms of these frames", found, "Give the model cutoffs, or set pbc to false")
        atoms = self.dataset.sizes.get("atom")
        return np.zeros(len(self.dataset), np.int64) if atoms is None else dense_pairs(atoms)

    def _brought(self) -> Lists | None:
        """The lists that the data set has."""
        if self.dataset.meta.get(PAIRS_WITHIN) != self.reach:
            return None
        columns = [self.dataset.columns.get(name) for name in PAIR_FIELDS]
        destination, source, shift = columns
        complete = destination is not None and source is not None and (shift is not None or not self._repeats)
        return Lists(destination, source, shift) if complete else None  # type: ignore[arg-type]  # said by `complete`

    def _found(self) -> Indices:
        """How many pairs every frame has; the lists are kept as long as there is room."""
        frames, counts, parts, room = len(self.dataset), [], [], KEPT
        starts = range(0, frames, _AT_ONCE)
        for start in track(starts, total=len(starts), label=f"pairs within {self.reach:g} angstrom"):
            batch = self.dataset.take(range(start, min(start + _AT_ONCE, frames)), self._names)
            pairs = self._with_shift(within(batch, self.reach))
            firsts = batch.offsets["atom"]
            counts.append(np.diff(np.searchsorted(pairs.destination, firsts)))
            room -= sum(values.nbytes for values in pairs if values is not None)
            if room >= 0:
                parts.append(_numbered_within(pairs, np.repeat(firsts[:-1], counts[-1])))
        total = np.concatenate([*counts, np.zeros(0, np.int64)])
        if room >= 0 and parts:
            self._lists = _joined(parts, total)
        return total

    def _with_shift(self, pairs: PairList) -> PairList:
        """With shifts wherever some frame of the data set repeats: batches must not differ in what they hold."""
        if pairs.shift is None and self._repeats:
            return pairs._replace(shift=np.zeros((len(pairs.source), 3)))
        return pairs


def repeats(dataset: Dataset) -> bool:
    """Whether any frame of a data set is periodic."""
    return "cell" in dataset and "pbc" in dataset and bool(np.any(dataset["pbc"]))


def _numbered_within(pairs: PairList, firsts: Indices) -> PairList:
    def less(side: Places) -> Places:
        return side - firsts.astype(np.int32)

    return PairList(less(pairs.destination), less(pairs.source), pairs.shift)


def _joined(parts: list[PairList], counts: Indices) -> Lists:
    starts = offsets(counts)

    def column(values: list[Array]) -> Packed:
        return Packed(np.concatenate(values), counts, starts)

    shifts = [part.shift for part in parts if part.shift is not None]
    destination, source = column([part.destination for part in parts]), column([part.source for part in parts])
    return Lists(destination, source, column(shifts) if shifts else None)
