"""Brings the files of a part of a store over a network, each block of them checked before it counts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from atomloom.errors import DataError
from atomloom.runs.atomic import atomic_file
from atomloom_memmap.checksums import BLOCK, Sums, checksum, digest
from atomloom_memmap.manifest import ArrayEntry, Part
from atomloom_memmap.shard import SUMS, OpenPart

if TYPE_CHECKING:
    from collections.abc import Iterable

PIECE: Final = 16 * BLOCK
"""Bytes that are checked and written at once."""

_AGAIN = "Run it again: it goes on where it stopped"


class Remote:
    """A folder at an address that fsspec understands.

    Args:
        system: the file system of fsspec.
        root: the folder in it.
        url: how people call it.
    """

    def __init__(self, system: Any, root: str, url: str) -> None:
        self.system, self.root, self.url = system, root.rstrip("/"), url

    def read(self, name: str) -> bytes:
        """A small file as a whole."""
        text: bytes = self.system.cat_file(f"{self.root}/{name}")
        return text

    def pieces(self, name: str, start: int) -> Iterator[bytes]:
        """The bytes of a file from `start` on, in pieces as they come."""
        path, at = f"{self.root}/{name}", start
        with suppress(ValueError):  # which fsspec raises where a server sends files as a whole only
            with self.system.open(path, "rb") as file:
                file.seek(at)
                while piece := file.read(PIECE):
                    yield piece
                    at += len(piece)
            return
        with self.system.open(path, "rb", block_size=0) as file:
            while at and (skipped := file.read(min(at, PIECE))):
                at -= len(skipped)
            while piece := file.read(PIECE):
                yield piece

    def error(self, name: str, found: str) -> DataError:
        """The error about one of its files."""
        return DataError(f"fetch the store '{self.url}'", f"{name} {found}", _AGAIN)


def bring(remote: Remote, folder: Path, part: Part) -> Iterator[int]:
    """Bring what `folder`, the copy of a store, lacks of a part; gives the bytes of each piece that has arrived."""
    (folder / part.folder).mkdir(parents=True, exist_ok=True)
    if not (folder / part.folder / SUMS).exists():
        _bring_sums(remote, folder, part)
    opened = OpenPart(folder, part)
    for entry in (*part.offsets.values(), *part.fields.values()):
        if missing(folder, part, entry):
            yield from _bring_array(remote, f"{part.folder}/{entry.file}", opened, entry)


def missing(folder: Path, part: Part, entry: ArrayEntry) -> bool:
    """Whether a file has not been brought yet; what has its name is whole."""
    return not (folder / part.folder / entry.file).exists()


def _bring_sums(remote: Remote, folder: Path, part: Part) -> None:
    name = f"{part.folder}/{SUMS}"
    text = remote.read(name)
    if digest(text) != part.digest:
        raise remote.error(name, "arrived damaged: the manifest has another checksum for it")
    with atomic_file(folder / name, "wb") as file:
        file.write(text)


def _bring_array(remote: Remote, name: str, part: OpenPart, entry: ArrayEntry) -> Iterator[int]:
    target = part.path / entry.file
    unfinished = target.with_name(f"{entry.file}.partial")
    sums = part.sums_of(entry)
    with open(unfinished, "r+b" if unfinished.exists() else "w+b") as file:
        at = _whole(file, sums)
        file.truncate(at)
        file.seek(at)
        yield at
        for piece in _regrouped(remote.pieces(name, at), entry.bytes - at):
            for start in range(0, len(piece), BLOCK):
                if checksum(piece[start : start + BLOCK]) != int(sums[(at + start) // BLOCK]):
                    raise remote.error(name, f"arrived damaged in the block that begins at byte {at + start}")
            file.write(piece)
            at += len(piece)
            yield len(piece)
        if at < entry.bytes:
            raise remote.error(name, f"ended before its {entry.bytes} bytes had come")
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, target)


def _whole(file: Any, sums: Sums) -> int:
    """How many bytes, in whole blocks, of an unfinished file have their checksums."""
    for number, known in enumerate(sums.tolist()):
        block = file.read(BLOCK)
        if len(block) < BLOCK or checksum(block) != known:
            return number * BLOCK
    return len(sums) * BLOCK


def _regrouped(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The first `size` bytes in pieces of `PIECE`, the last one shorter; what ends in the middle of a block is left."""
    held = bytearray()
    for piece in pieces:
        held += piece
        del held[size:]
        while len(held) >= min(PIECE, size) > 0:
            taken = bytes(held[:PIECE])
            del held[:PIECE]
            size -= len(taken)
            yield taken
        if not size:
            return
    if whole := len(held) // BLOCK * BLOCK:
        yield bytes(held[:whole])
