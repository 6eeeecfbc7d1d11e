"""A store never lies: every byte that is not as it was written is found, and told with its shard, field and frames."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.batching import Planned, load, load_several
from atomloom.batching.shape import Shape
from atomloom.errors import ConfigError, DataError
from atomloom_memmap import Store, append_to_store, checksums, manifest, shard, stored, write_store

LENGTHS = [np.array([2, 0, 3, 1, 4]), np.array([3, 1, 0, 2])]
"""Atoms of the frames of two shards."""


def frames(lengths: np.ndarray[tuple[int], np.dtype[np.int64]], seed: int) -> Dataset:
    """Frames of so many atoms."""
    rng, total = np.random.default_rng(seed), int(lengths.sum())
    arrays = {
        "Z": np.arange(total, dtype=np.uint8),
        "R": rng.normal(size=(total, 3)),
        "E": rng.normal(size=len(lengths)),
    }
    return Dataset.from_arrays(arrays, lengths={"atom": lengths})


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checksums of 32 bytes, so that a small store has many."""
    for module in (checksums, stored):
        monkeypatch.setattr(module, "BLOCK", 32)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of two shards."""
    path = tmp_path / "small.packed"
    write_store(frames(LENGTHS[0], 1), path)
    append_to_store(frames(LENGTHS[1], 2), path)
    return path


def frames_of(path: Path, byte: int, size: int, block: int) -> set[int]:
    """The frames whose values are in the block of this byte, by counting; none where it is all header."""
    number, name = int(path.parent.name.partition(".")[0]), path.stem
    lengths, first = LENGTHS[number], 0 if number == 0 else len(LENGTHS[0])
    values = np.load(path)
    start, row = size - values.nbytes, values.nbytes // len(values)
    begin = byte // block * block
    rows = {(each - start) // row for each in range(begin, min(begin + block, size)) if each >= start}
    if name == "offsets-atom":  # each is where a frame ends and the next one begins
        return {first + frame for each in rows for frame in (each - 1, each) if 0 <= frame < len(lengths)}
    owner = np.arange(len(lengths)) if name == "E" else np.repeat(np.arange(len(lengths)), lengths)
    return {first + int(owner[each]) for each in rows}


def named(told: str) -> tuple[int, int] | None:
    """The first and the last frame that a message names."""
    one, several = re.search(r"\(frame (\d+)\)", told), re.search(r"\(frames (\d+) to (\d+)\)", told)
    return (int(one[1]), int(one[1])) if one else (int(several[1]), int(several[2])) if several else None


def flip(path: Path, byte: int, mask: int) -> None:
    """Change one byte of a file."""
    with open(path, "r+b") as file:
        file.seek(byte)
        old = file.read(1)[0]
        file.seek(byte)
        file.write(bytes([old ^ mask]))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_every_flipped_byte_is_found(store: Path, mask: int) -> None:
    """Of every file in every shard, one byte after the other: named by shard, file, field and frames."""
    files = sorted(store.glob("shards/*/*"))
    assert {path.name for path in files} == {"Z.npy", "R.npy", "E.npy", "offsets-atom.npy", "checksums.npy"}
    for path in files:
        name, number, size = path.relative_to(store).as_posix(), int(path.parent.name[0]), path.stat().st_size
        field = "offsets of atom" if path.stem == "offsets-atom" else path.stem
        told = [set() if field == "checksums" else frames_of(path, byte, size, 32) for byte in range(size)]
        for byte in range(size):
            flip(path, byte, mask)
            (found,) = Store(store).verify()
            flip(path, byte, mask)
            assert (found.shard, found.file, found.field) == (number, name, field), f"byte {byte} of {name}"
            wanted = (min(told[byte]), max(told[byte])) if told[byte] else None
            assert named(found.where) == wanted, f"byte {byte} of {name}"
    assert not Store(store).verify()


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_every_flipped_byte_of_a_manifest_is_found(store: Path, mask: int) -> None:
    """A store does not open then, whatever the byte says."""
    for byte in range((store / manifest.NAME).stat().st_size):
        flip(store / manifest.NAME, byte, mask)
        with pytest.raises(DataError, match=r"damaged|not that of a packed store|of format"):
            Store(store)
        flip(store / manifest.NAME, byte, mask)
    assert not Store(store).verify()


@pytest.mark.usefixtures("small_blocks")
def test_every_flipped_byte_of_a_frame_is_found_at_its_first_touch(store: Path) -> None:
    """Reading a frame whose values were changed is an error that names the frame; frames elsewhere can be read."""
    whole = Store(store).dataset()
    values = {frame: whole.take([frame]) for frame in range(len(whole))}
    for path in sorted(store.glob("shards/*/[ZRE].npy")):
        size = path.stat().st_size
        for byte in range(size):
            told = frames_of(path, byte, size, 32)
            flip(path, byte, 0x10)
            opened = Store(store).dataset()
            for frame in range(len(opened)):
                if frame in told:
                    with pytest.raises(DataError, match=r"its checksum is wrong|makes no sense|its header"):
                        opened.take([frame], [path.stem])
                elif told:  # else the header is damaged, and no frame can be read
                    assert np.array_equal(opened.take([frame], [path.stem])[path.stem], values[frame][path.stem])
            flip(path, byte, 0x10)


@pytest.mark.usefixtures("small_blocks")
def test_every_flipped_byte_of_an_offset_is_found_at_its_first_touch(store: Path) -> None:
    """Where a frame begins and where it ends are both looked at, and nothing that is not needed."""
    for number, path in enumerate(sorted(store.glob("shards/*/offsets-atom.npy"))):
        size, first = path.stat().st_size, number * len(LENGTHS[0])
        for byte in range(size):
            told = frames_of(path, byte, size, 32)
            flip(path, byte, 0x01)
            for frame in range(len(LENGTHS[number])):
                opened = Store(store).shards[number]
                if first + frame in told:
                    with pytest.raises(DataError, match=r"offsets-atom.npy.* is damaged: its checksum is wrong"):
                        opened.spans("atom", np.array([frame]))
                elif told:
                    assert opened.spans("atom", np.array([frame]))[1] == LENGTHS[number][frame]
            flip(path, byte, 0x01)


def test_a_touched_block_names_file_bytes_and_frames(store: Path) -> None:
    """The text is one that a person can act on."""
    flip(store / "shards/1.0.0/R.npy", 128 + 24 * 3, 1)
    found = "the block of bytes 0 to 271 (frames 5 to 8) is damaged: its checksum is wrong. Copy that file again."
    with pytest.raises(DataError, match=re.escape(f"Cannot read '{store / 'shards/1.0.0/R.npy'}': {found}")):
        Store(store).dataset().take([5])
    assert Store(store).dataset().take([4])["R"].shape == (4, 3)


def test_never_checking_trusts_the_disk(store: Path) -> None:
    """Whoever asks for it gets what is there; verifying still finds it, and any other word is refused."""
    flip(store / "shards/1.0.0/Z.npy", 128, 0x20)
    opened = Store(store, check="never")
    assert opened.dataset().take([5])["Z"].tolist() == [32, 1, 2]
    assert len(opened.verify()) == 1
    with pytest.raises(ConfigError, match=r"check is 'always'. Use 'touch' or 'never'"):
        Store(store, check="always")  # type: ignore[arg-type]  # which is the point


def test_a_damaged_block_stays_damaged(store: Path) -> None:
    """Asking again does not help: a block counts as seen only once it was right, and a repaired one is read."""
    flip(store / "shards/0.0.0/E.npy", 130, 1)
    dataset = Store(store).dataset()
    for _ in range(2):
        with pytest.raises(DataError, match="its checksum is wrong"):
            dataset.take([0], ["E"])
    flip(store / "shards/0.0.0/E.npy", 130, 1)
    assert len(dataset.take([0], ["E"])["E"]) == 1


@pytest.mark.parametrize("name", ["R.npy", "offsets-atom.npy", "checksums.npy"])
@pytest.mark.parametrize("how", ["cut", "longer", "gone"])
def test_files_of_another_size_are_refused_before_anything_is_read(store: Path, name: str, how: str) -> None:
    """Cut off by a byte, longer by one, or not there: opening says so."""
    path = store / "shards/0.0.0" / name
    size = path.stat().st_size
    if how == "gone":
        path.unlink()
    else:
        os.truncate(path, size - 1 if how == "cut" else size + 1)
    with pytest.raises(DataError, match=f"'{path}'"):
        Store(store).dataset().take([0])


def test_the_size_that_is_wrong_is_told(store: Path) -> None:
    """Both sizes are named, so that one sees whether a copy stopped."""
    os.truncate(store / "shards/0.0.0/R.npy", 200)
    with pytest.raises(DataError, match=r"R.npy': it has 200 bytes, and the manifest says 368. Check that it was"):
        Store(store)
    (store / "shards/0.0.0/R.npy").unlink()
    with pytest.raises(DataError, match=r"R.npy': the manifest names this file, and it is not there"):
        Store(store)


def test_holes_are_found(tmp_path: Path) -> None:
    """A file of the right size in which a stretch was never written, as after some power cuts, is no zeros."""
    path = tmp_path / "big.packed"
    write_store(frames(np.full(5000, 7), 1), path)
    with open(path / "shards/0.0.0/R.npy", "r+b") as file:
        file.seek(300_000)
        file.write(bytes(4096))
    opened = Store(path)
    assert [(found.field, found.where) for found in opened.verify()] == [
        ("R", "the block of bytes 262144 to 327679 (frames 1559 to 1949)")
    ]
    with pytest.raises(DataError, match=r"\(frames 1559 to 1949\) is damaged"):
        opened.dataset().take([1800])


SHRINKING = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    import numpy as np
    from atomloom.batching import Planned, load, load_several
    from atomloom.batching.shape import Shape
    from atomloom.errors import DataError
    from atomloom_memmap import Store

    path, how = Path(sys.argv[1]), sys.argv[2]
    store = Store(path)
    dataset, frames = store.dataset(), np.arange(64)
    shape = Shape(64, 64 * 7, 0, 0, 7 if how == "padded" else 0)
    planned = [Planned(frames + 4000 - 64 * number, shape) for number in range(4)]
    batches = load_several(dataset, planned)
    next(batches)
    os.truncate(path / "shards/0.0.0/R.npy", 4096)
    for again in (
        lambda: next(batches),
        lambda: load(dataset, planned[0]),
        lambda: dataset.take(frames + 4000),
        lambda: dataset["R"],
        lambda: store.shards[0].rows("R", frames),
    ):
        try:
            again()
        except DataError as error:
            assert "the file shrank from 840128 to 4096 bytes while it was in use" in str(error), error
        else:
            sys.exit("zeros were handed out")
    assert store.verify()[0].field == "R"
    print("alive")
""")
"""A program that has batches of a store while one of its files shrinks."""


