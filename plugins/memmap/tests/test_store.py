"""What is packed comes back bit for bit, however it is cut, stored, asked for and added to."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.batching import Planned, load, load_several
from atomloom.batching.shape import Shape
from atomloom.data import Packed, PerFrame
from atomloom.errors import DataError
from atomloom.specs import Field
from atomloom_memmap import Store, append_to_store, checksums, contents, gather, write_store
from atomloom_memmap import manifest as manifests
from atomloom_memmap.part_writer import PartWriter, file_names
from atomloom_memmap.part_writer import Planned as PlannedArray

RAW = {
    "pairs of atoms": np.dtype("<i4"),  # names that no file system takes, or not all of them
    "../escape": np.dtype("<f8"),
    "r": np.dtype("<f2"),
    "aux": np.dtype("u1"),
    "β": np.dtype("<f8"),
    "x" * 300: np.dtype("?"),
    "manifest": np.dtype("<i8"),
    "checksums": np.dtype("<c16"),
}
"""Fields that are not harmonised, each ragged along an axis of its own."""


def everything(frames: int, seed: int = 0, longest: int = 9) -> Dataset:
    """Every kind of field: ragged along atoms, grids and axes of their own, per frame of any shape, text, booleans."""
    rng = np.random.default_rng(seed)
    atoms, grids = rng.integers(0, longest + 1, frames), rng.integers(0, 20, frames)
    total, points = int(atoms.sum()), int(grids.sum())
    known = Dataset.from_arrays(
        {
            "Z": rng.integers(1, 90, total, dtype=np.uint8),
            "R": rng.normal(size=(total, 3)),
            "F": rng.normal(size=(total, 3)).astype(np.float32),
            "mono": rng.normal(size=total),
            "altloc": np.array(["A", "", "βγ"])[rng.integers(0, 3, total)],
            "esp": rng.normal(size=points).astype(np.float32),
            "vdw_surface": rng.normal(size=(points, 3)),
            "N": atoms,
            "E": rng.normal(size=frames) * 1e5,
            "D": rng.normal(size=(frames, 3)),
            "cell": rng.normal(size=(frames, 3, 3)),
            "pbc": rng.integers(0, 2, (frames, 3)).astype(bool),
            "protein_id": np.array([f"protein {number}" for number in range(frames)]),
            "total_charge": rng.integers(-1, 2, frames, dtype=np.int8),
        },
        lengths={"atom": atoms, "grid": grids},
        meta={"level_of_theory": "none", "aa_to_id": {"ALA": 1}, "source": "memory"},
    )
    columns, fields = {}, {}
    for number, (name, dtype) in enumerate(RAW.items()):
        lengths = rng.integers(0, 4, frames)
        values = rng.integers(0, 2, (int(lengths.sum()), *(2,) * (number % 3))).astype(dtype)
        columns[name], fields[name] = Packed(values, lengths), Field(name=name, dims=())
    columns["R0"], fields["R0"] = PerFrame(rng.normal(size=(frames, 2, 0))), Field(name="R0")
    return known.with_columns(columns, fields)


def molecules(frames: int, seed: int = 0, precision: str = "<f8") -> Dataset:
    """Molecules of about QM9's sizes."""
    rng = np.random.default_rng(seed)
    atoms = np.clip(np.rint(rng.normal(18, 3, frames)), 3, 29).astype(np.int64)
    total = int(atoms.sum())
    arrays = {
        "Z": rng.integers(1, 10, total, dtype=np.uint8),
        "R": rng.normal(size=(total, 3)).astype(precision),
        "E": rng.normal(size=frames).astype(precision),
    }
    return Dataset.from_arrays(arrays, lengths={"atom": atoms})


