"""Bytes of a pickle, and the instructions that only turn bytes into a value."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import BinaryIO, Final

from atomloom.inert.limits import Refused


class Source:
    """Reads a stream from where it stands, never asking for more than is there.

    Args:
        stream: the file.
        size: bytes that are left in it.
    """

    __slots__ = ("_read", "_readline", "at", "size")

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._read = stream.read
        self._readline = stream.readline
        self.at = 0
        self.size = size

    def take(self, count: int) -> bytes:
        """The next `count` bytes; a lying count is refused before memory is asked for."""
        self.at += count
        if count < 0 or self.at > self.size:
            raise Refused(f"the file ends before the {count} bytes that it announces")
        data = self._read(count)
        if len(data) != count:
            raise Refused("the file ends in the middle")
        return data

    def opcode(self) -> bytes:
        """The byte of the next instruction."""
        self.at += 1
        opcode = self._read(1)
        if not opcode:
            raise Refused("the file ends before the instruction that says so")
        return opcode

    def line(self) -> bytes:
        """The bytes up to the next newline, without it."""
        data = self._readline()
        self.at += len(data)
        if not data.endswith(b"\n"):
            raise Refused("the file ends in the middle of a line")
        return data[:-1]

    def number(self, width: int, *, signed: bool = False) -> int:
        """The next `width` bytes as a little-endian number."""
        return int.from_bytes(self.take(width), "little", signed=signed)

    def text(self, width: int) -> str:
        """UTF-8 text whose length stands in the next `width` bytes."""
        return str(self.take(self.number(width)), "utf-8", "surrogatepass")

    def name(self) -> str:
        """A line that names a module or something in it."""
        return str(self.line(), "utf-8")


def _signed(source: Source, width: int) -> int:
    return source.number(width, signed=True)


def _old_bytes(data: bytes) -> str:
    """Text of Python 2, where text was bytes: latin-1 keeps every one of them."""
    return data.decode("latin-1")


def _whole(source: Source) -> int | bool:
    line = source.line()
    flags = {b"00": False, b"01": True}
    return flags[line] if line in flags else int(line)


def _long_line(source: Source) -> int:
    return int(source.line().removesuffix(b"L"))


def _quoted(source: Source) -> str:
    line = source.line()
    if len(line) < 2 or line[:1] not in (b'"', b"'") or line[-1:] != line[:1]:
        raise Refused("a text of the old form is not in quotes")
    return _old_bytes(codecs.escape_decode(line[1:-1])[0])


LITERALS: Final[dict[bytes, Callable[[Source], object]]] = {
    b"N": lambda source: None,
    b"\x88": lambda source: True,
    b"\x89": lambda source: False,
    b"I": _whole,
    b"J": lambda source: _signed(source, 4),
    b"K": lambda source: source.number(1),
    b"M": lambda source: source.number(2),
    b"L": _long_line,
    b"\x8a": lambda source: _signed(source, source.number(1)),
    b"\x8b": lambda source: _signed(source, _signed(source, 4)),
    b"F": lambda source: float(source.line()),
    b"G": lambda source: struct.unpack(">d", source.take(8))[0],
    b"S": _quoted,
    b"T": lambda source: _old_bytes(source.take(_signed(source, 4))),
    b"U": lambda source: _old_bytes(source.take(source.number(1))),
    b"V": lambda source: str(source.line(), "raw-unicode-escape"),
    b"X": lambda source: source.text(4),
    b"\x8c": lambda source: source.text(1),
    b"\x8d": lambda source: source.text(8),
    b"C": lambda source: source.take(source.number(1)),
    b"B": lambda source: source.take(source.number(4)),
    b"\x8e": lambda source: source.take(source.number(8)),
    b"\x96": lambda source: bytearray(source.take(source.number(8))),
}
"""Instructions that push a value and touch nothing else, by their byte."""
