"""Batches in static shape: padding, masks, pairs and dense fields against plain loops over frames."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomloom import Dataset, PaddedBatch
from atomloom.batching import (
    FixedPlan,
    Order,
    PackedPlan,
    PairList,
    Planned,
    Shape,
    Sizes,
    all_pairs,
    feed,
    fixed_shape,
    in_order,
    load,
    pad,
    pad_several,
    within,
)
from atomloom.batching.feeding import MORE
from atomloom.data import Packed, PerFrame
from atomloom.data.columns import Indices
from atomloom.errors import DataError
from atomloom.specs import Field

LENGTHS = st.lists(st.integers(0, 5), min_size=1, max_size=6)


def frames_of(lengths: Sequence[int], seed: int = 0) -> Dataset:
    """Frames of these lengths, with values that tell where they belong."""
    random = np.random.default_rng(seed)
    total = sum(lengths)
    arrays = {
        "Z": 1 + np.arange(total),
        "R": random.normal(size=(total, 3)),
        "E": random.normal(size=len(lengths)),
        "D": random.normal(size=(len(lengths), 3)),
        "esp": random.normal(size=2 * len(lengths)),
        "resname": np.array([f"r{number}" for number in range(total)], dtype="<U4"),
        "F_obs": random.normal(size=3 * len(lengths)),
    }
    ragged = {"atom": lengths, "grid": [2] * len(lengths), "reflection": [3] * len(lengths)}
    return Dataset.from_arrays(arrays, lengths=ragged)


def shapes_for(lengths: Sequence[int]) -> list[Shape]:
    """Shapes that fit, exactly and with room, one frame behind the other or each with slots of its own."""
    frames, atoms, longest = len(lengths), sum(lengths), max(lengths)
    pairs = sum(n * (n - 1) for n in lengths)
    return [
        Shape(frames, atoms, pairs, 2 * frames),
        Shape(frames + 2, atoms + 3, pairs + 5, 2 * frames + 1),
        Shape(frames + 1, (frames + 1) * (longest + 1), pairs + 1, 2 * frames, longest + 1),
    ]


@given(LENGTHS, st.integers(0, 2))
def test_padding_keeps_every_value_and_adds_zeros(lengths: list[int], which: int) -> None:
    """What the masks mark as real is the batch, in order; everything else is zero."""
    shape = shapes_for(lengths)[which]
    batch = frames_of(lengths).take(range(len(lengths)))
    padded = pad(batch, shape)
    for name, values in batch.items():
        mask = padded[f"{batch.axis(name) or 'frame'}_mask"]
        assert padded[name].shape == (len(mask), *values.shape[1:])
        assert padded[name].dtype == values.dtype
        np.testing.assert_array_equal(padded[name][mask], values)
        assert not padded[name][~mask].astype(bool).any()
    np.testing.assert_array_equal(padded["batch_segments"][padded["atom_mask"]], batch.segments())
    for axis in ("grid", "reflection"):
        np.testing.assert_array_equal(padded[f"{axis}_segments"][padded[f"{axis}_mask"]], batch.segments(axis))
    assert (padded.frames, padded.atoms) == (len(lengths), sum(lengths))


@given(LENGTHS, st.integers(0, 2))
def test_pairs_are_all_ordered_pairs_of_real_atoms_of_one_frame(lengths: list[int], which: int) -> None:
    """The pairs are those of two loops, and none of them touches padding."""
    shape = shapes_for(lengths)[which]
    if not shape.pairs:
        return
    padded = pad(frames_of(lengths).take(range(len(lengths))), shape)
    real = padded["pair_mask"]
    found = {(int(i), int(j)) for i, j in zip(padded["dst_idx"][real], padded["src_idx"][real], strict=True)}
    slots = np.flatnonzero(padded["atom_mask"]).tolist()
    owner = padded["batch_segments"]
    assert found == {(i, j) for i in slots for j in slots if i != j and owner[i] == owner[j]}
    assert real.sum() == len(found)
    assert not padded["dst_idx"][~real].any()
    assert not padded["src_idx"][~real].any()


@given(LENGTHS)
def test_all_pairs_equal_two_loops(lengths: list[int]) -> None:
    """Destination by destination, sources ascending."""
    pairs = all_pairs(np.array(lengths, dtype=np.int64))
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    expected = [(i, j) for start, stop in pairwise(bounds) for i, j in product(range(start, stop), repeat=2) if i != j]
    assert list(zip(pairs.destination.tolist(), pairs.source.tolist(), strict=True)) == expected
    assert pairs.destination.dtype == pairs.source.dtype == np.int32


@given(LENGTHS)
def test_all_pairs_point_to_where_the_frames_are(lengths: list[int]) -> None:
    """Given the place of each frame's first atom, the pairs are the same with the atoms of the frame moved there."""
    atoms, starts = np.array(lengths, dtype=np.int64), 7 * np.arange(len(lengths))
    moved, pairs = all_pairs(atoms, starts), all_pairs(atoms)
    place = np.concatenate([np.arange(start, start + n) for start, n in zip(starts, atoms, strict=True)])
    assert moved.destination.tolist() == place[pairs.destination].tolist()
    assert moved.source.tolist() == place[pairs.source].tolist()


