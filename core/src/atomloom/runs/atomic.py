"""Files and folders that appear whole or not at all.

Everything is written under a temporary name in the same folder, brought to the disk, and renamed. An exception
(Ctrl-C among them) removes the temporary; a killed process leaves it behind, and the next writer in that folder sweeps
it away once its process is surely dead.

>>> from tempfile import mkdtemp
>>> target = Path(mkdtemp()) / "answer.txt"
>>> with atomic_file(target, "w") as file:
...     _ = file.write("42")
...     print(target.exists())
False
>>> target.read_text()
'42'
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal, overload

from atomloom.errors import TargetError
from atomloom.runs.process import Process
from atomloom.runs.targets import writing

TEMPORARY = re.compile(r"\.atomloom-(?P<process>\d+-\d+-[0-9a-f]{8})-[0-9a-f]{8}(\..*)?", re.DOTALL)
"""The names of files and folders that are being written; the group says by which `Process`."""


@overload
def atomic_file(path: str | Path, mode: Literal["w"] = ...) -> AbstractContextManager[IO[str]]: ...
@overload
def atomic_file(path: str | Path, mode: Literal["wb"]) -> AbstractContextManager[IO[bytes]]: ...
def atomic_file(path: str | Path, mode: str = "w") -> AbstractContextManager[IO[Any]]:
    """Open a file that takes its name when the ``with`` block ends well, replacing one of that name.

    Args:
        path: where it shall appear; its folder must exist.
        mode: ``"w"`` for text (UTF-8) or ``"wb"`` for bytes.

    Raises:
        TargetError: when it cannot be written; whatever was at `path` is untouched.
    """
    return _opened(path, mode)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """The same for libraries that want a path: gives a temporary one, with the suffix of `path`, to write to.

    The temporary exists already and is empty.
    """
    with writing(path):
        target = _file_target(path)
    sweep(target.parent)
    temporary = temporary_name(target)
    with writing(path):
        _touch_like(target, temporary)
    try:
        with writing(path, only=temporary):
            yield temporary
        with writing(path):
            _to_disk(temporary)
            os.replace(temporary, target)
            _to_disk(target.parent)
    except BaseException:
        _remove(temporary)
        raise


@contextmanager
def atomic_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder to fill, which takes the name `path` when the ``with`` block ends well.

    Args:
        path: where it shall appear; the folder above must exist.
        replace: whether a folder that is there already is replaced (the old one is moved aside first, so for an
            instant there is none); otherwise it is an error.

    Raises:
        TargetError: when it cannot be written; whatever was at `path` is untouched.
    """
    target = Path(path)
    if os.path.lexists(target) and not (replace and target.is_dir()):
        raise TargetError(f"make the folder '{path}'", "something of that name is there", "Choose another name")
    sweep(target.parent)
    temporary = temporary_name(target)
    with writing(path):
        temporary.mkdir()
    try:
        with writing(path, only=temporary):
            yield temporary
        with writing(path):
            _tree_to_disk(temporary)
            _take_place(temporary, target, replace)
    except BaseException:
        _remove(temporary)
        raise


def atomic_copy(source: Path, target: Path) -> None:
    """Let a copy of `source` appear under the name `target`: one of its own, so that damage to one spares the other."""
    sweep(target.parent)
    temporary = temporary_name(target)
    try:
        with writing(target):
            shutil.copyfile(source, temporary)
            _to_disk(temporary)
            os.replace(temporary, target)
            _to_disk(target.parent)
    except BaseException:
        _remove(temporary)
        raise


def remove_folder(path: str | Path) -> None:
    """Remove a folder so that its name goes at once: it is renamed before anything in it is deleted."""
    target = Path(path)
    sweep(target.parent)
    with writing(path, "remove"):
        os.rename(target, doomed := temporary_name(target))
    _remove(doomed)


def temporary_name(target: Path) -> Path:
    """A fresh name beside `target` that tells which process writes there, with the suffix of `target`."""
    suffix = target.suffix if len(target.suffix) < 32 else ""
    return target.with_name(f".atomloom-{Process.here()}-{secrets.token_hex(4)}{suffix}")


def sweep(folder: Path) -> None:
    """Remove what killed processes left in `folder` half-written; what may still be written is left alone."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = TEMPORARY.fullmatch(entry.name)
            owner = Process.parse(found["process"]) if found else None
            if owner is not None and owner.alive is False:
                _remove(Path(entry.path))


@contextmanager
def _opened(path: str | Path, mode: str) -> Iterator[IO[Any]]:
    with atomic_path(path) as temporary:
        file = open(temporary, mode, encoding=None if "b" in mode else "utf-8")  # noqa: SIM115  closed below
        try:
            yield file
        except BaseException:
            with suppress(OSError):  # flushing to a full disk fails once more, and the first reason is the one to tell
                file.close()
            raise
        file.close()


def _file_target(path: str | Path) -> Path:
    """Where a file is really to be put: behind symbolic links, and never in place of a folder or a device."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise TargetError(f"write '{path}'", "it is a folder", "Name a file in it")
    if target.exists() and not target.is_file():
        raise TargetError(f"write '{path}'", "it is a device or a pipe and would be replaced", "Name an ordinary file")
    return target


def _touch_like(target: Path, temporary: Path) -> None:
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    if target.exists():
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))


def _take_place(temporary: Path, target: Path, replace: bool) -> None:
    old = None
    if target.exists():
        if not replace:  # made meanwhile; a rename would silently take the place of an empty folder
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        os.rename(target, old := temporary_name(target))
    os.rename(temporary, target)
    _to_disk(target.parent)
    if old is not None:
        _remove(old)


def _tree_to_disk(folder: Path) -> None:
    for root, _, names in os.walk(folder):
        for name in names:
            if not (Path(root) / name).is_symlink():
                _to_disk(Path(root) / name)
        _to_disk(Path(root))


def _to_disk(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders, and needs no help to keep a rename
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
