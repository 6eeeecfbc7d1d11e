"""Decodes a compressed member of an archive forward, with a bounded amount of memory.

Deflate has no way to jump. While it decodes, `Inflater` keeps copies of the decoder's state at regular places, so that
going back costs at most one such stretch and not everything from the beginning.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from atomloom.arrays.directory import Member
from atomloom.arrays.place import File

BLOCK: Final = 1 << 20
"""Bytes that are decoded at a time."""

PACKED_BLOCK: Final = 1 << 16
"""Compressed bytes that are read at a time."""

MARKS: Final = 64
"""States kept per member; each takes about 50 kB plus at most one `PACKED_BLOCK`."""

SHORTEST_STRETCH: Final = 16 << 20
"""Bytes between two kept states, at least."""


@dataclass
class _State:
    """Where the decoder stands: bytes taken in, bytes given out, their CRC."""

    decoder: Any
    taken: int = 0
    given: int = 0
    crc: int = 0

    def copy(self) -> _State:
        return _State(self.decoder.copy(), self.taken, self.given, self.crc)


class Inflater:
    """The decoded bytes of one member.

    Args:
        member: which one.
        file: the archive.
    """

    def __init__(self, member: Member, file: File) -> None:
        self.member = member
        self._file = file
        self._state = _State(zlib.decompressobj(-zlib.MAX_WBITS))
        self._marks = [self._state.copy()]
        self._stretch = max(SHORTEST_STRETCH, member.size // MARKS)

    def read(self, at: int, count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """`count` decoded bytes from `at` on."""
        out = np.empty(count, np.uint8)
        self.read_into(at, out)
        return out

    def read_into(self, at: int, out: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """Fill `out` with decoded bytes from `at` on."""
        self._go_to(at)
        filled = 0
        while filled < len(out):
            piece = self._next(min(BLOCK, len(out) - filled))
            out[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
            filled += len(piece)

    def _go_to(self, at: int) -> None:
        best = max((mark for mark in self._marks if mark.given <= at), key=lambda mark: mark.given)
        if at < self._state.given or best.given > self._state.given:
            self._state = best.copy()
        while self._state.given < at:
            self._next(min(BLOCK, at - self._state.given))

    def _next(self, most: int) -> bytes:
        """Between 1 and `most` decoded bytes."""
        state = self._state
        piece = self._decode(most)
        while not piece:
            if state.decoder.eof:
                raise self.member.place.error(f"it ends after {state.given} of {self.member.size} bytes")
            piece = self._decode(most)
        state.given += len(piece)
        state.crc = zlib.crc32(piece, state.crc)
        if state.given == self.member.size:
            self._check_end()
        elif state.given - self._marks[-1].given >= self._stretch:
            self._marks.append(state.copy())
        return piece

    def _decode(self, most: int) -> bytes:
        """Up to `most` decoded bytes; none where the decoder needs more to go on."""
        state = self._state
        packed = state.decoder.unconsumed_tail or self._packed()
        try:
            piece = bytes(state.decoder.decompress(packed, most))
        except zlib.error as error:
            raise self.member.place.error(f"its compressed data are damaged ({error})") from None
        if not (piece or packed or state.decoder.eof):
            raise self.member.place.error(f"its compressed data end after {state.given} of {self.member.size} bytes")
        return piece

    def _packed(self) -> bytes:
        state = self._state
        start = self.member.offset + state.taken
        count = min(PACKED_BLOCK, self.member.packed - state.taken)
        state.taken += count
        return self._file.piece(start, count, self.member.place)

    def _check_end(self) -> None:
        state = self._state
        while not state.decoder.eof:
            if self._decode(1):
                raise self.member.place.error(f"it decodes to more than the {self.member.size} bytes it declares")
        if state.crc != self.member.crc:
            raise self.member.place.error("its checksum (CRC-32) is wrong, so its values are damaged")


def beginning(member: Member, file: File, count: int) -> bytes:
    """The first `count` bytes of the decoded member, or all of them where there are fewer."""
    return Inflater(member, file).read(0, min(count, member.size)).tobytes()


def whole(member: Member, file: File) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The decoded member, its checksum verified."""
    return Inflater(member, file).read(0, member.size)
