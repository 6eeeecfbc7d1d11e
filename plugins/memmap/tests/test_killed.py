"""Whenever writing is stopped, the store is absent, the old one or the new one, and the same command completes it."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.data import Mapped
from atomloom.errors import AtomloomError, DataError, TargetError
from atomloom.runs.atomic import TEMPORARY
from atomloom_memmap import Store, append_to_store, building, contents, write_store
from atomloom_memmap import manifest as manifests

STEPS = ("replace", "rename", "unlink", "rmdir", "ftruncate", "mkdir", "utime")
"""The calls to the system that change what other processes see, apart from writing into a file."""

REFUSED = 7
"""What a child ends with where another process is writing."""

KILLED = -signal.SIGKILL

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def frames(seed: int, count: int = 24) -> Dataset:
    """Molecules that were read from a file, as far as anybody can tell."""
    rng = np.random.default_rng(seed)
    atoms = rng.integers(0, 9, count)
    arrays = {
        "Z": rng.integers(1, 9, int(atoms.sum()), dtype=np.uint8),
        "R": rng.normal(size=(int(atoms.sum()), 3)),
        "E": rng.normal(size=count),
    }
    origin = {"name": f"{seed}.npz", "bytes": 1, "hash": str(seed)}
    return Dataset.from_arrays(arrays, lengths={"atom": atoms}, meta={"converted_from": [origin]})


def slowed(dataset: Dataset, seconds: float) -> Dataset:
    """The same frames from a source that takes its time for every block."""

    def wait(values: Any) -> Any:
        time.sleep(seconds)
        return values

    return dataset.with_columns({"E": Mapped(dataset.columns["E"], wait)}, {})


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of some frames each, so that there are many states to be stopped in."""
    cut = contents.Contents.shards
    monkeypatch.setattr(contents.Contents, "shards", lambda self, limit: cut(self, limit >> 11))
    monkeypatch.setattr(contents, "BLOCK_FRAMES", 4)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # which tells a killed process from a power cut, and takes long


def in_child(work: Callable[[], object]) -> int:
    """Start a process that does this; its id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except TargetError:
            code = REFUSED
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)
    return child


def outcome(child: int) -> int:
    """How a process ended: its exit code, or the negative number of the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def wait_for(path: Path) -> None:
    """Wait until another process has made this."""
    ended = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < ended, f"nobody made {path}"
        time.sleep(0.005)