def test_more_pairs_than_can_be_counted_are_told() -> None:
    """Before any is made."""
    with pytest.raises(DataError) as caught:
        all_pairs(np.array([50_000]))
    assert (caught.value.asked, caught.value.found) == ("list all pairs of atoms", "there are 2499950000")
    assert caught.value.todo == "Take fewer frames at a time, or only pairs within a cutoff"


@given(st.lists(LENGTHS, min_size=1, max_size=4), st.integers(0, 2), st.booleans())
def test_several_batches_are_padded_as_each_alone(batches: list[list[int]], which: int, near: bool) -> None:
    """Looked up at once, every batch is what it is by itself: values, masks and pairs, all of them or those given."""
    shape = Shape(*np.max([shapes_for(lengths)[which] for lengths in batches], axis=0).tolist())
    shape = shape._replace(atoms=max(shape.atoms, shape.frames * shape.per_frame))
    counts = [len(lengths) for lengths in batches]
    # A shape says nothing of reflections, of which each padding has as many slots as its fullest batch needs.
    dataset = frames_of([n for lengths in batches for n in lengths]).without("F_obs")
    pairs = within(dataset.take(range(len(dataset))), 1.5) if near and shape.pairs else None
    found = list(pad_several(dataset.take(range(len(dataset))), counts, shape, pairs))
    assert len(found) == len(batches)
    for start, count, padded in zip(np.cumsum([0, *counts]), counts, found, strict=False):
        alone = dataset.take(range(start, start + count))
        expected = pad(alone, shape, None if pairs is None else within(alone, 1.5))
        assert list(padded) == list(expected)
        assert all(np.array_equal(padded[name], expected[name]) for name in expected)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.floats(0.1, 3.0), st.integers(0, 99))
def test_pairs_within_a_cutoff_are_those_that_are_near(lengths: list[int], cutoff: float, seed: int) -> None:
    """Without a cell: all pairs of a frame whose distance is below the cutoff."""
    batch = frames_of(lengths, seed).take(range(len(lengths)))
    near = within(batch, cutoff)
    everything = all_pairs(batch.sizes["atom"])
    vectors = batch["R"][everything.source] - batch["R"][everything.destination]
    kept = np.sqrt((vectors**2).sum(axis=1)) < cutoff
    assert near.destination.tolist() == everything.destination[kept].tolist()
    assert near.source.tolist() == everything.source[kept].tolist()


