"""Stores at addresses: brought once, whole and checked, whatever happens on the way."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.errors import ConfigError, DataError
from atomloom_memmap import PackedMemmapLoader, Store, append_to_store, write_store
from atomloom_memmap.downloading import Remote
from atomloom_memmap.reading import read
from atomloom_memmap.remote import cache_folder, fetch, local

fsspec = pytest.importorskip("fsspec", reason="fsspec (the extra atomloom-memmap[remote]) is not installed")


@pytest.fixture
def source(store: Path, tmp_path: Path) -> Path:
    """A folder that a server offers, with a store in it that a test may spoil."""
    shutil.copytree(store, tmp_path / "offered" / "molecules.packed")
    return tmp_path / "offered" / "molecules.packed"


@pytest.fixture(params=["file", "memory", "http"])
def url(request: pytest.FixtureRequest, source: Path) -> Iterator[str]:
    """Its address, of several kinds; what is done to `source` in the test is not seen by ``memory``."""
    if request.param == "file":
        yield source.as_uri()
    elif request.param == "memory":
        fsspec.filesystem("memory").put(str(source), "/molecules.packed", recursive=True)
        yield "memory://molecules.packed"
        fsspec.filesystem("memory").rm("/molecules.packed", recursive=True)
    else:
        pytest.importorskip("aiohttp", reason="aiohttp, with which fsspec speaks http, is not installed")
        with served(source.parent) as address:
            yield f"{address}/molecules.packed"


class served:
    """A web server on this machine that offers a folder; it sends files as a whole only."""

    def __init__(self, folder: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are asked for, one after the other."""
    seen: list[str] = []
    for name in ("read", "pieces"):
        original = getattr(Remote, name)

        def told(self: Remote, file: str, *rest: Any, original: Any = original) -> Any:
            seen.append(file)
            return original(self, file, *rest)

        monkeypatch.setattr(Remote, name, told)
    return seen


def test_what_arrives_is_what_was_there(url: str, dataset: Dataset, tmp_path: Path) -> None:
    """Every field of every frame is the same, and every block has its checksum."""
    folder = fetch(url, tmp_path / "cache")
    assert not Store(folder).verify()
    fetched = Store(folder).dataset()
    assert all(np.array_equal(fetched[name], dataset[name]) for name in dataset.columns)


def test_the_second_time_only_the_manifest_is_read(url: str, asked: list[str], tmp_path: Path) -> None:
    """What is there is not brought again."""
    first = fetch(url, tmp_path)
    asked.clear()
    assert fetch(url, tmp_path) == first
    assert asked == ["manifest.json"]


