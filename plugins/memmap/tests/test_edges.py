"""Pairs of atoms that a store keeps: those that are found on the way, whatever happens while they are written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from atomloom import Dataset
from atomloom.batching import within
from atomloom.errors import ConfigError, DataError
from atomloom_memmap import PackedMemmapLoader, Store, append_to_store, cache_edges, write_store
from atomloom_memmap.edge_commands import edges
from atomloom_memmap.edge_commands import prune as prune_command
from atomloom_memmap.edges import cached_cutoff, edges_of, pair_counts
from atomloom_memmap.pruning import prune

CUTOFF = 3.0


def crystals(frames: int, seed: int = 3) -> Dataset:
    """Periodic frames of some atoms, in cells so small that atoms meet images of each other, and of themselves."""
    rng = np.random.default_rng(seed)
    atoms = rng.integers(1, 6, frames)
    total = int(atoms.sum())
    arrays = {
        "Z": np.full(total, 14),
        "R": rng.uniform(-4, 8, (total, 3)),
        "cell": np.eye(3) * rng.uniform(2.5, 7, (frames, 3, 1)) + rng.uniform(-0.3, 0.3, (frames, 3, 3)),
        "pbc": rng.random((frames, 3)) < 0.8,
    }
    return Dataset.from_arrays(arrays, lengths={"atom": atoms})


def chains(*atoms: int) -> Dataset:
    """Frames of so many atoms, 1 angstrom apart in a row."""
    rows = np.concatenate([np.arange(count) for count in atoms])[:, None] * np.array([1.0, 0.0, 0.0])
    return Dataset.from_arrays({"R": rows}, lengths={"atom": np.array(atoms)})


@pytest.fixture(params=["open", "periodic"])
def frames(request: pytest.FixtureRequest, dataset: Dataset) -> Dataset:
    """Molecules, or crystals."""
    return dataset if request.param == "open" else crystals(120)


@pytest.fixture
def path(frames: Dataset, tmp_path: Path) -> Path:
    """A store of two shards with the pairs of these frames."""
    target = tmp_path / "kept.packed"
    half = np.arange(len(frames)) < len(frames) // 3
    write_store(frames[np.flatnonzero(half)], target)
    append_to_store(frames[np.flatnonzero(~half)], target)
    return target


def check(path: Path, frames: Dataset, cutoff: float = CUTOFF) -> None:
    """Stops unless the store keeps exactly the pairs that `within` finds."""
    store = Store(path)
    picked = np.random.default_rng(0).permutation(len(frames))[:90]
    found, true = edges_of(store, picked), within(frames.take(picked), cutoff)
    assert np.array_equal(found.destination, true.destination)
    assert np.array_equal(found.source, true.source)
    assert (found.shift is None) == (true.shift is None)
    assert found.shift is None or np.array_equal(found.shift, true.shift)
    everything = within(frames.take(np.arange(len(frames))), cutoff)
    owners = np.repeat(np.arange(len(frames)), frames.sizes["atom"])
    assert np.array_equal(pair_counts(store), np.bincount(owners[everything.destination], minlength=len(frames)))
    assert cached_cutoff(store) == cutoff
    assert not store.verify()


def test_kept_pairs_are_those_that_are_found(path: Path, frames: Dataset) -> None:
    """Of any frames in any order, the pairs, their order and their shifts are those of `within`, to the last bit."""
    assert cache_edges(path, CUTOFF)
    check(path, frames)
    assert Store(path).manifest.fields["pair_dst"].dtype == "|u1"


def test_frames_without_pairs_have_none(tmp_path: Path) -> None:
    """A store in which no two atoms are near keeps that."""
    write_store(chains(1, 1, 1), tmp_path / "atoms")
    cache_edges(tmp_path / "atoms", CUTOFF)
    assert pair_counts(Store(tmp_path / "atoms")).tolist() == [0, 0, 0]
    assert not len(edges_of(Store(tmp_path / "atoms"), np.arange(3)).source)


def test_many_atoms_get_a_type_that_counts_them(tmp_path: Path) -> None:
    """Atoms of frames of more than 256 are counted in two bytes, and every one has its two neighbours in the row.

    Frames of more than 300 are left to vesin where that is installed.
    """
    write_store(chains(2, 320, 3), tmp_path / "large")
    cache_edges(tmp_path / "large", 1.5)
    store = Store(tmp_path / "large")
    assert store.manifest.fields["pair_src"].dtype == "<u2"
    assert pair_counts(store).tolist() == [2, 638, 4]
    found = edges_of(store, np.array([2, 1]))
    assert np.array_equal(found.source[:4], [1, 0, 2, 1])
    assert found.source[-1] == 3 + 318
    assert np.all(np.abs(found.source - found.destination) == 1)


def test_the_loader_takes_them(path: Path, frames: Dataset) -> None:
    """Batches within the kept cutoff are the same as without kept pairs, and read no positions for them."""
    fresh = list(PackedMemmapLoader(path, batch_size=16, seed=1).batches(num_atoms=9, cutoff=CUTOFF))
    cache_edges(path, CUTOFF)
    kept = list(PackedMemmapLoader(path, batch_size=16, seed=1).batches(num_atoms=9, cutoff=CUTOFF))
    for one, other in zip(fresh, kept, strict=True):
        real = [np.flatnonzero(each["pair_mask"]) for each in (one, other)]
        for name in ("dst_idx", "src_idx", *(["pair_shift"] if "pair_shift" in one else [])):
            assert np.array_equal(one[name][real[0]], other[name][real[1]])
        assert np.array_equal(one["R"], other["R"])
        assert np.array_equal(one["Z"], other["Z"])


def test_a_second_time_does_nothing(path: Path) -> None:
    """With the same cutoff nothing is written again."""
    cache_edges(path, CUTOFF)
    before = (path / "manifest.json").read_bytes()
    assert not cache_edges(path, CUTOFF)
    assert (path / "manifest.json").read_bytes() == before


def test_another_cutoff_wants_to_be_said(path: Path, frames: Dataset) -> None:
    """Other pairs replace those that are kept only where that is asked for; open readers keep theirs until `prune`."""
    cache_edges(path, CUTOFF)
    with pytest.raises(ConfigError, match=r"it keeps those within 3 angstrom\. Give --replace"):
        cache_edges(path, 2.0)
    reader = Store(path)
    assert cache_edges(path, 2.0, replace=True)
    true = within(frames.take(np.arange(20)), CUTOFF)
    assert np.array_equal(edges_of(reader, np.arange(20)).source, true.source)
    check(path, frames, 2.0)
    removed = prune(path)
    assert removed.folders == 2
    assert removed.bytes > 0
    check(path, frames, 2.0)
    assert prune(path) == (0, 0)


def test_added_frames_get_pairs_too(frames: Dataset, tmp_path: Path) -> None:
    """Frames that are added to a store with pairs have theirs within the same cutoff."""
    parts = np.array_split(np.arange(len(frames)), 3)
    write_store(frames[parts[0]], tmp_path / "growing")
    cache_edges(tmp_path / "growing", CUTOFF)
    reader = Store(tmp_path / "growing")
    for part in parts[1:]:
        append_to_store(frames[part], tmp_path / "growing")
    check(tmp_path / "growing", frames)
    assert len(reader) == len(parts[0]) == len(pair_counts(reader))


def test_without_positions_there_is_nothing_to_find(tmp_path: Path) -> None:
    """The error says what is missing."""
    write_store(Dataset.from_arrays({"Z": np.ones(3, int)}, lengths={"atom": np.array([1, 2])}), tmp_path / "s")
    with pytest.raises(DataError, match=r"it holds no positions R\. Pack the positions as well"):
        cache_edges(tmp_path / "s", CUTOFF)


def test_pairs_without_a_cutoff_are_not_trusted(path: Path, tmp_path: Path) -> None:
    """A copy by way of a data set holds pairs as fields and has forgotten their cutoff; loaders find theirs anew."""
    cache_edges(path, CUTOFF)
    write_store(Store(path).dataset(), tmp_path / "copy")
    with pytest.raises(DataError, match=r"it holds 'pair_dst', and not the cutoff that was used\. Convert its source"):
        cache_edges(tmp_path / "copy", CUTOFF)
    one, other = (next(PackedMemmapLoader(each).batches(num_atoms=9, cutoff=2.0)) for each in (path, tmp_path / "copy"))
    assert np.array_equal(one["src_idx"], other["src_idx"])


@pytest.mark.parametrize("cutoff", [0.0, -1.0, float("nan"), float("inf")])
def test_a_cutoff_is_a_distance(path: Path, cutoff: float) -> None:
    """What is no distance is refused and leaves nothing behind."""
    with pytest.raises(DataError, match="Give a distance above zero, in angstrom"):
        cache_edges(path, cutoff)
    assert {each.name for each in path.iterdir()} == {"manifest.json", "shards"}


KILLED = """
import os, sys
from atomloom_memmap import building, cache_edges
steps = iter(range(10**6))
def counted(original):
    def call(*given, **named):
        if next(steps) == int(sys.argv[2]):
            os.kill(os.getpid(), 9)
        return original(*given, **named)
    return call