@pytest.mark.parametrize("how", ["padded", "packed"])
def test_a_file_that_shrinks_while_it_is_open_is_an_error_before_the_batch(tmp_path: Path, how: str) -> None:
    """Mapped memory behind the end of a file kills a process: found out before each batch, and no zeros come."""
    path = tmp_path / "shrinks.packed"
    write_store(frames(np.full(5000, 7), 1), path)
    ended = subprocess.run([sys.executable, "-c", SHRINKING, str(path), how], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: None, "there is no such folder. Check the path"),
        (lambda path: path.mkdir(), "it holds no manifest.json. Name a folder that atomloom has packed"),
        (lambda path: path.write_text("a file"), "it is a file, and a store is a folder. Pack it with"),
        (
            lambda path: path.with_name("a.partial").mkdir(),
            "its conversion has not finished. Run the same conversion again: it goes on where it stopped",
        ),
        (lambda path: (path.mkdir(), (path / "manifest.json").write_text("{}")), "is not that of a packed store"),
        (lambda path: (path.mkdir(), (path / "manifest.json").mkdir()), "cannot be read (Is a directory)"),
        (
            lambda path: (path.mkdir(), (path / "manifest.json").write_bytes(manifest.MAGIC + b'2, "x": 1}')),
            "it is of format 2, and this atomloom-memmap reads format 1. Update atomloom-memmap",
        ),
        (
            lambda path: (path.mkdir(), (path / "manifest.json").write_bytes(manifest.MAGIC + b"9" * 5000)),
            "cannot be read",
        ),
    ],
    ids=["absent", "empty", "a file", "partial", "other JSON", "a folder", "newer", "absurd"],
)
def test_what_is_no_store_is_told(tmp_path: Path, make: Callable[[Path], object], found: str) -> None:
    """Asked for, found, and what to do."""
    make(tmp_path / "a")
    with pytest.raises(
        DataError, match=re.escape(f"Cannot open the store '{tmp_path / 'a'}': ") + ".*" + re.escape(found)
    ):
        Store(tmp_path / "a")


