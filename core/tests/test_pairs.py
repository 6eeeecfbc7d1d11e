"""Pair lists, against loops over atoms and images."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from atomloom.batching import PairList, all_pairs, within
from atomloom.batching.cell_lists import within_by_vesin
from atomloom.batching.pairs import Cells, slotted_pairs
from atomloom.data import Batch, Dataset
from atomloom.data.columns import offsets
from atomloom.errors import DataError

CELLS = {
    "cubic": np.diag([4.0, 4.0, 4.0]),
    "flat": np.diag([3.0, 9.0, 12.0]),
    "skewed": np.array([[5.0, 0.0, 0.0], [2.4, 4.0, 0.0], [1.0, -1.5, 3.5]]),
    "left-handed": np.array([[0.0, 5.0, 0.0], [4.0, 0.0, 0.0], [0.0, 0.0, 6.0]]),
}


def batch(frames: list[dict[str, np.ndarray]]) -> Batch:
    """These frames in memory."""
    dataset = Dataset.from_frames(frames)
    return dataset.take(np.arange(len(dataset)))


def cluster(atoms: int, seed: int, **more: np.ndarray) -> dict[str, np.ndarray]:
    """Atoms at random in a box of 8 angstrom, some of them outside of any cell here."""
    positions = np.random.default_rng(seed).uniform(-2.0, 6.0, size=(atoms, 3))
    return {"Z": np.full(atoms, 6), "R": positions, **more}


def by_hand(frame: dict[str, np.ndarray], cutoff: float) -> set[tuple[int, int, tuple[float, ...]]]:
    """All pairs of one frame with their vectors, by a loop over enough images."""
    cell, periodic = frame.get("cell", np.eye(3)), frame.get("pbc", np.zeros(3, dtype=bool))
    reach = [range(-7, 8) if along else range(1) for along in periodic]
    found = set()
    for (i, a), (j, b), step in product(enumerate(frame["R"]), enumerate(frame["R"]), product(*reach)):
        vector = b + np.array(step) @ cell - a
        if (i != j or any(step)) and np.linalg.norm(vector) < cutoff:
            found.add((i, j, tuple(np.round(vector, 6))))
    return found


def listed(of: Batch, cutoff: float) -> list[set[tuple[int, int, tuple[float, ...]]]]:
    """The same from a pair list, frame by frame."""
    pairs = within(of, cutoff)
    shift = np.zeros((len(pairs.source), 3)) if pairs.shift is None else pairs.shift
    vectors = np.round(of["R"][pairs.source] + shift - of["R"][pairs.destination], 6) + 0.0
    frames = of.segments()[pairs.destination]
    assert np.array_equal(frames, of.segments()[pairs.source])
    assert (np.diff(pairs.destination) >= 0).all()
    out: list[set[tuple[int, int, tuple[float, ...]]]] = [set() for _ in range(of.frames)]
    starts = of.offsets["atom"]
    for frame, i, j, vector in zip(frames, pairs.destination, pairs.source, vectors, strict=True):
        out[frame].add((int(i - starts[frame]), int(j - starts[frame]), tuple(vector)))
    assert sum(map(len, out)) == len(vectors), "no pair comes twice"
    return out


@pytest.mark.parametrize("lengths", [[1], [2, 1, 3], [0, 4, 0], []])
def test_all_pairs_are_those_of_a_loop(lengths: list[int]) -> None:
    """Every ordered pair of different atoms of one frame, once."""
    expected, start = [], 0
    for length in lengths:
        expected += [(start + i, start + j) for i, j in product(range(length), repeat=2) if i != j]
        start += length
    pairs = all_pairs(np.array(lengths, dtype=np.int64))
    assert list(zip(pairs.destination.tolist(), pairs.source.tolist(), strict=True)) == expected


@pytest.mark.parametrize("apart", [0, 5])
@pytest.mark.parametrize(
    "batches",
    [[[3, 1, 2], [4]], [[1, 1], [], [2, 3]], [[0, 2, 0], [0], [1, 3, 0]], [[], []], []],
    ids=str,
)
def test_pairs_of_several_batches_are_those_of_each(batches: list[list[int]], apart: int) -> None:
    """Batch by batch in slots, zeros behind them, frames one behind the other or with `apart` slots for each."""
    lengths = np.array([length for batch in batches for length in batch], dtype=np.int64)
    cuts = offsets(np.array([len(batch) for batch in batches], dtype=np.int64))
    places = np.concatenate(
        [np.empty(0, dtype=np.int64)]
        + [np.arange(len(each)) * apart if apart else offsets(np.array(each, dtype=np.int64))[:-1] for each in batches]
    )
    totals = np.array([sum(length * (length - 1) for length in batch) for batch in batches], dtype=np.int64)
    made = list(slotted_pairs(lengths, places, cuts, totals, 20))
    assert len(made) == len(batches)
    for (destination, source), total, (first, last) in zip(made, totals.tolist(), pairwise(cuts.tolist()), strict=True):
        expected = [
            (place + i, place + j)
            for place, length in zip(places[first:last].tolist(), lengths[first:last].tolist(), strict=True)
            for i, j in product(range(length), repeat=2)
            if i != j
        ]
        found = list(zip(destination.tolist(), source.tolist(), strict=True))
        assert found == expected + [(0, 0)] * (20 - total)


@pytest.mark.parametrize("cutoff", [0.5, 3.0, 50.0])
def test_open_frames_have_the_pairs_of_a_loop(cutoff: float) -> None:
    """Several frames of different size at once, none meeting another."""
    frames = [cluster(atoms, seed) for seed, atoms in enumerate([1, 7, 2, 12])]
    assert listed(batch(frames), cutoff) == [by_hand(frame, cutoff) for frame in frames]


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("periodic", [(True, True, True), (True, False, True), (False, False, False)])
def test_periodic_frames_have_the_pairs_of_a_loop_over_images(cell: np.ndarray, periodic: tuple[bool, ...]) -> None:
    """Small and skewed cells, with images of an atom itself, and a cutoff beyond half of the cell."""
    frames = [cluster(atoms, atoms, cell=cell, pbc=np.array(periodic)) for atoms in (1, 5)]
    for cutoff in (0.9, 1.5, 5.2):
        assert listed(batch(frames), cutoff) == [by_hand(frame, cutoff) for frame in frames]


@pytest.mark.parametrize("cutoff", [0.0, -1.0, float("nan"), float("inf")])
def test_a_cutoff_that_is_none_is_told(cutoff: float) -> None:
    """A distance above zero is needed."""
    with pytest.raises(DataError, match="Give a distance above zero"):
        within(batch([cluster(2, 0)]), cutoff)


def test_a_cell_without_volume_is_told() -> None:
    """The frame is named."""
    flat = {"cell": np.zeros((3, 3)), "pbc": np.ones(3, dtype=bool)}
    with pytest.raises(DataError, match="the cell of frame 0 has no volume"):
        within(batch([cluster(2, 0, **flat)]), 2.0)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("periodic", [(True, True, True), (False, True, False), (False, False, False)])
def test_vesin_finds_the_same_pairs(cell: np.ndarray, periodic: tuple[bool, ...]) -> None:
    """The cell lists of another program give the same pairs with the same shifts, for several frames at once."""
    pytest.importorskip("vesin", reason="compares with vesin, which the extra atomloom[neighbours] installs")
    frames = [cluster(atoms, atoms, cell=cell, pbc=np.array(periodic)) for atoms in (30, 1, 12)]
    of = batch(frames)
    ours, theirs = within(of, 3.1), within_by_vesin(of, Cells.of(of, 3.1), 3.1)
    assert len(ours.source) > 100
    assert as_set(of, ours) == as_set(of, theirs)


def as_set(of: Batch, pairs: PairList) -> set[tuple[object, ...]]:
    """Pairs with their vectors, in no order."""
    shift = np.zeros((len(pairs.source), 3)) if pairs.shift is None else pairs.shift
    vectors = np.round(of["R"][pairs.source] + shift - of["R"][pairs.destination], 6) + 0.0
    return set(zip(pairs.destination.tolist(), pairs.source.tolist(), map(tuple, vectors.tolist()), strict=True))
