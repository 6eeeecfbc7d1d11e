"""What a pickle may cost: a file of a few bytes must not be able to ask for all memory.

Honest files stay far below each of these. What a file holds literally is bounded by its size; the limits are about
what it can multiply: empty containers (one byte of file each), copies of remembered values, shared references.
Time is bounded by the number of instructions, except that keys made to collide slow a dictionary down.
"""

from __future__ import annotations

import struct

OPCODES = 2**27
"""Instructions in one pickle; a list of a hundred million numbers is still read."""

ALLOWANCE = 2**31
"""Bytes that containers and copies may take, however small the file is."""

PER_BYTE = 4
"""Bytes that containers and copies may take beyond `ALLOWANCE`, per byte of the file."""

LEVELS = 1000
"""Nesting of containers; Python's own pickler cannot write more with its default settings."""

NODES = 10**9
"""Values in the result when each shared one is counted as often as it is referred to."""

KEY_NODES = 1000
"""Values within one dictionary key or set member."""

KEY_BITS = 4096
"""Bits of a whole number that is used as a key."""

ARRAY_LEVELS = 100
"""Nesting of arrays of objects directly in each other: numpy frees them by recursion, which would exhaust the stack."""

FIELDS = 10_000
"""Fields of a structured dtype, those of its parts included."""

FIELD_LEVELS = 16
"""Nesting of structured dtypes."""


class Refused(Exception):
    """A pickle asks for something that is not given; `atomloom.inert.load` makes it a `DataError`."""


MALFORMED = (
    Refused,
    ArithmeticError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What Python and numpy raise on numbers, texts and layouts that make no sense."""


class Budget:
    """The memory that one pickle may still ask for.

    Args:
        size: bytes of the pickle.
    """

    __slots__ = ("left", "levels")

    def __init__(self, size: int) -> None:
        self.left = ALLOWANCE + PER_BYTE * size
        self.levels: dict[int, int] = {}

    def spend(self, count: int) -> None:
        """Takes `count` bytes, or raises `Refused` where they are not left."""
        self.left -= count
        if self.left < 0:
            raise Refused("it asks for more memory than a file of its size can need")

    def nest(self, outer: int, inner: list[int]) -> None:
        """Notes that an array of objects directly holds others (all by id), or raises `Refused`."""
        self.levels[outer] = level = 1 + max((self.levels.get(each, 0) for each in inner), default=0)
        if level > ARRAY_LEVELS:
            raise Refused(f"arrays of objects are nested more than {ARRAY_LEVELS} times")
