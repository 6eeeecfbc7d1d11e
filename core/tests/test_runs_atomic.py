"""Files and folders appear whole or not at all."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from atomloom.errors import TargetError
from atomloom.runs.atomic import TEMPORARY, atomic_copy, atomic_file, atomic_folder, atomic_path, remove_folder
from atomloom.runs.process import Process


def names(folder: Path) -> list[str]:
    """Everything in a folder, hidden things too."""
    return sorted(os.listdir(folder))


def died(work: Callable[[], object]) -> int:
    """The signal that ended a child process doing this work."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def write_and_be_killed(path: Path) -> None:
    """Die in the middle of writing."""
    with atomic_file(path, "w") as file:
        file.write("half")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def write_and_fail(path: Path, error: type[BaseException]) -> None:
    """Fail in the middle of writing a file."""
    with atomic_file(path, "wb") as file:
        file.write(b"half")
        raise error


def fill_and_fail(path: Path, error: type[BaseException]) -> None:
    """Fail in the middle of filling a folder."""
    with atomic_folder(path) as folder:
        (folder / "half").touch()
        raise error


def test_a_file_is_replaced_only_at_the_end(tmp_path: Path) -> None:
    """Until the block ends, the old contents are there."""
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_file(target, "w") as file:
        file.write("new")
        file.flush()
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    """Whatever interrupts the writing, neither a file, nor a folder, nor a temporary is left."""
    for write in (write_and_fail, fill_and_fail):
        with pytest.raises(error):
            write(tmp_path / "a", error)
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_swept_by_the_next_writer(tmp_path: Path) -> None:
    """A temporary of a dead process goes with the next write in its folder."""
    assert died(lambda: write_and_be_killed(tmp_path / "a.txt")) == -signal.SIGKILL
    assert len(names(tmp_path)) == 1
    assert TEMPORARY.fullmatch(names(tmp_path)[0])
    with atomic_file(tmp_path / "b.txt", "w"):
        pass
    assert names(tmp_path) == ["b.txt"]


@pytest.mark.parametrize(
    "owner",
    [Process.here(), Process.here()._replace(pid=1, born=Process(1, 0, "").born, host="00000000")],
    ids=["alive", "on another host"],
)
def test_what_may_still_be_written_is_left_alone(tmp_path: Path, owner: Process) -> None:
    """Only temporaries of surely dead processes are swept."""
    other = tmp_path / f".atomloom-{owner}-0123abcd.npz"
    other.touch()
    with atomic_file(tmp_path / "b", "w"):
        pass
    assert names(tmp_path) == [other.name, "b"]


def test_a_reused_process_id_does_not_protect_a_leftover(tmp_path: Path) -> None:
    """A living process that was born at another time is another process."""
    reused = Process.here()._replace(born=Process.here().born + 1)
    (tmp_path / f".atomloom-{reused}-0123abcd").mkdir()
    with atomic_file(tmp_path / "b", "w"):
        pass
    assert names(tmp_path) == ["b"]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("nowhere/a.npz", "its folder does not exist"),
        ("file/a.npz", "what should be its folder is a file"),
        ("folder", "it is a folder"),
        ("x" * 300, "the name is too long"),
        ("/dev/null", "it is a device or a pipe and would be replaced"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, place: str, found: str) -> None:
    """The error says what is wrong with the place and what to do, and nothing is changed."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(TargetError) as caught, atomic_file(tmp_path / place, "w"):
        pytest.fail("the block ran")
    assert caught.value.found == found
    assert caught.value.todo
    assert names(tmp_path) == ["file", "folder"]
    assert not Path("/dev/null").is_file()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that takes no files from anybody")
def test_a_read_only_place_is_told() -> None:
    """A place that takes no files gives a three-part error, even for root."""
    with pytest.raises(TargetError, match=r"^Cannot write '/proc/self/a': .+\. .+\.$"), atomic_file("/proc/self/a"):
        pytest.fail("the block ran")


@contextmanager
def small_files_only() -> Iterator[None]:
    """No file of more than 4 kB can be written, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_leaves_the_old_file(tmp_path: Path) -> None:
    """When there is no room for the new contents, the old ones stay and no temporary does."""
    target = tmp_path / "a"
    target.write_bytes(b"old")
    refused = partial(pytest.raises, TargetError, match="larger than is allowed")
    with small_files_only(), refused(), atomic_file(target, "wb") as file:
        file.write(b"x" * 10**6)
    with small_files_only(), refused(), atomic_file(target, "wb") as file:
        file.write(b"x" * 5000)  # fits a buffer, so that the disk is asked at the very end only
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_errors_about_something_else_pass(tmp_path: Path) -> None:
    """A source that cannot be read within the block is not taken for a target that cannot be written."""
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a", "w"):
        (tmp_path / "source").read_text()
    assert names(tmp_path) == []


def test_links_and_permissions_stay(tmp_path: Path) -> None:
    """Writing to a link writes what it points to, and a file keeps its permissions."""
    target = tmp_path / "a"
    target.touch()
    target.chmod(0o640)
    (tmp_path / "link").symlink_to("a")
    with atomic_file(tmp_path / "link", "w") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_library_gets_a_path_with_the_right_suffix(tmp_path: Path) -> None:
    """Libraries that look at the suffix find the one of the target."""
    with atomic_path(tmp_path / "a.npz") as path:
        assert path.suffix == ".npz"
        path.write_bytes(b"new")
    assert names(tmp_path) == ["a.npz"]


def test_a_folder_is_refused_or_replaced_whole(tmp_path: Path) -> None:
    """A folder in the way is an error, unless it is to be replaced; then nothing of the old one stays."""
    with atomic_folder(tmp_path / "a") as folder:
        (folder / "one").write_text("1")
    with pytest.raises(TargetError, match="something of that name is there"), atomic_folder(tmp_path / "a"):
        pytest.fail("the block ran")
    with atomic_folder(tmp_path / "a", replace=True) as folder:
        (folder / "two").write_text("2")
    assert names(tmp_path / "a") == ["two"]
    assert names(tmp_path) == ["a"]


def test_two_makers_of_one_folder(tmp_path: Path) -> None:
    """Of two who make the same folder at once, the second is told and changes nothing."""
    with pytest.raises(TargetError, match="something of that name is there"), atomic_folder(tmp_path / "a"):
        (tmp_path / "a").mkdir()
    assert names(tmp_path) == ["a"]


def test_copies_and_removals(tmp_path: Path) -> None:
    """A copy survives the replacement of its origin, and a removed folder is gone."""
    (tmp_path / "a").write_text("1")
    atomic_copy(tmp_path / "a", tmp_path / "b")
    with atomic_file(tmp_path / "a", "w") as file:
        file.write("2")
    assert (tmp_path / "b").read_text() == "1"
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "x").touch()
    remove_folder(tmp_path / "c")
    assert names(tmp_path) == ["a", "b"]
