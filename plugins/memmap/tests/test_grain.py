"""Batches for grain: record i is batch i, in any order, in threads and in spawned processes."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.batching import Order
from atomloom_memmap import PackedMemmapLoader, split_loader, write_store
from atomloom_memmap.grain_source import BatchSource

WAYS: list[dict[str, Any]] = [
    {"num_atoms": 9},
    {"buckets": 3},
    {"atoms": 40},
    {"atoms": 40, "cutoff": 3.0, "pairs": 160},
]
ids = [" ".join(way) for way in WAYS]


@pytest.fixture
def loader(store: Path) -> PackedMemmapLoader:
    """Of the frames of the store, in numbers that every version of grain can send: those are all but the names."""
    return PackedMemmapLoader(store, batch_size=16, seed=2, names=("Z", "R", "F", "E"))


def like(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two batches are the same to the last bit; where jax is installed, grain sorts their names."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("group", [1, 3])
@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_record_i_is_batch_i(loader: PackedMemmapLoader, way: dict[str, Any], group: int) -> None:
    """Asked for in any order, records are the batches of the epoch."""
    loader.group = group
    for epoch in range(2):
        source = BatchSource(loader, epoch, **way)
        batches = [next(loader.load(each, cutoff=way.get("cutoff"))) for each in loader.plan(**way).batches(epoch)]
        assert len(source) == len(batches)
        for number in np.random.default_rng(0).permutation(len(source)).tolist():
            assert like(source[number], batches[number])
    with pytest.raises(IndexError):
        source[len(source)]


def test_a_part_gives_its_own_frames(loader: PackedMemmapLoader) -> None:
    """A source of the part to train on has each of its frames once, and none of the others."""
    train, valid = split_loader(loader, 0.7)
    source = BatchSource(train, pairs=False)
    found = [float(e) for each in range(len(source)) for e in source[each]["E"][source[each]["frame_mask"]]]
    assert sorted(found) == train.dataset["E"][train.frames].tolist()
    assert not set(found) & set(valid.dataset["E"][valid.frames].tolist())


def test_it_travels_as_a_path_and_some_numbers(loader: PackedMemmapLoader) -> None:
    """Pickled it is small, gives the same records, and is written down the same."""
    source = BatchSource(loader, atoms=40)
    sent = pickle.dumps(source)
    assert len(sent) < 10_000
    again = pickle.loads(sent)
    assert like(again[3], source[3])
    assert repr(again) == repr(source)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> PackedMemmapLoader:
    """So many small frames that a plan of them has several stretches."""
    atoms = np.random.default_rng(1).integers(1, 4, 40_000)
    arrays = {"R": np.zeros((int(atoms.sum()), 3)), "E": np.arange(40_000.0)}
    path = tmp_path_factory.mktemp("many") / "store"
    write_store(Dataset.from_arrays(arrays, lengths={"atom": atoms}), path)
    return PackedMemmapLoader(path, batch_size=100, group=2)


@pytest.mark.parametrize("way", [{"num_atoms": 3}, {"atoms": 500}], ids=["fixed", "packed"])
def test_stretches_follow_each_other(many: PackedMemmapLoader, way: dict[str, Any]) -> None:
    """Of a large store too, in threads, records are the batches of the epoch."""
    source = BatchSource(many, pairs=False, **way)
    planned = list(many.plan(pairs=False, **way).batches(0))
    numbers = np.random.default_rng(0).permutation(len(planned))[:60].tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(source.__getitem__, numbers))
    assert len(source) == len(planned)
    for number, batch in zip(numbers, found, strict=True):
        assert batch["E"][batch["frame_mask"]].tolist() == many.dataset["E"][planned[number].frames].tolist()


def test_a_large_fixed_plan_is_not_made_to_be_counted(
    many: PackedMemmapLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its length is known from its sizes, and a record needs the order of the stretch that it is in and no other."""
    asked: list[int] = []
    original = Order.at

    def told(self: Order, epoch: int, start: int = 0, stop: int | None = None) -> Any:
        asked.append(start)
        return original(self, epoch, start, stop)

    monkeypatch.setattr(Order, "at", told)
    source = BatchSource(many, num_atoms=3, pairs=False)
    assert len(source) == 400
    assert not asked
    source[len(source) - 1]
    assert len(asked) == 1
    assert asked[0] > 30_000


def test_grain_reads_it(loader: PackedMemmapLoader) -> None:
    """A MapDataset gives the epoch in its order, read in threads."""
    grain = pytest.importorskip("grain", reason="grain (the extra atomloom-memmap[grain]) is not installed")
    source = BatchSource(loader, atoms=40)
    assert isinstance(source, grain.sources.RandomAccessDataSource)
    read = list(grain.MapDataset.source(source).to_iter_dataset())
    assert all(like(dict(one), source[number]) for number, one in enumerate(read))
    assert len(read) == len(source)


def test_workers_of_grain_read_it(loader: PackedMemmapLoader) -> None:
    """Spawned processes of a DataLoader give the same batches in the same order."""
    grain = pytest.importorskip("grain", reason="grain (the extra atomloom-memmap[grain]) is not installed")
    pytest.importorskip("absl.flags").FLAGS.mark_as_parsed()  # which grain 0.2.18 asks for where jax is installed
    source = BatchSource(loader, num_atoms=9)
    sampler = grain.samplers.SequentialSampler(len(source), grain.sharding.NoSharding())
    found = list(grain.DataLoader(data_source=source, sampler=sampler, worker_count=2))
    assert len(found) == len(source)
    assert all(like(dict(one), source[number]) for number, one in enumerate(found))
