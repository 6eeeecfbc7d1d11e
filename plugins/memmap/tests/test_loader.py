"""Batches from a store: every frame once, in planned shapes, resumable, equal to what the data set holds."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.batching import all_pairs, load, within
from atomloom.errors import ConfigError, DataError
from atomloom_memmap import PackedMemmapLoader, split_loader
from atomloom_memmap.parts import save_parts

WAYS: list[dict[str, Any]] = [
    {},
    {"num_atoms": 9},
    {"buckets": 3},
    {"buckets": [3, 7]},
    {"bucket_size": 60},
    {"atoms": 40},
    {"atoms": 40, "pairs": 160, "frames": 9, "grid": 60},
    {"pairs": False},
    {"num_atoms": 9, "cutoff": 3.0},
]
ids = [json.dumps(way) for way in WAYS]


def energies(batches: Iterable[dict[str, Any]]) -> list[float]:
    """The energies of the real frames, which tell the frames apart."""
    return [float(energy) for batch in batches for energy in batch["E"][batch["frame_mask"]]]


def like(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two batches are the same to the last bit."""
    return list(one) == list(other) and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_an_epoch_holds_every_frame_once(store: Path, dataset: Dataset, way: dict[str, Any]) -> None:
    """Whatever the plan, an epoch has all frames, none twice."""
    loader = PackedMemmapLoader(store, batch_size=16, seed=3)
    assert sorted(energies(loader.batches(**way))) == dataset["E"].tolist()


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_no_shapes_occur_but_the_planned_ones(store: Path, way: dict[str, Any]) -> None:
    """Every array of every batch, the last one included, has the shape that one of the plan's shapes gives it."""
    loader = PackedMemmapLoader(store, batch_size=16)
    seen = {
        tuple((name, values.shape, values.dtype) for name, values in batch.items()) for batch in loader.batches(**way)
    }
    assert len(seen) <= len(loader.plan(**way).shapes)
    slots = {dict((name, shape) for name, shape, _ in each)["Z"][0] for each in seen}
    assert slots <= {shape.atoms for shape in loader.plan(**way).shapes}


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_batches_are_those_of_core(store: Path, dataset: Dataset, way: dict[str, Any]) -> None:
    """Every batch is, to the last bit, what core makes of the same frames of the data set that was packed."""
    loader = PackedMemmapLoader(store, batch_size=16, seed=1)
    counted = dataset.with_columns({"N": loader.dataset.columns["N"]}, {"N": loader.dataset.fields["N"]})
    planned = list(loader.plan(**way).batches(0))
    for each, batch in zip(planned, loader.batches(**way), strict=True):
        near = within(dataset.take(each.frames), way["cutoff"]) if "cutoff" in way else None
        assert like(batch, dict(load(counted, each, pairs=near)))


def test_pairs_are_real_and_of_one_frame(store: Path) -> None:
    """Without a cutoff every ordered pair of different atoms of a frame is there, pointing to the frame's own slots."""
    for batch in PackedMemmapLoader(store, batch_size=8).batches(num_atoms=8):
        real = batch["pair_mask"]
        first, second = batch["dst_idx"][real], batch["src_idx"][real]
        assert (batch["batch_segments"][first] == batch["batch_segments"][second]).all()
        assert batch["atom_mask"][first].all()
        assert batch["atom_mask"][second].all()
        lengths = batch["N"][batch["frame_mask"]].astype(np.int64)
        assert real.sum() == len(all_pairs(lengths).destination)


def test_epochs_and_seeds_have_orders_of_their_own(store: Path) -> None:
    """The second epoch is another order, the same seed the same one, another seed another."""
    loader, same, other = (PackedMemmapLoader(store, seed=seed) for seed in (0, 0, 1))
    first, second = energies(loader.batches()), energies(loader.batches())
    assert first != second
    assert (first, second) == (energies(same.batches()), energies(same.batches()))
    assert first != energies(other.batches())


