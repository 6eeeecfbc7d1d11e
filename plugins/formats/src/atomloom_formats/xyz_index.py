"""Where the frames of an XYZ file are: one scan that finds lines and reads counts, and parses no number of an atom."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from atomloom.data.columns import Indices
from atomloom.errors import DataError
from atomloom.progress import track

CHUNK = 1 << 24
"""Bytes that are scanned at once."""

_NEWLINE = 10
_KEYS = re.compile(rb"Properties=\S+|[^\s=\"']+(?==)")
"""What tells the comment line of one frame from that of another, up to the values in it."""


@dataclass(frozen=True)
class Index:
    """Where each frame of a file is, and of which kind.

    Attributes:
        path: of the file.
        stamp: its size and time of change when it was scanned.
        starts: the byte at which each frame begins (the line with its number of atoms), and that behind the last one.
        comments: the byte at which the comment line of each frame begins.
        bodies: the byte at which its first atom's line begins.
        atoms: their number in each frame.
        kinds: for each frame a number; frames of one kind have the same keys and columns.
        examples: the first frame of each kind.
    """

    path: Path
    stamp: tuple[int, int]
    starts: Indices
    comments: Indices
    bodies: Indices
    atoms: Indices
    kinds: Indices
    examples: tuple[int, ...]

    def comment(self, file: BinaryIO, frame: int) -> str:
        """The comment line of a frame."""
        return _between(file, self.comments[frame], self.bodies[frame]).decode("utf-8", "replace").strip()

    def lines(self, file: BinaryIO, frame: int) -> list[bytes]:
        """The lines of the atoms of a frame."""
        text = _between(file, self.bodies[frame], self.starts[frame + 1])
        return text.split(b"\n")[: int(self.atoms[frame])]

    def open(self) -> BinaryIO:
        """The file, which must be as it was when it was scanned."""
        file = open(self.path, "rb")  # noqa: SIM115  the caller closes it
        if _stamp(file) != self.stamp:
            file.close()
            raise DataError(f"read '{self.path}'", "it has changed since it was opened", "Open it again")
        return file


def _between(file: BinaryIO, start: int, stop: int) -> bytes:
    file.seek(int(start))
    return file.read(int(stop - start))


def _stamp(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


@dataclass
class _Found:
    """What a scan has found so far."""

    starts: list[int] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    atoms: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    known: dict[tuple[bytes, ...], int] = field(default_factory=dict)
    examples: list[int] = field(default_factory=list)
    lines: int = 0

    def add(self, start: int, comment: int, body: int, atoms: int, text: bytes) -> None:
        """One more frame."""
        keys = tuple(_KEYS.findall(text))
        if keys not in self.known:
            self.known[keys] = len(self.known)
            self.examples.append(len(self.starts))
        self.kinds.append(self.known[keys])
        self.starts.append(start)
        self.comments.append(comment)
        self.bodies.append(body)
        self.atoms.append(atoms)


def scan(path: Path) -> Index:
    """Finds every frame of a file, with a progress bar; the file is read once from its start to its end."""
    found = _Found()
    with open(path, "rb") as file:
        stamp = _stamp(file)
        base, rest = 0, b""
        for chunk in track(_chunks(file), total=-(-stamp[0] // CHUNK), label=f"indexing {path.name}"):
            data = rest + chunk
            used = _scan_chunk(path, found, data, base)
            base, rest = base + used, data[used:]
        if rest.strip():
            used = _scan_chunk(path, found, rest.removesuffix(b"\n") + b"\n", base)
            if rest[used:].strip():
                raise _cut_short(path, found, rest[used:])
    starts = np.array([*found.starts, stamp[0]], dtype=np.int64)
    places = np.array([found.comments, found.bodies, found.atoms, found.kinds], dtype=np.int64)
    return Index(path, stamp, starts, places[0], places[1], places[2], places[3], tuple(found.examples))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _scan_chunk(path: Path, found: _Found, data: bytes, base: int) -> int:
    """Adds the whole frames in `data`, which stands at the byte `base` of the file; returns the bytes of these."""
    ends: list[int] = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == _NEWLINE).tolist()
    line, begin = 0, 0
    while line < len(ends):
        first = data[begin : ends[line]].strip()
        if not first:
            line, begin = line + 1, ends[line] + 1
            found.lines += 1
            continue
        atoms = _count(path, found, first)
        last = line + 1 + atoms
        if last >= len(ends):
            break
        comment, body = ends[line] + 1, ends[line + 1] + 1
        found.add(base + begin, base + comment, base + body, atoms, data[comment : ends[line + 1]])
        found.lines += atoms + 2
        line, begin = last + 1, ends[last] + 1
    return begin


def _count(path: Path, found: _Found, text: bytes) -> int:
    if text.isdigit():
        return int(text)
    shown = text[:40].decode("utf-8", "replace")
    problem = f"line {found.lines + 1} should hold the number of atoms of frame {len(found.starts)} and holds {shown!r}"
    if not found.starts:
        raise DataError(f"read '{path}' as XYZ", problem, "Check that it is an XYZ file, or choose another --reader")
    todo = f"Check that frame {len(found.starts) - 1} has as many atoms as its first line says"
    raise DataError(f"read '{path}' as XYZ", problem, todo)


def _cut_short(path: Path, found: _Found, rest: bytes) -> DataError:
    lines = rest.strip().split(b"\n")
    expected, there = int(lines[0]), max(0, len(lines) - 2)
    follow = "line follows" if there == 1 else "lines follow"
    problem = f"frame {len(found.starts)} announces {expected} atoms and {there} {follow}"
    return DataError(f"read '{path}' as XYZ", problem, "Check that its download or copy finished")
