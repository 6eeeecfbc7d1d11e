"""The directory of a zip archive, believed only where it agrees with the archive."""

from __future__ import annotations

import re
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from atomloom.arrays.place import Place

SUFFIX = ".npy"

DEFLATE_RATIO: Final = 1032
"""How much deflate can shrink at best; a directory that promises more lies."""

_ENCRYPTED = 0x1
_LOCAL = struct.Struct("<4s5H3L2H")
"""The local header in front of a member: signature, five short fields, CRC, sizes, lengths of name and extra field."""

_UNSAFE = re.compile(r"^/|\\|^[A-Za-z]:|(^|/)\.\.?(/|$)|//|[\x00-\x1f]")
"""Names that are more than a name: absolute, with a drive, going up, or with control characters."""


@dataclass(frozen=True)
class Member:
    """An array in an archive.

    Args:
        place: the archive and the name of the array.
        offset: where its bytes begin in the archive.
        packed: bytes that it takes there.
        size: bytes of the decoded ``.npy`` file.
        crc: CRC-32 of these.
        deflated: whether it is compressed.
    """

    place: Place
    offset: int
    packed: int
    size: int
    crc: int
    deflated: bool


def read_directory(stream: BinaryIO, path: Path) -> list[Member]:
    """All arrays in the archive, after every check that needs no decoding."""
    try:
        with zipfile.ZipFile(stream) as archive:
            listed = archive.infolist()
            end = archive.start_dir
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, MemoryError, struct.error) as error:
        raise Place(path).error(f"it is a damaged or truncated zip archive ({error})") from None
    members = [_member(stream, info, path) for info in listed]
    _check_unique(members)
    _check_apart(members, listed, end)
    return members


def _member(stream: BinaryIO, info: zipfile.ZipInfo, path: Path) -> Member:
    name = info.orig_filename
    place = Place(path, name.removesuffix(SUFFIX))
    if name in ("", SUFFIX):
        raise place.error("an array in it has no name", "Write it with numpy.savez")
    if name.endswith("/"):
        raise place.error("it is a folder, and an array archive has none", "Write it with numpy.savez")
    if _UNSAFE.search(name):
        raise place.error("its name leads to another folder", "Write the archive with numpy.savez and plain names")
    if not name.endswith(SUFFIX):
        raise place.error(f"it is no array (arrays are called NAME{SUFFIX})", "Write the archive with numpy.savez")
    if info.flag_bits & _ENCRYPTED:
        raise place.error("it is encrypted", "Decrypt the archive first")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        how = zipfile.compressor_names.get(info.compress_type, f"method {info.compress_type}")  # type: ignore[attr-defined]  # missing in typeshed
        raise place.error(f"it is compressed by {how}", "Write it with numpy.savez or numpy.savez_compressed")
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    if info.file_size > info.compress_size * DEFLATE_RATIO or (not deflated and info.file_size != info.compress_size):
        raise place.error(f"{info.compress_size} bytes are said to hold {info.file_size}, which is impossible")
    offset = _data_offset(stream, info, place)
    return Member(place, offset, info.compress_size, info.file_size, info.CRC, deflated)


def _data_offset(stream: BinaryIO, info: zipfile.ZipInfo, place: Place) -> int:
    """Where the bytes of a member begin: behind its local header, which must tell the same story as the directory."""
    stream.seek(info.header_offset)
    raw = stream.read(_LOCAL.size)
    if len(raw) < _LOCAL.size:
        raise place.error("the archive ends before it")
    signature, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack(raw)
    name = stream.read(name_length)
    if signature != b"PK\x03\x04":
        raise place.error("it is not where the directory of the archive says")
    if name.decode("utf-8" if flags & 0x800 else "cp437", "replace") != info.orig_filename:
        raise place.error("the archive and its directory disagree on its name")
    if method != info.compress_type:
        raise place.error("the archive and its directory disagree on its compression")
    return int(info.header_offset + _LOCAL.size + name_length + extra_length)


def _check_unique(members: list[Member]) -> None:
    seen: set[str] = set()
    for member in members:
        if member.place.member in seen:
            raise member.place.error("the archive holds two arrays of this name", "Write the archive again")
        seen.add(member.place.member)


def _check_apart(members: list[Member], listed: list[zipfile.ZipInfo], end: int) -> None:
    """Members that share bytes are how a small archive unfolds into a huge one."""
    starts = [info.header_offset for info in listed]
    order = sorted(range(len(members)), key=starts.__getitem__)
    limits = [*(starts[at] for at in order[1:]), end]
    for at, limit in zip(order, limits, strict=False):  # an archive of nothing has an end all the same
        if members[at].offset + members[at].packed > limit:
            raise members[at].place.error("it reaches into the next member or beyond the end of the archive")