def test_without_shuffling_frames_come_as_they_are_stored(store: Path, dataset: Dataset) -> None:
    """shuffle=False gives the order of the store."""
    assert energies(PackedMemmapLoader(store, shuffle=False).batches()) == dataset["E"].tolist()


def test_blocks_are_shuffled_too(store: Path, dataset: Dataset) -> None:
    """order='blocks' gives every frame once, not in the order of the store, and cold reading changes nothing."""
    blocks = PackedMemmapLoader(store, order="blocks")
    found = energies(blocks.batches())
    assert sorted(found) == dataset["E"].tolist() != found
    cold = PackedMemmapLoader(store, cold=True)
    assert energies(cold.batches()) == energies(PackedMemmapLoader(store).batches())


@pytest.mark.parametrize("way", WAYS, ids=ids)
@pytest.mark.parametrize("taken", [0, 1, 5])
def test_a_stream_goes_on_where_it_stopped(store: Path, way: dict[str, Any], taken: int) -> None:
    """What a restored loader gives is what the first would have given next, in this epoch and the next one."""
    whole = PackedMemmapLoader(store, batch_size=16, prefetch=0)
    expected = [*whole.batches(**way), *whole.batches(**way)]
    stopped, resumed = (PackedMemmapLoader(store, batch_size=16) for _ in range(2))
    batches = stopped.batches(**way)
    for _ in range(taken):
        next(batches)
    resumed.restore(json.loads(json.dumps(stopped.state())))
    found = [*resumed.batches(**way), *resumed.batches(**way)]
    assert len(found) == len(expected) - taken
    assert all(like(one, other) for one, other in zip(found, expected[taken:], strict=True))