def same(one: Any, other: Any) -> bool:
    """Whether two arrays have one type, one shape and the same bytes."""
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of some frames each."""
    cut = contents.Contents.shards
    monkeypatch.setattr(contents.Contents, "shards", lambda self, limit: cut(self, limit >> 7))
    monkeypatch.setattr(contents, "BLOCK_FRAMES", 7)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # which takes long for so many files


def one_shard(path: Path) -> Dataset:
    """Everything, written at once."""
    data = everything(150)
    write_store(data, path)
    return data


def many_shards(path: Path) -> Dataset:
    """Everything, in shards of about twenty frames."""
    data = everything(150)
    write_store(data, path, shard_mib=1)
    return data


def added_to(path: Path) -> Dataset:
    """Everything in three steps."""
    from atomloom.data import concatenate

    parts = [everything(50, seed) for seed in range(3)]
    write_store(parts[0], path)
    for part in parts[1:]:
        append_to_store(part, path, shard_mib=1)
    return concatenate(parts)


WAYS = [one_shard, many_shards, added_to]


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_field_comes_back(way: Callable[[Path], Dataset], tmp_path: Path) -> None:
    """With its type, its shape and its bytes; taken in any order, repeatedly, sliced, masked, by blocks, or none."""
    data = way(tmp_path / "a")
    store = Store(tmp_path / "a")
    assert len(store.shards) == 1 or way is not one_shard
    assert len(store.shards) > 4 or way is one_shard
    back, rng = store.dataset(), np.random.default_rng(1)
    assert list(back.columns) == [*(name for name in data.columns if name != "N"), "N"]
    for name in data.columns:
        assert same(back[name], data[name]), name
        assert (back.fields[name].dims, back.fields[name].unit) == (data.fields[name].dims, data.fields[name].unit)
    for frames in ([], [0], [149], [3, 3, 3], rng.integers(0, 150, 60), rng.permutation(150), [-1, 2]):
        one, other = back.take(frames), data.take(frames)
        assert all(same(one[name], other[name]) for name in data.columns)
        assert all(np.array_equal(one.sizes[axis], other.sizes[axis]) for axis in data.sizes)
    mask = rng.random(150) < 0.3
    for view in (slice(20, 90, 3), slice(None, None, -1), [5, 1, 140], mask):
        one, other = back[view], data[view]
        assert all(same(one[name], other[name]) for name in data.columns)
        assert all(same(one[2:9][name], other[2:9][name]) for name in data.columns)
    for one, other in zip(back.blocks(32), data.blocks(32), strict=True):
        assert all(same(one[name], other[name]) for name in data.columns)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("widest", [0, 4, 256])
@pytest.mark.parametrize("way", WAYS)
def test_batches_are_those_of_the_source(
    way: Callable[[Path], Dataset], widest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Padded by frame or packed, one by one or several at once, with slots left over, by windows or by copies."""
    monkeypatch.setattr(gather, "WIDEST", widest)
    monkeypatch.setattr(gather, "LARGEST", 64 * widest)
    data, rng = way(tmp_path / "a"), np.random.default_rng(2)
    back = Store(tmp_path / "a").dataset()
    names = [name for name, field in data.fields.items() if field.dims]
    for atoms in (0, 9, 11):
        for count in (8, 5, 0):
            shape = Shape(8, 8 * (atoms or 9) + 3 * (not atoms), 0, 160, atoms)
            planned = [Planned(rng.integers(0, 150, each), shape) for each in (count, 8, 1, 0)]
            wanted = [load(data, each, names) for each in planned]
            for number, each in enumerate(planned):
                found = load(back, each, names)
                assert list(found) == list(wanted[number])
                assert all(same(found[name], wanted[number][name]) for name in found)
            for one, other in zip(load_several(back, planned, names), wanted, strict=True):
                assert all(same(one[name], other[name]) for name in other)
            for one, other in zip(load_several(back[:], planned, names), wanted, strict=True):
                assert all(same(one[name], other[name]) for name in other)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize(("one", "two"), [("<f4", "<f8"), ("<f8", "<f4")])