def test_a_partial_folder_is_no_store(tmp_path: Path) -> None:
    """Opened by its own name it says the same."""
    (tmp_path / "a.partial").mkdir()
    with pytest.raises(DataError, match=r"its conversion has not finished. Run the same conversion again"):
        Store(tmp_path / "a.partial")


def test_a_cut_off_manifest_is_damaged(store: Path) -> None:
    """At whatever length."""
    path = store / "manifest.json"
    text = path.read_bytes()
    for length in range(len(text)):
        path.write_bytes(text[:length])
        with pytest.raises(DataError, match=r"damaged|not that of a packed store"):
            Store(store)


def test_shards_of_two_stores_do_not_mix(store: Path, tmp_path: Path) -> None:
    """A shard of equal sizes and other values, with its own checksums, is not the one that the manifest names."""
    other = tmp_path / "other.packed"
    write_store(frames(LENGTHS[0], 99), other)
    shutil.copytree(other / "shards/0.0.0", store / "shards/0.0.0", dirs_exist_ok=True)
    (found,) = Store(store).verify()
    assert (found.shard, found.field, found.where) == (
        0,
        "checksums",
        "it is damaged: the manifest has another checksum for it",
    )
    with pytest.raises(DataError, match=shard.SUMS):
        Store(store).dataset().take([0])


def test_python_objects_are_never_loaded(store: Path) -> None:
    """Not even where the manifest of a stranger says that an array holds such."""
    known = manifest.load(store)
    part = known.shards[0].parts[0]
    path = store / part.folder / "E.npy"
    with open(path, "r+b") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": (5,)})
    text = manifest.dumps(known).replace(
        b'"dtype": "<f8",\n       "bytes": 168', b'"dtype": "|O",\n       "bytes": 168'
    )
    body = text[: text.rindex(b',\n"checksum"')]
    (store / "manifest.json").write_bytes(body + b',\n"checksum": "%s"}\n' % checksums.digest(body).encode())
    with pytest.raises(DataError, match="Python objects"):
        Store(store, check="never").dataset().take([0], ["E"])


def test_loading_is_checked_too(store: Path) -> None:
    """Batches in static shape come through the same door."""
    flip(store / "shards/0.0.0/R.npy", 130, 1)
    planned = Planned(np.arange(5), Shape(5, 20, 0, 0, 4))
    with pytest.raises(DataError, match="is damaged"):
        load(Store(store).dataset(), planned)
    with pytest.raises(DataError, match="is damaged"):
        list(load_several(Store(store).dataset(), [planned, planned]))
