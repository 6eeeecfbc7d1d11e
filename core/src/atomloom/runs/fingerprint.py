"""Telling whether data are the ones that a run was fitted to.

The fingerprint of a file is BLAKE2b over its size and its bytes; of a file of 64 MiB or more, over its size and 64
blocks of 1 MiB spread evenly from its beginning to its end, so that a file of any size takes a fraction of a second.
A change that keeps the size and misses all blocks is not seen, and ``sampled`` says so. The fingerprint of a folder is
over the names and the fingerprints of the files in it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from atomloom.errors import DataError

BLOCK = 2**20
"""Bytes that are read at once."""
BLOCKS = 64
"""How many blocks of a large file are read; smaller files are read whole."""


def fingerprint(path: str | Path) -> dict[str, Any]:
    """``{"path", "bytes", "hash", "sampled"}`` of a file or folder.

    Raises:
        DataError: when it cannot be read.
    """
    try:
        files = list(_files(Path(path)))
        sizes = [file.stat().st_size for file in files]
        hashes = [_file_hash(file, size) for file, size in zip(files, sizes, strict=True)]
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"read '{path}'", f"it cannot be opened ({reason})", "Check the path") from error
    whole = hashes[0] if Path(path).is_file() else _folder_hash(Path(path), files, hashes)
    return {
        "path": str(path),
        "bytes": sum(sizes),
        "hash": f"blake2b-128:{whole}",
        "sampled": any(size >= BLOCK * BLOCKS for size in sizes),
    }


def origin(path: str | Path) -> dict[str, Any]:
    """``{"name", "bytes", "hash"}`` of a file or folder: what of it is the same on every machine."""
    found = fingerprint(path)
    return {"name": Path(path).absolute().name, "bytes": found["bytes"], "hash": found["hash"]}


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for root, folders, names in os.walk(path):
        folders.sort()
        yield from (file for name in sorted(names) if (file := Path(root) / name).is_file())


def _file_hash(path: Path, size: int) -> str:
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        for block in _blocks(file, size):
            digest.update(block)
    return digest.hexdigest()


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    if size < BLOCK * BLOCKS:
        while block := file.read(BLOCK):
            yield block
        return
    for number in range(BLOCKS):
        file.seek((size - BLOCK) * number // (BLOCKS - 1))
        yield file.read(BLOCK)


def _folder_hash(folder: Path, files: list[Path], hashes: list[str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file, one in zip(files, hashes, strict=True):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{one}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