@given(st.integers(1, 3), st.lists(st.booleans(), min_size=3, max_size=3), st.floats(0.5, 4.0), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_periodic_pairs_equal_a_loop_over_images(atoms: int, pbc: list[bool], cutoff: float, seed: int) -> None:
    """In a periodic cell: every image within the cutoff, an atom's own images too, at the right distance."""
    random = np.random.default_rng(seed)
    cell = np.diag(random.uniform(1.5, 3.0, 3)) + random.uniform(-0.4, 0.4, (3, 3))
    positions = random.uniform(-4.0, 4.0, (atoms, 3))
    frame = {"Z": np.ones(atoms, dtype=int), "R": positions, "cell": cell, "pbc": pbc}
    pairs = within(Dataset.from_frames([frame]).take([0]), cutoff)
    shift = np.zeros((len(pairs.source), 3)) if pairs.shift is None else pairs.shift
    vectors = positions[pairs.source] - positions[pairs.destination] + shift
    reach = [range(-9, 10) if periodic else range(1) for periodic in pbc]
    expected = []
    for i, j in product(range(atoms), repeat=2):
        for step in product(*reach):
            length = np.linalg.norm(positions[j] + np.array(step) @ cell - positions[i])
            if length < cutoff and (i != j or any(step)):
                expected.append((i, j, length))
    found = list(zip(pairs.destination, pairs.source, np.linalg.norm(vectors, axis=1), strict=True))
    assert len(found) == len(expected)
    np.testing.assert_allclose(sorted(found), sorted(expected), atol=1e-9)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_a_cutoff_is_a_distance(cutoff: float) -> None:
    """A cutoff that is none is refused."""
    with pytest.raises(DataError, match="the cutoff is"):
        within(frames_of([2]).take([0]), cutoff)


@given(LENGTHS, st.integers(0, 2), st.integers(0, 2))
def test_dense_fields_have_one_row_a_frame(lengths: list[int], which: int, spare: int) -> None:
    """``dense`` gives ``[frames, longest]`` filled up with zeros, whichever way the batch is laid out."""
    padded = pad(frames_of(lengths).take(range(len(lengths))), shapes_for(lengths)[which])
    longest = max(lengths) + spare
    dense = padded.dense("Z", longest)
    assert dense.shape == (padded.shape.frames, longest)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    for number, row in enumerate(dense):
        own = range(1 + bounds[number], 1 + bounds[number + 1]) if number < len(lengths) else range(0)
        assert row.tolist() == [*own, *[0] * (longest - len(own))]


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        (Shape(1, 9, 99, 99), "2 frames do not fit into 1 slots"),
        (Shape(2, 4, 99, 99), "5 atoms do not fit into 4 slots"),
        (Shape(2, 9, 7, 99), "8 pairs do not fit into 7 slots"),
        (Shape(2, 9, 99, 3), "4 grid points do not fit into 3 slots"),
        (Shape(2, 6, 99, 99, 2), "3 atoms of one frame do not fit into 2 slots"),
    ],
)
def test_what_does_not_fit_is_told(shape: Shape, found: str) -> None:
    """A batch larger than its slots names the axis, and nothing is cut off."""
    with pytest.raises(DataError) as error:
        pad(frames_of([3, 2]).take([0, 1]), shape)
    assert found in str(error.value)


def test_room_for_too_few_atoms_is_told() -> None:
    """A dense field with too little room names the size that is needed."""
    padded = pad(frames_of([3, 2]).take([0, 1]), Shape(2, 5, 0, 4))
    with pytest.raises(DataError) as error:
        padded.dense("R", 2)
    assert "a frame has 3 atoms and there is room for 2" in str(error.value)
    assert "--where 'N <= 2'" in str(error.value)


@pytest.mark.parametrize("which", range(3))
def test_a_padded_batch_cannot_be_changed(which: int) -> None:
    """Models share batches, so nothing in one can be written to, however it was laid out."""
    lengths = [3, 2, 4, 1]
    dataset, shape = frames_of(lengths).without("F_obs"), shapes_for(lengths)[which]
    taken = dataset.take(range(4))
    found = [pad(taken, shape), *pad_several(taken, [2, 1, 1], shape)]
    found += pad_several(taken, [4], shape, within(taken, 1.5)) if shape.pairs else []
    for padded in found:
        for name in padded:
            with pytest.raises(ValueError, match="read-only"):
                padded[name][...] = padded[name]


@pytest.mark.parametrize("name", ["dst_idx", "src_idx"])
def test_nothing_holds_a_batch_that_was_handed_on(name: str) -> None:
    """Of many batches that are looked up together no more are in memory than the one in use and the one before it."""
    counts, shape = [3] * 20, Shape(3, 12, 36)
    frames = frames_of([4] * 60).without("F_obs", "esp").take(range(60))
    made: list[weakref.ref[np.ndarray]] = []
    for padded in pad_several(frames, counts, shape):
        made.append(weakref.ref(padded[name]))
        assert sum(array() is not None for array in made) <= 2
    assert len(made) == 20


def test_the_first_batch_waits_for_nothing_else() -> None:
    """What many batches have in common is looked up together, but the first one comes by itself."""
    asked: list[int] = []

    def none(frames: Indices) -> PairList:
        asked.append(len(frames))
        return PairList(np.zeros(0, np.int32), np.zeros(0, np.int32))

    dataset = frames_of([2] * 60)
    planned = [Planned(np.arange(start, start + 2), Shape(2, 4, 1, 4)) for start in range(0, 60, 2)]
    assert [batch.frames for batch in feed(dataset, planned, ["E"], none)] == [2] * 30
    assert asked == [2, 2 * MORE, 2 * (30 - 1 - MORE)]
    asked.clear()
    assert len(list(feed(dataset, planned, ["E"], none, together=8))) == 30
    assert asked == [2, *[8] * 7, 2]


