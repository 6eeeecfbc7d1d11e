"""Where an array lies, and how to complain about it."""

from __future__ import annotations

import mmap
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from atomloom.errors import DataError

AGAIN = "Check that it was written and copied completely, or write it again"


@dataclass(frozen=True)
class Place:
    """A file, or a member of an archive.

    Args:
        path: of the file.
        member: name of the array in an archive; empty for a file that is one array.
    """

    path: Path
    member: str = ""

    def error(self, found: str, todo: str = AGAIN) -> DataError:
        """The error that says what was found here.

        >>> print(Place(Path("dimers.npz"), "R").error("its header is cut off"))  # doctest: +ELLIPSIS
        Cannot read 'R' in 'dimers.npz': its header is cut off. Check that it was written and copied ...
        """
        what = f"{self.member!r} in {str(self.path)!r}" if self.member else repr(str(self.path))
        return DataError(f"read {what}", found, todo)


class File:
    """A file of known size, mapped into memory once for all arrays in it.

    Args:
        path: of the file.
        size: bytes that it had when its headers were read.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._lock = threading.Lock()
        self._map: mmap.mmap | None = None

    def mapping(self, place: Place) -> mmap.mmap:
        """The whole file as memory, after a look whether all of it is still there.

        Touching mapped memory behind the end of a file kills the process, hence the look before each use.
        """
        with self._lock:
            if self._map is None:
                self._map = self._mapped(place)
            self._check(self._map.size(), place)
            return self._map

    def _mapped(self, place: Place) -> mmap.mmap:
        try:
            with open(self.path, "rb") as stream:
                self._check(os.fstat(stream.fileno()).st_size, place)
                return mmap.mmap(stream.fileno(), self.size, access=mmap.ACCESS_READ)
        except OSError as error:
            raise place.error(f"the file was there, and now the system answers {error.strerror!r}") from None

    def _check(self, size: int, place: Place) -> None:
        if size < self.size:
            raise place.error(f"the file shrank from {self.size} to {size} bytes while it was in use")