def kill_at_step(number: int) -> None:
    """Let this process be killed right before its `number`-th call that changes the disk."""
    left = iter(range(number, 0, -1))

    def counting(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if next(left, 0) == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return counted

    for name in STEPS:
        setattr(os, name, counting(getattr(os, name)))


def tree(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stamps(paths: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """Inode and time of files, by their folder and name."""
    found = ((path, path.stat()) for path in paths)
    return {f"{path.parent.name}/{path.name}": (stat.st_ino, stat.st_mtime_ns) for path, stat in found}


def shards_of(root: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every file in the finished shards below a folder."""
    return stamps(path for done in root.rglob("done/*.json") for path in root.rglob(f"shards/{done.stem}/*"))


def energies(target: Path) -> list[float]:
    """Those in a store, all of its bytes checked; none where it is absent, or its conversion has not finished."""
    if not (target / manifests.NAME).exists():
        with pytest.raises(DataError, match=r"no such folder|its conversion has not finished|while it replaced it"):
            Store(target)
        return []
    store = Store(target)
    assert not store.verify()
    found: list[float] = store.dataset()["E"].tolist()
    return found


OLD, NEW = frames(1, 8), frames(2)


def write_new(target: Path, seconds: float = 0.0) -> None:
    """Write a store of many shards."""
    write_store(slowed(NEW, seconds) if seconds else NEW, target, shard_mib=2)


def append_new(target: Path) -> None:
    """Add many shards to a store."""
    append_to_store(NEW, target, shard_mib=2)


def nothing(target: Path) -> None:
    """Leave it away."""


def another(target: Path) -> None:
    """Write a store of other frames."""
    write_store(OLD, target, shard_mib=1)


def another_and_a_killed_addition(target: Path) -> None:
    """Write a store to which more shards were moved than the next addition will have, and none of them named."""

    def append_and_die() -> None:
        building.manifest.save = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        append_to_store(frames(3, 32), target, shard_mib=1)

    another(target)
    assert outcome(in_child(append_and_die)) == KILLED
    assert len(list((target / "shards").glob("1.0.*"))) > 6


def check_killed(root: Path, old: list[float], new: list[float]) -> None:
    """The target is absent, the old or the new one, the old one is somewhere, and nothing else opens."""
    target = root / "a.packed"
    assert energies(target) in (old, new) or not target.exists()
    assert target.exists() or not old or energies(manifests.aside(target)) == old
    assert not energies(manifests.partial(target))


@pytest.mark.parametrize(
    ("before", "work"),
    [
        (nothing, write_new),
        (another, write_new),
        (another, append_new),
        (another_and_a_killed_addition, append_new),
    ],
    ids=["written", "replaced", "added to", "added to behind another that was killed"],
)
def test_killed_before_each_change_of_the_disk(
    before: Callable[[Path], None], work: Callable[[Path], None], tmp_path: Path
) -> None:
    """For each: what opens is the old or the new store, no finished shard is written again, and the end is the same."""
    start = tmp_path / "start"
    start.mkdir()
    before(start / "a.packed")
    old = energies(start / "a.packed")
    shutil.copytree(start, tmp_path / "undisturbed")
    work(tmp_path / "undisturbed" / "a.packed")
    whole, new = tree(tmp_path / "undisturbed"), energies(tmp_path / "undisturbed" / "a.packed")
    known = manifests.load(tmp_path / "undisturbed" / "a.packed")
    there = {path.name for path in (tmp_path / "undisturbed" / "a.packed" / "shards").iterdir()}
    assert there == {Path(part.folder).name for each in known.shards for part in each.parts}, "something is left over"
    number, code = 0, KILLED
    while code == KILLED:
        number += 1
        root = tmp_path / str(number)
        shutil.copytree(start, root)
        target = root / "a.packed"
        others = shards_of(root).items()
        code = outcome(in_child(lambda: (kill_at_step(number), work(target))))  # noqa: B023  called at once
        complete = work is append_new and energies(target) == new and not (target / "partial").exists()
        if code == KILLED and not complete:  # started again, it would be one more addition
            check_killed(root, old, new)
            kept = {} if energies(target) == new else dict(shards_of(root).items() - others)
            work(target)
            assert tree(root) == whole, f"killed before step {number}"
            assert kept.items() <= stamps(target.glob("shards/*/*")).items(), f"killed before step {number}"
        shutil.rmtree(root)
    assert code == 0
    assert number > 25, "the steps were not counted"


def test_killed_at_a_hundred_random_moments(tmp_path: Path) -> None:
    """Spread over the whole run: absent or complete, and then the bytes of a run that nobody killed."""
    begun = time.monotonic()
    assert outcome(in_child(partial(write_new, tmp_path / "whole", 0.01))) == 0
    duration = time.monotonic() - begun
    whole, chance, seen = tree(tmp_path / "whole"), random.Random(5), {"nothing": 0, "partial": 0, "complete": 0}
    for number in range(100):
        target = tmp_path / str(number)
        child = in_child(partial(write_new, target, 0.01))
        time.sleep(duration * 1.2 * (number + chance.random()) / 100)
        os.kill(child, signal.SIGKILL)
        outcome(child)
        assert not target.exists() or energies(target) == energies(tmp_path / "whole")
        assert not energies(manifests.partial(target))
        kept = shards_of(tmp_path) if not target.exists() else {}
        seen["complete" if target.exists() else "partial" if kept else "nothing"] += 1
        write_new(target)
        assert tree(target) == whole
        assert not manifests.partial(target).exists()
        shutil.rmtree(target)
    assert seen["partial"] >= 10, seen


def test_killed_again_and_again(tmp_path: Path) -> None:
    """A conversion that never gets far at once gets to its end, and to the same bytes."""
    write_new(tmp_path / "whole")
    target, chance = tmp_path / "a", random.Random(7)
    for _ in range(40):
        child = in_child(partial(write_new, target, 0.02))
        time.sleep(chance.uniform(0.05, 0.1))
        os.kill(child, signal.SIGKILL)
        if outcome(child) == 0:
            break
    write_new(target)
    assert tree(target) == tree(tmp_path / "whole")


def test_of_two_writers_one_waits_or_is_refused(tmp_path: Path) -> None:
    """Started together and killed at any moment they never mix, whatever each had done by then."""
    write_new(tmp_path / "whole")
    chance = random.Random(3)
    for number in range(12):
        target = tmp_path / str(number)
        children = [in_child(partial(write_new, target, 0.002)) for _ in range(2)]
        for child in children:
            time.sleep(chance.uniform(0.0, 0.06))
            if number % 2:
                os.kill(child, signal.SIGKILL)
        ended = [outcome(child) for child in children]
        assert set(ended) <= {0, REFUSED, KILLED}
        assert number % 2 or 0 in ended
        write_new(target)
        assert tree(target) == tree(tmp_path / "whole")


def test_of_two_additions_none_is_lost(tmp_path: Path) -> None:
    """Those that were not refused are both there, whichever was first and whatever the other had seen before."""
    additions, ends = [frames(4, 6), frames(5, 6)], []
    for number in range(12):
        target = tmp_path / str(number)
        write_store(OLD, target)
        children = []
        for added in additions:
            children.append(in_child(partial(append_to_store, added, target)))
            time.sleep(0.004 * (number % 4))
        ended = [outcome(child) for child in children]
        assert set(ended) <= {0, REFUSED}
        there = [OLD, *(added for added, code in zip(additions, ended, strict=True) if code == 0)]
        assert sorted(energies(target)) == sorted(np.concatenate([each["E"] for each in there]))
        ends.append(ended)
    assert [0, 0] in ends, "they never both came through"


def test_an_interruption_leaves_what_can_be_gone_on_with(tmp_path: Path) -> None:
    """After Ctrl-C the shards that were finished are kept, and no other file of the target is there."""
    target = tmp_path / "a"
    child = in_child(partial(write_new, target, 0.05))
    wait_for(tmp_path / "a.partial/done/0.0.0.json")
    os.kill(child, signal.SIGINT)
    assert outcome(child) == 130
    assert not target.exists()
    kept = shards_of(tmp_path)
    write_new(target)
    assert kept
    assert kept["0.0.0/R.npy"][0] == (target / "shards/0.0.0/R.npy").stat().st_ino
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_data_that_come_from_no_file_leave_nothing_behind(tmp_path: Path) -> None:
    """Of arrays in memory nobody can tell whether they are the same again, so an interruption removes all of it."""
    child = in_child(partial(write_store, slowed(NEW, 0.05).with_meta(converted_from=[]), tmp_path / "a"))
    wait_for(tmp_path / "a.partial/store/shards/0.0.0/R.npy")
    os.kill(child, signal.SIGINT)
    assert outcome(child) == 130
    assert not list(tmp_path.iterdir())


def failing(dataset: Dataset) -> Dataset:
    """The same frames from a source that breaks after some blocks."""
    calls = iter(range(3))

    def fail(values: Any) -> Any:
        if next(calls, None) is None:
            raise DataError("read it", "it is broken", "Mend it")
        return values

    return dataset.with_columns({"E": Mapped(dataset.columns["E"], fail)}, {})


@pytest.mark.parametrize("adding", [False, True])
def test_a_source_that_fails_leaves_nothing_behind(tmp_path: Path, adding: bool) -> None:
    """Bad input half-way: what was written is removed, and a store that was there is as it was."""
    target = tmp_path / "a"
    write_store(OLD, target)
    before = tree(tmp_path)
    with pytest.raises(DataError, match="it is broken"):
        (append_to_store if adding else write_store)(failing(NEW), target, shard_mib=1)
    assert tree(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "shards"]


def test_a_file_that_grows_too_large_leaves_nothing_behind(tmp_path: Path) -> None:
    """The system refuses more bytes half-way through the third array."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
        with pytest.raises(TargetError, match="the file would be larger than is allowed here"):
            write_store(NEW, tmp_path / "a")

    assert outcome(in_child(limited)) == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("which", range(3, 40, 6))
def test_a_disk_that_gets_full_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    """Also where that comes out only when the bytes are brought to the disk, at whatever file."""
    calls, sync = iter(range(which)), os.fsync

    def fsync(handle: int) -> None:
        if next(calls, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(TargetError, match="the disk is full"):
        write_new(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_no_room_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What will be written is known beforehand, and so is the room there is."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(TargetError, match=r"it takes .* GB and the disk has 0.001 GB left. Free some space"):
        write_new(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_source_with_other_values_is_not_gone_on_with(tmp_path: Path) -> None:
    """The same file read with another unit or another choice of frames starts again: no store mixes the two."""
    target = tmp_path / "a"
    child = in_child(partial(write_new, target, 0.05))
    wait_for(tmp_path / "a.partial/done/0.0.1.json")
    os.kill(child, signal.SIGKILL)
    outcome(child)
    other = NEW.with_columns({"E": Mapped(NEW.columns["E"], lambda values: values * 27.2)}, {})
    write_store(other, target, shard_mib=2)
    assert Store(target).dataset()["E"].tolist() == other["E"].tolist()


def resized(folder: Path, change: int) -> None:
    """Change the size of an array."""
    path = folder / "R.npy"
    os.truncate(path, path.stat().st_size + change)


def test_a_finished_shard_that_lost_bytes_is_written_again(tmp_path: Path) -> None:
    """After a power cut a shard may be noted as finished and not be there: that is looked at before going on."""
    write_new(tmp_path / "whole")
    ways = {"gone": shutil.rmtree, "short": partial(resized, change=-1), "long": partial(resized, change=1)}
    for name, spoil in ways.items():
        target = tmp_path / name
        child = in_child(partial(write_new, target, 0.05))
        wait_for(tmp_path / f"{name}.partial/done/0.0.1.json")
        os.kill(child, signal.SIGKILL)
        outcome(child)
        spoil(tmp_path / f"{name}.partial/store/shards/0.0.0")
        write_new(target)
        assert tree(target) == tree(tmp_path / "whole")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to tell which file a handle is of")
@pytest.mark.parametrize("work", [write_new, append_new], ids=["written", "added to"])
def test_nothing_is_named_before_it_is_on_the_disk(
    work: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut finds every file and folder that the manifest names, and the manifest, brought to the disk before."""
    target, synced, unsynced = tmp_path / "a", set(), []
    if work is append_new:
        another(target)
    old, fsync = {str(path) for path in target.rglob("*")}, os.fsync

    def syncing(handle: int) -> None:
        fsync(handle)
        synced.add(os.readlink(f"/proc/self/fd/{handle}"))

    def moving(call: Callable[..., None], source: Any, place: Any) -> None:
        source, place = str(source), str(place)
        if place in (str(target), f"{target}/manifest.json"):
            files = [source] if Path(source).is_file() else map(str, Path(source).rglob("*"))
            unsynced.append({*files, *map(str, target.glob("shards/**/*"))} - old - synced)
            if work is append_new:
                unsynced[-1] |= {str(target / "shards")} - synced
        call(source, place)
        synced.update({place + path.removeprefix(source) for path in synced if Path(path).is_relative_to(source)})
        synced.discard(str(Path(place).parent))
        if place in (str(target), f"{target}/manifest.json"):
            synced.clear()

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "rename", partial(moving, os.rename))
    monkeypatch.setattr(os, "replace", partial(moving, os.replace))
    monkeypatch.setattr(building, "remove_folder", lambda _: None)  # which changes names once more
    work(target)
    assert unsynced == [set()]
    assert str(tmp_path if work is write_new else target) in synced


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder that happens to have the name under which a store is made, or added to, is nothing to tidy up."""
    (tmp_path / "a.partial").mkdir()
    (tmp_path / "a.partial" / "thesis.tex").write_text("ten years")
    with pytest.raises(TargetError, match=r"the work would be done in '.*a.partial', and there is 'thesis.tex' in it"):
        write_store(OLD, tmp_path / "a")
    assert tree(tmp_path) == {"a.partial/thesis.tex": b"ten years"}


def test_another_process_is_named(tmp_path: Path) -> None:
    """Who waits in vain is told for whom."""
    child = in_child(partial(write_new, tmp_path / "a", 0.3))
    wait_for(tmp_path / "a.partial/store")
    with pytest.raises(TargetError, match=rf"process {child} on \S+ is writing it. Wait for its end"):
        write_new(tmp_path / "a")
    os.kill(child, signal.SIGKILL)
    outcome(child)
    write_new(tmp_path / "a")
    assert not [path for path in tmp_path.rglob("*") if TEMPORARY.fullmatch(path.name)]


def test_a_store_that_is_being_added_to_is_not_replaced(tmp_path: Path) -> None:
    """The addition would go to the wrong store, or be lost."""
    target = tmp_path / "a"
    another(target)
    child = in_child(lambda: append_to_store(slowed(NEW, 0.3), target, shard_mib=1))
    wait_for(target / "partial/store")
    with pytest.raises(AtomloomError, match="is writing it"):
        write_store(frames(6, 4), target)
    os.kill(child, signal.SIGKILL)
    outcome(child)
    assert energies(target) == OLD["E"].tolist()