@pytest.mark.parametrize("hosts", [(1, 4), (4, 2), (2, 1)])
def test_a_stream_goes_on_with_another_number_of_hosts(store: Path, hosts: tuple[int, int]) -> None:
    """Some steps on one number of hosts and the rest on another give the batches of one host alone."""
    alone = energies(PackedMemmapLoader(store, batch_size=4, group=4).batches())

    def one_host(
        host: int, count: int, state: dict[str, Any] | None, steps: int | None
    ) -> tuple[list[Any], dict[str, Any]]:
        loader = PackedMemmapLoader(store, batch_size=4, group=4, host=host, hosts=count)
        if state:
            loader.restore(state)
        batches = loader.batches()
        found = list(batches) if steps is None else [next(batches) for _ in range(steps * 4 // count)]
        return found, loader.state()

    before = [one_host(host, hosts[0], None, 5) for host in range(hosts[0])]
    after = [one_host(host, hosts[1], before[0][1], None) for host in range(hosts[1])]
    found = [
        batch
        for side in (before, after)
        for batches in zip(*(given for given, _ in side), strict=True)
        for batch in batches
    ]
    assert sorted(energies(found)) == sorted(alone)
    first = [batch for batches in zip(*(given for given, _ in before), strict=True) for batch in batches]
    assert set(energies(first)) == set(alone[: len(energies(first))])


SCRIPT = """
import json, sys
from atomloom_memmap import PackedMemmapLoader
loader = PackedMemmapLoader(sys.argv[1], batch_size=4)
if len(sys.argv) > 2:
    loader.restore(json.loads(sys.argv[2]))
for batch in loader.batches(atoms=30):
    print(json.dumps([loader.state(), batch["E"][batch["frame_mask"]].tolist()]), flush=True)
"""


def test_a_killed_stream_goes_on_exactly(store: Path) -> None:
    """SIGKILL after some batches: with the state printed last, another process gives the rest of the same epoch."""
    expected = energies(PackedMemmapLoader(store, batch_size=4).batches(atoms=30))
    killed = subprocess.Popen([sys.executable, "-c", SCRIPT, str(store)], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    seen = [json.loads(killed.stdout.readline()) for _ in range(7)]
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    command = [sys.executable, "-c", SCRIPT, str(store), json.dumps(seen[-1][0])]
    rest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [energy for _, given in [*seen, *map(json.loads, rest)] for energy in given]
    assert found == expected


def test_a_state_of_other_data_is_refused(store: Path) -> None:
    """A state says which seed it is of, and a loader of another one says so."""
    state = PackedMemmapLoader(store, seed=1).state()
    with pytest.raises(ConfigError, match=r"it is of seed 1 and 200 frames, not 2 and 200\. Open the same store"):
        PackedMemmapLoader(store, seed=2).restore(state)


def test_a_random_split_is_disjoint_and_repeatable(store: Path, dataset: Dataset) -> None:
    """Nine tenths to train on and the rest to validate on, the same for the same seed."""
    train, valid = split_loader(PackedMemmapLoader(store), train_fraction=0.9)
    again, _ = split_loader(PackedMemmapLoader(store), train_fraction=0.9)
    other, _ = split_loader(PackedMemmapLoader(store), train_fraction=0.9, seed=1)
    assert (len(train), len(valid)) == (180, 20)
    assert sorted(energies([*train.batches(), *valid.batches()])) == dataset["E"].tolist()
    assert np.array_equal(train.frames, again.frames)
    assert not np.array_equal(train.frames, other.frames)


def test_a_split_by_group_keeps_groups_together(store: Path, dataset: Dataset) -> None:
    """No protein is in both parts."""
    train, valid = split_loader(PackedMemmapLoader(store), 0.8, group="protein_id")
    proteins = dataset["protein_id"]
    assert len(train) + len(valid) == len(dataset)
    assert not set(proteins[train.frames]) & set(proteins[valid.frames])


def test_a_split_may_be_given(store: Path, tmp_path: Path) -> None:
    """Given indices are taken as they are, and every split can be written down."""
    train, valid = split_loader(PackedMemmapLoader(store), indices={"train": [5, 1, 7], "valid": [0]})
    assert (train.frames.tolist(), valid.frames.tolist()) == ([1, 5, 7], [0])
    save_parts(tmp_path / "split.json", train.part, valid.part)
    assert [part["frames"] for part in json.loads((tmp_path / "split.json").read_text())] == [[1, 5, 7], [0]]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"train_fraction": 1.5}, r"the share to train on is 1\.5\. Give a number between 0 and 1"),
        ({"indices": {"train": [1], "valid": [1]}}, r"frame 1 is both in 'train' and in 'valid'"),
        ({"indices": {"train": [200], "valid": [1]}}, r"'train': .* Give different whole numbers from 0 to 199"),
        ({"indices": {"train": [1]}}, r"indices are given for train\. Give them for 'train' and for 'valid'"),
        ({"group": "E"}, None),
        ({"group": "Z"}, r"no value of 'Z' for each frame"),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(store: Path, options: dict[str, Any], found: str | None) -> None:
    """The message says what was given and what is wanted."""
    if found is None:
        assert len(split_loader(PackedMemmapLoader(store), **options)[0].frames) == 180
        return
    with pytest.raises((ConfigError, DataError), match=found):
        _ = split_loader(PackedMemmapLoader(store), **options)[0].frames


def test_references_are_taken_off_in_double_precision(tmp_path: Path) -> None:
    """Energies of -4e5 eV less those of the elements survive a cast to float32 to better than 1e-6 eV."""
    from atomloom_memmap import write_store

    rng = np.random.default_rng(0)
    atoms = rng.integers(3, 30, 300)
    numbers = rng.choice([1, 6, 8, 17], int(atoms.sum()))
    owner = np.repeat(np.arange(300), atoms)
    own = {1: -13.6, 6: -1029.9, 8: -2043.2, 17: -12518.4}
    exact = np.bincount(owner, weights=[own[number] for number in numbers.tolist()]) + rng.normal(size=300)
    assert exact.min() < -1e5
    arrays = {"Z": numbers, "R": rng.normal(size=(len(numbers), 3)), "E": exact}
    write_store(Dataset.from_arrays(arrays, lengths={"atom": atoms}), tmp_path / "s")
    loader = PackedMemmapLoader(tmp_path / "s", references="fit", precision="float32", shuffle=False)
    assert loader.energies is not None
    found = []
    for batch in loader.batches(atoms=200):
        assert batch["E"].dtype == batch["R"].dtype == np.float32
        found += loader.energies.add(batch["E"], batch["Z"], batch["batch_segments"])[batch["frame_mask"]].tolist()
    order = [frame for planned in loader.plan(atoms=200).batches(0) for frame in planned.frames]
    assert np.abs(np.array(found) - exact[order]).max() < 1e-6


def test_both_parts_have_the_references_of_the_training_part(store: Path) -> None:
    """Energies of the elements are fitted to the frames that are trained on, and taken off both parts."""
    train, valid = split_loader(PackedMemmapLoader(store, references="fit"))
    assert train.energies is valid.energies is not None
    from atomloom.data.references import ElementEnergies

    assert train.energies == ElementEnergies.fit(train.dataset, train.frames)


def test_references_may_be_given(store: Path, dataset: Dataset) -> None:
    """Energies by symbol are taken off; an element that is missing among them is named."""
    loader = PackedMemmapLoader(store, references={"H": -1.0, "C": -10.0, "O": -100.0}, shuffle=False)
    own = {1: -1.0, 6: -10.0, 8: -100.0}
    offsets = np.concatenate([[0], np.cumsum(dataset.sizes["atom"])])
    sums = np.add.reduceat([own[number] for number in dataset["Z"].tolist()], offsets[:-1])
    np.testing.assert_allclose(energies(loader.batches()), dataset["E"] - sums, rtol=0, atol=1e-9)
    with pytest.raises(DataError, match="there are atoms of C, O, and energies of H"):
        next(PackedMemmapLoader(store, references={"H": 0.0}).batches())


def test_a_loader_pickles_as_its_path(store: Path) -> None:
    """A loader, and one of a part of a large store, pickles in less than 10 kB and gives the same batches after."""
    for loader in (PackedMemmapLoader(store), *split_loader(PackedMemmapLoader(store, references="fit"))):
        next(loader.batches())
        text = pickle.dumps(loader)
        assert len(text) < 10_000
        assert all(like(a, b) for a, b in zip(loader.batches(), pickle.loads(text).batches(), strict=True))


def total(loader: PackedMemmapLoader) -> float:
    """The sum of the energies of an epoch."""
    return sum(energies(loader.batches()))


def test_workers_that_are_spawned_open_the_store_for_themselves(store: Path) -> None:
    """A loader sent to spawned processes gives the same there."""
    loader = PackedMemmapLoader(store)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(total, [loader, loader]) == [total(PackedMemmapLoader(store))] * 2


@pytest.mark.parametrize(
    ("options", "how", "found"),
    [
        ({"precision": "float16"}, {}, "precision is 'float16'"),
        ({"order": "random"}, {}, "order 'random'"),
        ({"names": ("X",)}, {}, "take the field 'X'"),
        ({"batch_size": 0}, {}, "their size is 0"),
        ({}, {"num_atoms": 5}, "num_atoms is 5"),
        ({}, {"atoms": 5}, "takes 6 and the budget is 5|takes 7 and the budget is 5"),
        ({}, {"atoms": 40, "buckets": 3}, "atoms and buckets are given"),
        ({}, {"frames": 3}, "no budget of atoms is given"),
        ({}, {"natoms": 3}, "'natoms': there is no such option. The options are num_atoms"),
        ({"host": 2, "hosts": 2}, {}, "host 2 of 2"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    store: Path, options: dict[str, Any], how: dict[str, Any], found: str
) -> None:
    """Errors come before the first batch and say what was asked."""
    with pytest.raises((ConfigError, DataError), match=found):
        next(PackedMemmapLoader(store, **options).batches(**how))


def test_leaving_early_ends_the_thread_and_the_next_call_goes_on(store: Path) -> None:
    """A loop that is left has given its batches; the next call gives those after them."""
    loader, whole = (PackedMemmapLoader(store, batch_size=16) for _ in range(2))
    expected = energies(whole.batches())
    found = []
    for batch in loader.batches():
        found += energies([batch])
        if len(found) >= 48:
            break
    assert found + energies(loader.batches()) == expected
