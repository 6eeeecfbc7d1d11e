"""Where an array lies, and how to complain about it."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import threading
import weakref
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
    """A file of known size, opened once for all arrays in it, and read in pieces or mapped into memory.

    Each use begins with a look whether all of the file is still there.

    Args:
        path: of the file.
        size: bytes that it had when its headers were read.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._lock = threading.Lock()
        self._stream: FileIO | None = None
        self._map: mmap.mmap | None = None

    def read(self, at: int, out: NDArray[np.uint8], place: Place) -> None:
        """Fill `out` with the bytes from `at` on."""
        descriptor, rest = self._opened(place), out.data
        self._check(os.fstat(descriptor).st_size, place)
        while rest:
            try:
                count = os.preadv(descriptor, [rest], at)
            except OSError as error:
                raise place.error(f"the system answers {error.strerror!r}", "Check the disk that it is on") from None
            if not count:
                self._check(os.fstat(descriptor).st_size, place)
                raise place.error(f"the file ends at byte {at}")
            at, rest = at + count, rest[count:]

    def piece(self, at: int, count: int, place: Place) -> bytes:
        """So many bytes from `at` on."""
        out = np.empty(count, np.uint8)
        self.read(at, out, place)
        return out.tobytes()

    def mapping(self, place: Place) -> mmap.mmap:
        """The whole file as memory.

        Touching mapped memory behind the end of a file kills the process, hence the look before each use.
        """
        mapped = self._map
        if mapped is None:
            with self._lock:
                if self._map is None:
                    self._map = self._mapped(place)
                mapped = self._map
        if (size := mapped.size()) < self.size:
            self._check(size, place)
        return mapped

    def spare_mapping(self, place: Place) -> mmap.mmap | None:
        """The whole file as memory; None where the address space is limited, of which a mapping takes as much."""
        return None if limited() else self.mapping(place)

    def _mapped(self, place: Place) -> mmap.mmap:
        try:
            with open(self.path, "rb") as stream:
                self._check(os.fstat(stream.fileno()).st_size, place)
                return mmap.mmap(stream.fileno(), self.size, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _gone(place, error) from None

    def _opened(self, place: Place) -> int:
        with self._lock:
            if self._stream is None:
                try:
                    self._stream = FileIO(self.path, "rb")
                except OSError as error:
                    raise _gone(place, error) from None
                weakref.finalize(self, self._stream.close)
            return self._stream.fileno()

    def _check(self, size: int, place: Place) -> None:
        if size < self.size:
            raise place.error(f"the file shrank from {self.size} to {size} bytes while it was in use")


def limited() -> bool:
    """Whether this process has a limit on its address space, so that nothing large should be held in it."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def _gone(place: Place, error: OSError) -> DataError:
    if error.errno == errno.EMFILE:
        return place.error("this process has as many files open as it may", "Allow it more with `ulimit -n`")
    return place.error(f"the file was there, and now the system answers {error.strerror!r}")
