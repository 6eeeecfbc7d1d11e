"""Checksums of blocks of a file: XXH3 of 64 bits, which runs at the speed of memory.

A file is cut into blocks of `BLOCK` bytes, header included, the last one shorter. 8 bytes for each 64 KiB are one part
in 8192. XXH3 changes with every single flipped byte that tests have tried; that it stays the same for any other damage
has a chance of 2^-64.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

BLOCK: Final = 1 << 16
"""Bytes that one checksum is of."""

Sums = NDArray[np.uint64]


def checksum(block: bytes | memoryview) -> int:
    """Of one block.

    >>> checksum(b"water") == checksum(b"watet")
    False
    """
    return xxhash.xxh3_64_intdigest(block)


def digest(text: bytes) -> str:
    """A checksum as 16 hexadecimal digits."""
    return xxhash.xxh3_64_hexdigest(text)


def blocks_of(size: int) -> int:
    """How many blocks a file of so many bytes has.

    >>> blocks_of(BLOCK), blocks_of(BLOCK + 1)
    (1, 2)
    """
    return -(-size // BLOCK)


class Running:
    """The checksums of a file that is written piece by piece."""

    def __init__(self) -> None:
        self._sums: list[int] = []
        self._open = xxhash.xxh3_64()
        self._filled = 0

    def update(self, piece: bytes | memoryview) -> None:
        """Take the next bytes of the file into account."""
        view = memoryview(piece).cast("B")
        while len(view):
            taken = view[: BLOCK - self._filled]
            self._open.update(taken)
            self._filled += len(taken)
            view = view[len(taken) :]
            if self._filled == BLOCK:
                self._close()

    def sums(self) -> list[int]:
        """Those of all blocks, once the file is complete."""
        if self._filled:
            self._close()
        return self._sums

    def _close(self) -> None:
        self._sums.append(self._open.intdigest())
        self._open, self._filled = xxhash.xxh3_64(), 0
