"""The pairs that a model looks at, against those of each frame found by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atomloom.batching import Near, PairList, fixed_shape, in_order, near, within
from atomloom.data import Dataset, Packed
from atomloom.data.schema import declared
from atomloom.errors import DataError

REACH = 3.0


def frames_of(periodic: list[bool]) -> Dataset:
    """Frames of one to five atoms in a cell of 4 angstrom, which some of them repeat."""
    random = np.random.default_rng(0)
    frames = [
        {
            "Z": np.full(1 + number % 5, 6),
            "R": random.uniform(0.0, 6.0, size=(1 + number % 5, 3)),
            "cell": np.eye(3) * 4.0,
            "pbc": np.full(3, repeats),
        }
        for number, repeats in enumerate(periodic)
    ]
    return Dataset.from_frames(frames)


@pytest.fixture(params=[near.KEPT, 0], ids=["kept", "anew"])
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists that are kept, and lists that are found anew for every batch."""
    monkeypatch.setattr(near, "KEPT", request.param)
    monkeypatch.setattr(near, "_AT_ONCE", 3)


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("periodic", [[False] * 7, [True] * 7, [False, False, False, True, False, True, True]])
def test_lists_are_those_within_the_reach(periodic: list[bool]) -> None:
    """Counts and lists of any frames in any order, some of which may repeat and others not."""
    dataset, order = frames_of(periodic), np.array([6, 0, 3, 3, 1])
    found = Near(dataset, REACH)
    alone = [within(dataset.take([frame]), REACH) for frame in range(len(dataset))]
    assert found.counts is not None
    assert found.counts.tolist() == [len(pairs.source) for pairs in alone]
    listed, expected = found.of(order), within(dataset.take(order), REACH)
    assert isinstance(listed, PairList)
    np.testing.assert_array_equal(listed.destination, expected.destination)
    np.testing.assert_array_equal(listed.source, expected.source)
    if any(periodic):
        np.testing.assert_array_equal(listed.shift, expected.shift)
    else:
        assert listed.shift is None


@pytest.mark.usefixtures("room")
def test_batches_hold_the_same_arrays_whichever_frames_they_have() -> None:
    """A batch of open frames has shifts too where other frames of the data set repeat: a compiler sees one shape."""
    dataset = frames_of([False, False, True, True])
    found = Near(dataset, REACH)
    batches = list(in_order(dataset, fixed_shape(dataset, 2, pairs=found.counts), ["Z", "R"], found.of))
    first, second = map(sorted, batches)
    assert first == second
    assert {batch["pair_shift"].shape for batch in batches} == {(batches[0].shape.pairs, 3)}
    assert [int(batch["pair_mask"].sum()) for batch in batches] == [
        int(found.counts[:2].sum()), int(found.counts[2:].sum()),
    ]  # fmt: skip


def test_all_pairs_and_none() -> None:
    """Without a cutoff `pad` lists all pairs itself; with a reach of zero there are no slots for any."""
    dataset = frames_of([False] * 5)
    everywhere, nowhere = Near(dataset, math.inf), Near(dataset, 0.0)
    assert everywhere.counts is not None
    assert everywhere.counts.tolist() == [0, 2, 6, 12, 20]
    assert nowhere.counts is None
    assert everywhere.of(np.arange(2)) is nowhere.of(np.arange(2)) is None
    assert "dst_idx" not in next(in_order(dataset, fixed_shape(dataset, 2, pairs=nowhere.counts), ["Z"], nowhere.of))


def test_all_pairs_of_periodic_frames_are_refused() -> None:
    """They would be those of a molecule that does not repeat, and every energy wrong without a word."""
    with pytest.raises(DataError, match=r"Give the model cutoffs, or set pbc to false"):
        Near(frames_of([False, True]), math.inf)


def test_lists_that_a_data_set_brings_are_used_for_their_distance_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those within another distance are not taken for these."""
    monkeypatch.setattr(near, "within", lambda batch, reach: pytest.fail("the pairs were looked for"))
    dataset = frames_of([False, False, False])
    counts = np.array([0, 1, 2])
    columns = {
        "pair_dst": Packed(np.array([0, 0, 1]), counts),
        "pair_src": Packed(np.array([1, 2, 0]), counts),
    }
    brought = dataset.with_columns(columns, {name: declared(name) for name in columns})
    brought.meta[near.PAIRS_WITHIN] = REACH
    found = Near(brought, REACH)
    assert found.counts is not None
    assert found.counts.tolist() == [0, 1, 2]
    listed = found.of(np.array([2, 1]))
    assert listed is not None
    assert (listed.destination.tolist(), listed.source.tolist()) == ([0, 1, 3], [2, 0, 4])
    with pytest.raises(pytest.fail.Exception):
        Near(brought, REACH / 2)