def test_reader_and_loader_take_addresses(
    source: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both fetch what looks like an address; a path is taken as it is."""
    monkeypatch.setenv("ATOMLOOM_CACHE", str(tmp_path / "cache"))
    assert np.array_equal(read(source.as_uri())["E"], dataset["E"])
    batches = PackedMemmapLoader(source.as_uri(), batch_size=64, shuffle=False).batches(pairs=False)
    assert np.array_equal(np.concatenate([batch["E"][batch["frame_mask"]] for batch in batches]), dataset["E"])
    assert local(source) == source
    assert local(str(source)) == source


def test_a_changed_store_is_fetched_anew(source: Path, dataset: Dataset, tmp_path: Path) -> None:
    """A store with other frames has a folder of its own, and the one before stays for its readers."""
    before = fetch(source.as_uri(), tmp_path / "cache")
    append_to_store(dataset, source)
    after = fetch(source.as_uri(), tmp_path / "cache")
    assert (len(Store(before)), len(Store(after))) == (len(dataset), 2 * len(dataset))


def test_a_damaged_file_is_named(source: Path, tmp_path: Path) -> None:
    """A flipped byte in an array stops the fetching; put right, it goes on and takes what had come before."""
    victim = source / "shards" / "0.0.0" / "R.npy"
    whole = victim.read_bytes()
    victim.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    with pytest.raises(DataError, match=r"shards/0\.0\.0/R\.npy arrived damaged in the block that begins at byte 0"):
        fetch(source.as_uri(), tmp_path / "cache")
    victim.write_bytes(whole)
    assert not Store(fetch(source.as_uri(), tmp_path / "cache")).verify()


def test_damaged_checksums_are_named(source: Path, tmp_path: Path) -> None:
    """The checksums themselves are checked."""
    victim = source / "shards" / "0.0.0" / "checksums.npy"
    victim.write_bytes(victim.read_bytes()[:-1] + b"\0")
    with pytest.raises(DataError, match=r"checksums\.npy arrived damaged: the manifest has another checksum for it"):
        fetch(source.as_uri(), tmp_path / "cache")


@pytest.mark.parametrize("kept", [0, 100, -1])
def test_a_file_that_ends_early_is_named(source: Path, tmp_path: Path, kept: int) -> None:
    """So is one that is cut short, by one byte or by all."""
    victim = source / "shards" / "0.0.0" / "Z.npy"
    victim.write_bytes(victim.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"Z\.npy ended before its \d+ bytes had come\. Run it again"):
        fetch(source.as_uri(), tmp_path / "cache")


def large(path: Path) -> int:
    """A store whose largest array takes some pieces; its bytes."""
    atoms = np.full(40_000, 3)
    frames = Dataset.from_arrays({"R": np.random.default_rng(0).normal(size=(120_000, 3))}, lengths={"atom": atoms})
    write_store(frames, path)
    return (path / "shards" / "0.0.0" / "R.npy").stat().st_size


@pytest.mark.parametrize("kind", ["file", "http"])
def test_an_interrupted_file_goes_on_where_it_stopped(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of a file: the blocks that had come are not written again, whatever the server can do."""
    if kind == "http":
        pytest.importorskip("aiohttp", reason="aiohttp, with which fsspec speaks http, is not installed")
    large(tmp_path / "large")
    starts: list[int] = []
    original, stop = Remote.pieces, True

    def stopped(self: Remote, name: str, start: int) -> Iterator[bytes]:
        starts.append(start)
        for number, piece in enumerate(original(self, name, start)):
            if stop and name.endswith("R.npy") and number == 2:
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr(Remote, "pieces", stopped)
    with served(tmp_path) as address:
        url = f"{address}/large" if kind == "http" else (tmp_path / "large").as_uri()
        with pytest.raises(KeyboardInterrupt):
            fetch(url, tmp_path / "cache")
        stop = False
        starts.clear()
        folder = fetch(url, tmp_path / "cache")
    assert len(starts) == 1
    assert starts[0] > 0
    assert not Store(folder).verify()


def test_what_an_unfinished_file_holds_is_checked(tmp_path: Path) -> None:
    """Blocks that a crash spoiled on this side are fetched again."""
    size = large(tmp_path / "large")
    url = (tmp_path / "large").as_uri()
    folder = fetch(url, tmp_path / "cache")
    array = folder / "shards" / "0.0.0" / "R.npy"
    (folder / "manifest.json").unlink()
    array.rename(array.with_name("R.npy.partial"))
    with open(array.with_name("R.npy.partial"), "r+b") as file:
        file.seek(size // 2)
        file.write(b"spoiled")
    assert not Store(fetch(url, tmp_path / "cache")).verify()


KILLED = """
import os, sys
from atomloom_memmap import downloading
original, steps = downloading.checksum, iter(range(10**6))
def checksum(block):
    if next(steps) == int(sys.argv[3]):
        os.kill(os.getpid(), 9)
    return original(block)
downloading.checksum = checksum
from atomloom_memmap.remote import fetch
print(fetch(sys.argv[1], sys.argv[2]))
"""


def test_killed_anywhere_it_goes_on(tmp_path: Path) -> None:
    """After SIGKILL at any of some blocks nothing passes for a store, and the next fetch completes it."""
    large(tmp_path / "large")
    url = (tmp_path / "large").as_uri()
    for step in (0, 3, 9, 17, 30):
        arguments = [sys.executable, "-c", KILLED, url, str(tmp_path / "cache"), str(step)]
        assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
        assert not list((tmp_path / "cache").glob("*/manifest.json"))
    assert not Store(fetch(url, tmp_path / "cache")).verify()


def test_several_may_fetch_at_once(tmp_path: Path, asked: list[str]) -> None:
    """One brings the files, the others wait for it, in threads and in processes."""
    large(tmp_path / "large")
    url, cache = (tmp_path / "large").as_uri(), tmp_path / "cache"
    others = [subprocess.Popen([sys.executable, "-c", KILLED, url, str(cache), "-1"]) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: fetch(url, cache), range(4)))
    assert [each.wait() for each in others] == [0, 0]
    assert len(found) == 1
    assert not Store(found.pop()).verify()
    assert len([name for name in asked if name != "manifest.json"]) in (0, 3)


def test_without_a_network_the_last_copy_is_used(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said so; without a copy it is an error."""
    before = fetch(source.as_uri(), tmp_path / "cache")

    def unreachable(*_: object) -> bytes:
        raise TimeoutError("no route")

    monkeypatch.setattr(Remote, "read", unreachable)
    with caplog.at_level(logging.WARNING):
        assert fetch(source.as_uri(), tmp_path / "cache") == before
    assert "cannot be reached (no route); using what was fetched from it before" in caplog.text
    with pytest.raises(DataError, match=r"cannot be reached \(no route\), and nothing was fetched from it before"):
        fetch(source.as_uri() + "2", tmp_path / "cache")


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    """An address without a manifest, one with something else of that name."""
    with pytest.raises(DataError, match=r"there is no manifest\.json"):
        fetch(tmp_path.as_uri(), tmp_path / "cache")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match=r"fetch the store 'file://.*its manifest\.json is not that of a packed store"):
        fetch(tmp_path.as_uri(), tmp_path / "cache")


def test_nothing_is_written_outside(source: Path, tmp_path: Path) -> None:
    """A manifest that names files elsewhere is refused."""
    from msgspec.structs import replace

    from atomloom_memmap import manifest

    described = manifest.load(source)
    for folder in ("../outside", "/outside", "shards/../../outside", "C:outside", "a\\b"):
        shard = replace(described.shards[0], parts=(replace(described.shards[0].parts[0], folder=folder),))
        manifest.save(replace(described, shards=(shard,)), source)
        with pytest.raises(DataError, match="which is not within it"):
            fetch(source.as_uri(), tmp_path / "cache")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("nonsense://x/y", "fsspec does not understand it"),
        ("unpacked://x/y", r"it needs the package nowhere\. Install what it names"),
    ],
)
def test_other_addresses_say_what_is_missing(url: str, found: str, tmp_path: Path) -> None:
    """What fsspec does not know, and what it needs another package for."""
    fsspec.register_implementation("unpacked", "nowhere.System", errtxt="it needs the package nowhere", clobber=True)
    with pytest.raises(ConfigError, match=found):
        fetch(url, tmp_path)


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ConfigError, match=r"fsspec is not installed\. Install it with `pip install atomloom-memmap\["):
        fetch("memory://x", tmp_path)


def test_where_copies_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ATOMLOOM_CACHE comes first, then XDG_CACHE_HOME, then the system's habit."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ATOMLOOM_CACHE", raising=False)
    assert cache_folder() == tmp_path / "atomloom"
    monkeypatch.setenv("ATOMLOOM_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("ATOMLOOM_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder().is_relative_to(Path.home())
