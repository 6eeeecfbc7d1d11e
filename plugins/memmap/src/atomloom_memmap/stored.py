"""One array of a store: mapped into memory at the first touch, its blocks checked as they are touched.

A file that lost bytes before it was opened is refused. One that shrinks while it is in use is found by a look at its
size before each use; between that look and the copy a few microseconds remain in which the system would end the
process (SIGBUS), and never are zeros handed out. What is not noticed is a file that somebody writes into, without
changing its size, behind the first touch; nothing here ever does.

Every array that was touched keeps its file open until the store is forgotten.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from atomloom.arrays.header import PREFIX, read_header
from atomloom.arrays.place import File, Place
from atomloom.data.columns import Array, Indices, segments
from atomloom.errors import DataError
from atomloom_memmap.checksums import BLOCK, Sums, blocks_of, checksum
from atomloom_memmap.manifest import ArrayEntry

Check = Literal["touch", "never"]
"""When blocks are compared with their checksums: at the first touch of each, or never."""

STRETCH: Final = 1 << 26
"""Bytes of a file that are verified in one go."""

_PAGE = mmap.PAGESIZE
_ADVISED = hasattr(mmap.mmap, "madvise")  # Windows takes no advice


class StoredArray:
    """A ``.npy`` file of a store.

    Args:
        path: of the file.
        entry: what the manifest says of it.
        sums: gives the checksums of its blocks, when they are first needed.
        told: says in words which frames a stretch of rows belongs to, for messages.
        check: when blocks are checked.
    """

    def __init__(
        self,
        path: Path,
        entry: ArrayEntry,
        sums: Callable[[], Sums],
        told: Callable[[int, int], str],
        check: Check,
    ) -> None:
        self.path, self.entry, self.check = path, entry, check
        self._sums, self._told = sums, told
        self._place, self._file = Place(path), File(path, entry.bytes)
        self._lock = threading.Lock()
        self._rows: Array | None = None
        self._unseen: NDArray[np.bool_] | None = None

    def check_size(self) -> None:
        """Stops if the file has not the size that the manifest says."""
        try:
            size = os.stat(self.path).st_size
        except FileNotFoundError:
            raise self._place.error("the manifest names this file, and it is not there") from None
        if size != self.entry.bytes:
            raise self._place.error(f"it has {size} bytes, and the manifest says {self.entry.bytes}")

    @property
    def rows(self) -> Array:
        """All rows, mapped; the caller says by `touch` which of them it is about to read."""
        mapping = self._file.mapping(self._place)
        if self._rows is None:
            with self._lock:
                if self._rows is None:
                    self._open(mapping)
        assert self._rows is not None
        return self._rows

    def look(self) -> None:
        """Stops if the file has shrunk."""
        self._file.mapping(self._place)

    def touch(self, starts: Indices, lengths: Indices | int) -> None:
        """Compare the blocks of so many rows from each start with their checksums, where that has not been done."""
        unseen = self._unseen  # another thread may see the last block meanwhile
        if unseen is None or not len(starts):
            return
        blocks = self._pieces(starts, lengths, BLOCK)
        for block in blocks[unseen[blocks]].tolist():
            if not self.whole(block):
                raise self.damage(block)
            unseen[block] = False
        if not unseen.any():
            self._unseen = None

    def whole(self, block: int) -> bool:
        """Whether a block has its checksum."""
        with memoryview(self._file.mapping(self._place)) as view:
            return checksum(view[block * BLOCK : (block + 1) * BLOCK]) == int(self._sums()[block])

    def stretches(self) -> Iterator[list[int]]:
        """The numbers of the blocks that do not have their checksums, for `STRETCH` bytes of the file after the other.

        They are read and not mapped, since disks may fail too.
        """
        sums, each = self._sums().tolist(), STRETCH // BLOCK
        try:
            with open(self.path, "rb", buffering=0) as file:
                for first in range(0, len(sums), each):
                    known = enumerate(sums[first : first + each], first)
                    yield [number for number, told in known if checksum(file.read(BLOCK)) != told]
        except OSError as error:
            raise self._place.error(f"the system answers {error.strerror!r}", "Check the disk that it is on") from None

    def damage(self, block: int) -> DataError:
        """The error that says which frames a damaged block belongs to."""
        return self._place.error(f"{self.where(block)} is damaged: its checksum is wrong", "Copy that file again")

    def where(self, block: int) -> str:
        """A block in words: its bytes, and the frames whose values are in it."""
        start, stop = block * BLOCK, min((block + 1) * BLOCK, self.entry.bytes)
        first, last = ((max(byte - self.entry.start, 0)) // max(self.entry.row, 1) for byte in (start, stop - 1))
        frames = self._told(first, last + 1) if stop > self.entry.start else "its header"
        return f"the block of bytes {start} to {stop - 1} ({frames})"

    def advise(self, starts: Indices, lengths: Indices | int) -> None:
        """Ask the system to fetch these rows from the disk before they are needed, and with them what is checked."""
        if not _ADVISED:
            return
        _, mapping = self.rows, self._file.mapping(self._place)
        if (unseen := self._unseen) is not None:
            blocks = self._pieces(starts, lengths, BLOCK)
            _fetch(mapping, blocks[unseen[blocks]], BLOCK)
        _fetch(mapping, self._pieces(starts, lengths, _PAGE), _PAGE)

    def _pieces(self, starts: Indices, lengths: Indices | int, unit: int) -> Indices:
        """The pieces of `unit` bytes of the file in which rows are, each once and in their order."""
        start, size = self.entry.start, self.entry.row
        first, stops = (start + starts * size) // unit, starts + lengths
        return np.unique(segments(first, np.where(stops > starts, -(-(start + stops * size) // unit) - first, 0)))

    def scatter(self) -> None:
        """Tell the system that rows will be read here and there, so that it fetches no more than is asked for."""
        if _ADVISED:
            self._file.mapping(self._place).madvise(mmap.MADV_RANDOM)

    def _open(self, mapping: mmap.mmap) -> None:
        header = read_header(mapping[: min(PREFIX, self.entry.bytes)], self._place)
        found = (header.shape, header.dtype, header.start, header.fortran)
        if found != (self.entry.shape, np.dtype(self.entry.dtype), self.entry.start, False):
            raise self._place.error("its header is not the one that the manifest describes", "Copy that file again")
        if header.pickled:  # whose memory would be taken for addresses
            raise self._place.error("it holds Python objects, which no store does", "Do not trust where it came from")
        if self.check == "touch":
            self._unseen = np.ones(blocks_of(self.entry.bytes), dtype=bool)
        self._rows = header.over(mapping, header.start)


def _fetch(mapping: mmap.mmap, pieces: Indices, unit: int) -> None:
    """Have the system read pieces of a file, given in their order, by one call for those that follow each other."""
    firsts = np.flatnonzero(np.diff(pieces, prepend=-2) > 1)
    counts = np.diff(firsts, append=len(pieces))
    for start, count in zip((pieces[firsts] * unit).tolist(), (counts * unit).tolist(), strict=True):
        mapping.madvise(mmap.MADV_WILLNEED, start, min(count, len(mapping) - start))
