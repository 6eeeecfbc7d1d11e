"""What the system says when something cannot be written, in words for people."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atomloom.errors import TargetError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space or choose another place"),
    errno.EDQUOT: ("the disk quota is used up", "Free some space or choose another place"),
    errno.EFBIG: ("the file would be larger than is allowed here", "Raise the limit or choose another place"),
    errno.EROFS: ("the file system is read-only", "Choose a place that can be written"),
    errno.EACCES: ("permission is denied", "Choose a place that you may write to"),
    errno.EPERM: ("permission is denied", "Choose a place that you may write to"),
    errno.ENOENT: ("its folder does not exist", "Create that folder first, or correct the path"),
    errno.ENOTDIR: ("what should be its folder is a file", "Correct the path"),
    errno.EISDIR: ("it is a folder", "Name a file in it"),
    errno.EEXIST: ("something of that name is there", "Choose another name"),
    errno.ENOTEMPTY: ("something of that name is there", "Choose another name"),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter one"),
}
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def target_error(path: str | Path, error: OSError, verb: str = "write") -> TargetError:
    """The three-part error for a failure to write.

    >>> print(target_error("out.npz", OSError(errno.ENOSPC, "No space left on device")))
    Cannot write 'out.npz': the disk is full. Free some space or choose another place.
    """
    found, todo = _REASONS.get(error.errno or 0, (error.strerror or str(error), "Choose another place"))
    return TargetError(f"{verb} '{path}'", found, todo)


@contextmanager
def writing(path: str | Path, verb: str = "write", *, only: Path | None = None) -> Iterator[None]:
    """Turn an OSError of the block into a `TargetError` about `path`.

    Args:
        path: what the message shall name.
        verb: what is being done to it.
        only: if given, errors that concern neither this file (or a file below it) nor a lack of space pass as they
            are: they are about something else that the block does, such as reading its source.
    """
    try:
        yield
    except OSError as error:
        if only is not None and not (error.errno in _NO_ROOM or _concerns(error, only)):
            raise
        raise target_error(path, error, verb) from error


def _concerns(error: OSError, path: Path) -> bool:
    names = (error.filename, error.filename2)
    return any(isinstance(name, str | Path) and Path(name).is_relative_to(path) for name in names)