def test_an_addition_of_another_precision(one: str, two: str, tmp_path: Path) -> None:
    """Each shard keeps its own, and what is read has that which holds both."""
    parts = [molecules(40, 1, one), molecules(30, 2, two)]
    write_store(parts[0], tmp_path / "a")
    append_to_store(parts[1], tmp_path / "a", shard_mib=1)
    store = Store(tmp_path / "a")
    assert {np.load(path).dtype.str for path in (tmp_path / "a").glob("shards/0.*/R.npy")} == {one}
    assert {np.load(path).dtype.str for path in (tmp_path / "a").glob("shards/1.*/R.npy")} == {two}
    back, frames = store.dataset(), np.random.default_rng(3).permutation(70)
    wanted = {name: np.concatenate([part[name].astype("<f8") for part in parts]) for name in ("R", "E")}
    assert same(back["R"], wanted["R"])
    assert same(back["E"], wanted["E"])
    shape = Shape(70, 70 * 29, 0, 0, 29)
    padded = load(back, Planned(frames, shape))
    slow = np.zeros((70, 29, 3))
    for place, frame in enumerate(frames.tolist()):
        rows = (parts[0].take([frame]) if frame < 40 else parts[1].take([frame - 40]))["R"]
        slow[place, : len(rows)] = rows
    assert same(padded["R"].reshape(70, 29, 3), slow)
    assert same(padded["E"], wanted["E"][frames])