def test_rows_of_unknown_meaning_are_handed_on() -> None:
    """A ragged column that is not harmonised keeps its rows."""
    columns = {"foo": Packed(np.arange(5), np.array([2, 3])), "E": PerFrame(np.zeros(2))}
    dataset = Dataset(columns, {"foo": Field(name="foo"), "E": Field(name="E", dims=("frame",), unit="eV")})
    assert pad(dataset.take([0, 1]), Shape(3, 0))["foo"].tolist() == [0, 1, 2, 3, 4]


@given(LENGTHS, st.integers(1, 4))
def test_batches_in_order_hold_every_frame_once(lengths: list[int], size: int) -> None:
    """Frame after frame, the last batch filled up, all of one shape."""
    dataset = frames_of(lengths)
    shape = fixed_shape(dataset, size)
    batches = list(in_order(dataset, shape, ["Z", "E"]))
    assert {batch.shape for batch in batches} == {shape}
    assert [batch.frames for batch in batches[:-1]] == [size] * (len(batches) - 1)
    energies = np.concatenate([batch["E"][batch["frame_mask"]] for batch in batches])
    np.testing.assert_array_equal(energies, dataset["E"])
    atoms = np.concatenate([batch["Z"][batch["atom_mask"]] for batch in batches])
    assert atoms.tolist() == dataset["Z"].tolist()


@given(LENGTHS, st.integers(1, 4), st.booleans())
def test_any_batch_fits_into_the_fixed_shape(lengths: list[int], size: int, pairs: bool) -> None:
    """Whichever frames come together: they fit."""
    dataset = frames_of(lengths)
    shape = fixed_shape(dataset, size, pairs=pairs)
    largest = int(np.argmax(lengths))
    padded = pad(dataset.take([largest] * size), shape)
    assert padded.atoms == size * lengths[largest]
    assert shape.atoms == size * max(lengths)


@pytest.mark.parametrize("kind", [FixedPlan, PackedPlan])
def test_shuffled_epochs_hold_every_frame_once(kind: type) -> None:
    """A planned epoch holds each frame's own values, in another order than the next."""
    lengths = [3, 1, 4, 1, 5, 2, 2]
    dataset = frames_of(lengths)
    sizes, order = Sizes.of(dataset), Order(len(lengths), seed=3)
    plan = FixedPlan(sizes, order, 2) if kind is FixedPlan else PackedPlan(sizes, order, Shape(4, 7, 0, 8))
    seen = []
    for epoch in (0, 1):
        batches = [load(dataset, planned) for planned in plan.batches(epoch)]
        seen.append(np.concatenate([batch["E"][batch["frame_mask"]] for batch in batches]).tolist())
        for batch in batches:
            check_frames(batch, dataset)
    assert sorted(seen[0]) == sorted(seen[1]) == sorted(dataset["E"].tolist())
    assert seen[0] != seen[1]


def check_frames(batch: PaddedBatch, dataset: Dataset) -> None:
    """Asserts that the atoms of every frame are those of the frame of the same energy."""
    dense = batch.dense("Z", 5)
    for number in range(batch.frames):
        frame = int(np.flatnonzero(dataset["E"] == batch["E"][number])[0])
        own = dataset.take([frame])["Z"].tolist()
        assert dense[number].tolist() == own + [0] * (5 - len(own))


@pytest.mark.parametrize("shape", [Shape(4, 20, 60, 9, 5), Shape(6, 17, 60, 9)])
def test_a_batch_read_into_its_slots_is_the_batch_taken_and_padded(shape: Shape) -> None:
    """`load` gives to the last bit what `pad` makes of the frames taken, for packed, padded and picked columns."""
    rng = np.random.default_rng(0)
    atoms, grid = np.array([5, 1, 3, 2]), np.array([2, 0, 4, 1])
    arrays = {
        "Z": rng.integers(1, 9, 11),
        "R": rng.normal(size=(11, 3)),
        "esp": rng.normal(size=7),
        "E": rng.normal(size=4),
    }
    dataset = Dataset.from_arrays(arrays, lengths={"atom": atoms, "grid": grid})[[3, 0, 2, 1]]
    frames = np.array([1, 3, 0])
    taken, loaded = pad(dataset.take(frames), shape), load(dataset, Planned(frames, shape))
    assert list(taken) == list(loaded)
    assert all(np.array_equal(taken[name], loaded[name]) and taken[name].dtype == loaded[name].dtype for name in taken)