for name in ("rename", "fsync", "replace"):
    setattr(os, name, counted(getattr(os, name)))
cache_edges(sys.argv[1], 3.0)
print(next(steps))
"""


def test_killed_anywhere_it_is_there_or_not(tmp_path: Path) -> None:
    """A process that is killed at any point where something reaches the disk leaves the store without pairs or with
    all of them, and the next run completes them.
    """
    frames = crystals(60)
    for step in range(10**6):
        path = tmp_path / f"killed-{step}"
        write_store(frames[np.arange(30)], path)
        append_to_store(frames[np.arange(30, 60)], path)
        done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(step)], check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        store = Store(path)
        assert not store.verify()
        assert cached_cutoff(store) in (None, CUTOFF)
        cache_edges(path, CUTOFF)
        check(path, frames)
    assert step > 10
    prune(path)
    assert sorted(os.listdir(path / "shards")) == ["0.0.0", "0.0.0+edges-1", "1.0.0", "1.0.0+edges-1"]


def test_commands_say_what_they_did(path: Path) -> None:
    """`edges` and `prune` tell how many pairs there are and what was removed; again there is nothing to do."""
    run = CliRunner().invoke
    rows = int(within(Store(path).dataset().take(np.arange(len(Store(path)))), CUTOFF).source.size)
    first, again = (run(edges, [str(path), "--cutoff", "3"]).output for _ in range(2))
    assert f"keeps {rows} pairs within 3 angstrom" in first
    assert f"kept already {rows} pairs" in again
    assert run(edges, [str(path), "--cutoff", "2", "--replace"]).exit_code == 0
    assert "removed 2 folders" in run(prune_command, [str(path)]).output