def mapped(path: Path) -> Any:
    """A file as numpy alone maps it."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("way", WAYS)
def test_every_array_is_one_that_numpy_maps(way: Callable[[Path], Dataset], tmp_path: Path) -> None:
    """Without this package: the arrays of a field, one behind the other, are the field."""
    data = way(tmp_path / "a")
    known = manifests.load(tmp_path / "a")
    files = set()
    for name in known.fields:
        parts = [part for shard in known.shards for part in shard.parts]
        arrays = [mapped(tmp_path / "a" / part.folder / part.fields[name].file) for part in parts]
        assert np.array_equal(np.concatenate(arrays), data[name])
        files |= {part.fields[name].file.casefold() for part in parts}
    assert len(files) == len(known.fields), "two fields would share a file where case is not told apart"
    for shard in known.shards:
        for axis, entry in shard.parts[0].offsets.items():
            offsets = mapped(tmp_path / "a" / shard.parts[0].folder / entry.file)
            assert (offsets.dtype, offsets[0], len(offsets)) == (np.int64, 0, shard.frames + 1), axis
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".npy", ".json"}


def test_names_of_files_are_safe() -> None:
    """Any name of a field becomes a plain file name of its own, on systems that know no case and keep devices."""
    names = [*RAW, "R", "F", "f", "CON", "lpt1", "offsets-atom", "field-1", "", "a/b", "a\\b", "."]
    found = file_names(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,100}\.npy", file) for file in found.values())
    assert len({file.casefold() for file in found.values()}) == len(names)
    assert not {"aux.npy", "con.npy", "lpt1.npy", "checksums.npy"} & {file.casefold() for file in found.values()}


def test_a_store_takes_little_more_than_its_values(tmp_path: Path) -> None:
    """At most 1.03 times them for molecules like those of QM9, offsets, headers, checksums and manifest included."""
    write_store(molecules(20_000), tmp_path / "a")
    known = Store(tmp_path / "a").manifest
    size = sum(path.stat().st_size for path in (tmp_path / "a").rglob("*") if path.is_file())
    data = molecules(20_000)
    assert known.payload == sum(data[name].nbytes for name in data.columns)
    assert known.payload < size <= 1.03 * known.payload


def test_what_a_manifest_says(tmp_path: Path) -> None:
    """Fields with dims, units and types, counts, axes with their histograms, meta, sources, and nothing of today."""
    origin = {"name": "a.npz", "bytes": 12, "hash": "blake2b-128:00"}
    data = everything(30).with_meta(converted_from=[origin], reader="npz")
    write_store(data, tmp_path / "a")
    known = Store(tmp_path / "a").manifest
    assert (known.format, known.frames, known.block, known.counts) == (1, 30, checksums.BLOCK, {"N": "atom"})
    assert known.fields["F"] == manifests.FieldEntry(("frame", "atom", "xyz"), "eV/angstrom", "<f4", (3,), "atom")
    assert known.fields["cell"] == manifests.FieldEntry(("frame", "xyz", "xyz"), "angstrom", "<f8", (3, 3), "")
    lengths = data.sizes["atom"]
    assert (known.axes["atom"].rows, known.axes["atom"].longest) == (lengths.sum(), lengths.max())
    assert dict(known.axes["atom"].histogram) == {size: int((lengths == size).sum()) for size in set(lengths.tolist())}
    assert known.meta == {"level_of_theory": "none", "aa_to_id": {"ALA": 1}}
    assert known.sources == (manifests.Origin(**origin),)
    write_store(data, tmp_path / "b")
    assert (tmp_path / "b/manifest.json").read_bytes() == (tmp_path / "a/manifest.json").read_bytes()
    append_to_store(everything(20, 5), tmp_path / "a")
    more, both = Store(tmp_path / "a").manifest, [*lengths, *everything(20, 5).sizes["atom"]]
    assert dict(more.axes["atom"].histogram) == {size: both.count(size) for size in set(both)}
    assert (more.frames, more.axes["atom"].rows) == (50, sum(both))


def test_reading_the_json_of_a_manifest_needs_nothing_of_ours(store: Path) -> None:
    """Any JSON parser takes it."""
    import json

    known = json.loads((store / "manifest.json").read_text(encoding="utf-8"))
    assert (known["atomloom-memmap"], known["frames"]) == (1, 200)


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("longest", [0, 1])
def test_the_smallest_stores(frames: int, longest: int, tmp_path: Path) -> None:
    """One frame; no atoms in any frame."""
    data = everything(frames, longest=longest)
    write_store(data, tmp_path / "a")
    back = Store(tmp_path / "a").dataset()
    assert all(same(back[name], data[name]) for name in data.columns)
    for atoms in (0, 4):
        planned = Planned(np.arange(frames), Shape(4, 16, 0, 99, atoms))
        assert same(load(back, planned, ["Z", "R", "E"])["R"], load(data, planned, ["Z", "R", "E"])["R"])
    assert not Store(tmp_path / "a").verify()


def test_frames_larger_than_a_block(tmp_path: Path) -> None:
    """Frames of several MiB are written one at a time, each in a shard of its own, and come back."""
    lengths = np.array([300_000, 0, 5, 250_000])
    rows = np.random.default_rng(1).normal(size=(int(lengths.sum()), 3))
    data = Dataset.from_arrays({"R": rows}, lengths={"atom": lengths})
    write_store(data, tmp_path / "a", shard_mib=1)
    store = Store(tmp_path / "a")
    assert [len(shard.lengths("atom")) for shard in store.shards] == [1, 2, 1]
    assert same(store.dataset()["R"], rows)
    assert same(store.dataset().take([3, 2])["R"], np.concatenate([rows[300_005:], rows[300_000:300_005]]))


def test_rows_beyond_two_thousand_million(tmp_path: Path) -> None:
    """Offsets, places in files and numbers of blocks are of 64 bits, in a sparse shard of 54 GB."""
    first = 2**31 + 11
    planned = {
        "Z": PlannedArray("Z.npy", (first + 9,), np.dtype("u1")),
        "R": PlannedArray("R.npy", (first + 9, 3), np.dtype("<f8")),
    }
    offsets = np.array([0, first, first + 4, first + 4, first + 9])
    axis = {"atom": PlannedArray("offsets-atom.npy", (5,), np.dtype("<i8"))}
    with PartWriter(tmp_path / "a/shards/0.0.0", {}, axis) as part:
        part.offsets["atom"].write(offsets)
        described = part.finish("shards/0.0.0")
    entries = {}
    for name, array in planned.items():
        entries[name] = manifests.ArrayEntry(array.file, array.shape, array.dtype.str, array.bytes)
        with open(tmp_path / "a/shards/0.0.0" / array.file, "wb") as file:
            file.write(array.header)
            file.truncate(array.bytes)
            file.seek(entries[name].start + first * entries[name].row)
            file.write((np.arange(9 * entries[name].row // array.dtype.itemsize) + 1).astype(array.dtype).tobytes())
    fields = {
        "Z": manifests.FieldEntry(("frame", "atom"), "", "|u1", (), "atom"),
        "R": manifests.FieldEntry(("frame", "atom", "xyz"), "angstrom", "<f8", (3,), "atom"),
    }
    shard = manifests.Shard(4, (manifests.Part("shards/0.0.0", described.digest, entries, described.offsets),))
    axes = {"atom": manifests.AxisEntry.of(np.diff(offsets))}
    manifests.save(manifests.Manifest(1, "0", 4, fields, {}, axes, {}, (), checksums.BLOCK, (shard,)), tmp_path / "a")
    store = Store(tmp_path / "a", check="never")
    assert (store.manifest.axes["atom"].rows, store.manifest.axes["atom"].longest) == (first + 9, first)
    for atoms in (0, 6):  # packed and padded
        batch = load(store.dataset(), Planned(np.array([3, 2, 1]), Shape(3, 18, 0, 0, atoms)))
        real = batch["atom_mask"]
        assert batch["Z"][real].tolist() == [5, 6, 7, 8, 9, 1, 2, 3, 4]
        assert batch["R"][real][:, 0].tolist() == [13, 16, 19, 22, 25, 1, 4, 7, 10]
    touched = store.shards[0].fields["R"]
    told = touched.where((touched.entry.start + first * 24) // checksums.BLOCK)
    assert told.endswith("(frames 0 to 3)")


def test_a_store_is_sent_to_another_process_as_its_path(tmp_path: Path) -> None:
    """Whatever was read of it before; and there it reads the same."""
    write_store(molecules(20_000), tmp_path / "a")
    dataset = Store(tmp_path / "a").dataset()
    before = dataset.take([150, 3])
    assert len(pickle.dumps(Store(tmp_path / "a"))) < 400
    assert len(pickle.dumps(dataset)) < 10_000
    again = pickle.loads(pickle.dumps(dataset)).take([150, 3])
    assert all(same(again[name], before[name]) for name in before)


def test_a_store_that_changed_is_not_opened_in_another_process(tmp_path: Path) -> None:
    """The frames of the one who sent it are not those that are there now."""
    write_store(molecules(9, 1), tmp_path / "a")
    sent = pickle.dumps(Store(tmp_path / "a"))
    append_to_store(molecules(9, 2), tmp_path / "a")
    with pytest.raises(DataError, match="written anew or added to since it was sent to this process"):
        pickle.loads(sent)


def test_a_relative_path_holds_where_the_folder_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trailing slash does not matter either."""
    data = molecules(9)
    monkeypatch.chdir(tmp_path)
    write_store(data, "a b ß/")
    opened = Store("a b ß/")
    monkeypatch.chdir("/")
    assert same(opened.dataset()["R"], data["R"])
    assert [path.name for path in tmp_path.iterdir()] == ["a b ß"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    """The store behind it is replaced or added to, and the link stays: it may lead to another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk/real")
    for seed in (1, 2):
        write_store(molecules(9, seed), tmp_path / "link")
    append_to_store(molecules(9, 3), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert len(Store(tmp_path / "disk/real")) == 18
    assert {path.name for path in (*tmp_path.iterdir(), *(tmp_path / "disk").iterdir())} == {"disk", "link", "real"}


def test_threads_read_one_store_at_once(tmp_path: Path) -> None:
    """Each gets what it asked for, also while the last blocks are checked for the first time."""
    data = everything(400)
    write_store(data, tmp_path / "a")
    for _ in range(5):
        wrong: list[Any] = []
        start, opened = threading.Barrier(8), Store(tmp_path / "a").dataset()
        threads = [threading.Thread(target=compare, args=(opened, data, seed, start, wrong)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def compare(one: Dataset, other: Dataset, seed: int, start: threading.Barrier, wrong: list[Any]) -> None:
    """Note what is not the same in some batches of two data sets."""
    rng, names, shape = np.random.default_rng(seed), ["Z", "R", "E", "esp"], Shape(16, 16 * 9, 0, 320, 9)
    start.wait()
    try:
        for _ in range(12):
            planned = Planned(rng.integers(0, 400, 16), shape)
            found, wanted = load(one, planned, names), load(other, planned, names)
            wrong.extend(name for name in found if not same(found[name], wanted[name]))
    except Exception as error:
        wrong.append(error)
        raise


def test_an_addition_does_not_disturb_who_has_the_store_open(tmp_path: Path) -> None:
    """The old reader goes on with the old frames, also in files that it has not touched; a new one sees all."""
    data = everything(60)
    write_store(data, tmp_path / "a")
    before = {path: path.read_bytes() for path in (tmp_path / "a/shards").rglob("*") if path.is_file()}
    old = Store(tmp_path / "a")
    assert len(old.dataset().take([1])["Z"]) == data.sizes["atom"][1]
    append_to_store(everything(20, 7), tmp_path / "a")
    assert (len(old), len(Store(tmp_path / "a"))) == (60, 80)
    assert all(same(old.dataset()[name], data[name]) for name in data.columns)
    assert not old.verify()
    assert all(path.read_bytes() == known for path, known in before.items())


def test_a_store_that_is_replaced_never_mixes_with_the_old_one(tmp_path: Path) -> None:
    """Who has the old one open gets its values as far as they are mapped, and an error for the others."""
    one, two = molecules(50, 1), molecules(50, 1)
    two = two.with_columns({"E": PerFrame(two["E"] + 1.0)}, {})
    write_store(one, tmp_path / "a")
    old = Store(tmp_path / "a").dataset()
    assert same(old["R"], one["R"])
    write_store(two, tmp_path / "a")
    assert same(old["R"], one["R"])
    with pytest.raises(DataError, match="damaged"):
        _ = old["E"]
    assert same(Store(tmp_path / "a").dataset()["E"], two["E"])


OPENING = textwrap.dedent("""
    import sys
    from atomloom_memmap import Store
    opened = open
    def counted(path, *rest, **options):
        names.append(str(path))
        return opened(path, *rest, **options)
    names = []
    import builtins, io
    builtins.open = io.open = counted
    Store(sys.argv[1])
    print(*names)
""")


def test_opening_reads_the_manifest_alone(store: Path) -> None:
    """Which is why it takes no longer for more frames."""
    found = subprocess.run([sys.executable, "-c", OPENING, str(store)], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(store / "manifest.json")]


CROWDED = textwrap.dedent("""
    import resource, sys
    from atomloom.errors import DataError
    from atomloom_memmap import Store
    store = Store(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    assert not store.verify()
    try:
        store.dataset()["R"]
    except DataError as error:
        print(error)
""")


@pytest.mark.usefixtures("small_shards")
def test_more_shards_than_files_may_be_open(tmp_path: Path) -> None:
    """Verifying opens one after the other; reading all of them says what is lacking."""
    write_store(everything(300), tmp_path / "a", shard_mib=1)
    found = subprocess.run(
        [sys.executable, "-c", CROWDED, str(tmp_path / "a")], capture_output=True, text=True, check=True
    )
    assert "this process has as many files open as it may. Allow it more with `ulimit -n`" in found.stdout
