"""Opens ``.npy`` and ``.npz`` files by reading their headers."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import BinaryIO, Final

from atomloom.arrays.decoded import DecodedRows, Kept
from atomloom.arrays.directory import Member, read_directory
from atomloom.arrays.header import PREFIX, Header, read_header
from atomloom.arrays.inflate import beginning, whole
from atomloom.arrays.objects import Inert
from atomloom.arrays.place import File, Place, limited
from atomloom.arrays.rows import FileRows
from atomloom.arrays.stored import StoredRows
from atomloom.arrays.streamed import StreamedRows
from atomloom.rows import Rows

WHOLE: Final = 256 << 20
"""Bytes of the largest compressed member that is decoded whole and kept; larger ones are streamed."""

WHOLE_IF_LIMITED: Final = 1 << 20
"""The same where the address space is limited."""

_MAGIC: Final = {b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz", b"PK\x05\x06": ".npz"}
"""How the files begin; the last is an archive of no members."""

_KINDS: Final = {".npy": "a single numpy array", ".npz": "a zip archive"}


def open_arrays(path: str | Path) -> dict[str, Rows]:
    """The arrays in a file by their name, of which only the headers have been read.

    An ``.npy`` file has one array, called as the file is; an ``.npz`` file has its members, in their order. Arrays of
    Python objects are `Inert` values. Byte order and Fortran order are kept.

    Args:
        path: of the file. Its first bytes decide what it is, and a suffix that says otherwise is an error.

    Raises:
        DataError: the file is missing, empty, truncated, damaged, misnamed, or promises what it cannot hold.

    >>> import tempfile, numpy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     numpy.savez(Path(folder, "water.npz"), R=numpy.zeros((100, 3, 3)), Z=[8, 1, 1])
    ...     arrays = open_arrays(Path(folder, "water.npz"))
    ...     arrays["R"].shape, arrays["Z"][:2]
    ((100, 3, 3), array([8, 1]))
    """
    return dict(_opened(Path(path)))


def reopen(path: Path, name: str) -> FileRows:
    """One array of a file, which is how arrays come back from a pickle."""
    arrays = _opened(path)
    if not name:
        return next(iter(arrays.values()))
    if name not in arrays:
        raise Place(path, name).error("the file no longer holds it")
    return arrays[name]


def _opened(path: Path) -> dict[str, FileRows]:
    place = Place(path)
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if not size:
                raise place.error("it is empty (0 bytes)")
            file = File(path.absolute(), size)
            if _kind(stream, place) == ".npy":
                return {path.stem: _array(stream, file, place)}
            return _archive(stream, file, path)
    except FileNotFoundError:
        raise place.error("there is no such file", "Check the path") from None
    except OSError as error:
        raise place.error(f"the system answers {error.strerror!r}", "Check the path and its permissions") from None


def _kind(stream: BinaryIO, place: Place) -> str:
    """``.npy`` or ``.npz``, by the first bytes."""
    start = stream.read(max(map(len, _MAGIC)))
    stream.seek(0)
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)
    if kind is None:
        raise place.error("it is neither a numpy array nor an archive of them", "Give a file by numpy.save or savez")
    suffix = place.path.suffix.lower()
    if suffix in _KINDS and suffix != kind:
        raise place.error(f"it is called {suffix} and holds {_KINDS[kind]}", f"Rename it to end in {kind}")
    return kind


def _array(stream: BinaryIO, file: File, place: Place) -> FileRows:
    header = read_header(stream.read(PREFIX), place)
    if header.pickled:
        return Inert(place, header, lambda: file.piece(header.start, file.size - header.start, place))
    _check_size(header, file.size, place)
    return StoredRows(place, header, file, header.start)


def _archive(stream: BinaryIO, file: File, path: Path) -> dict[str, FileRows]:
    kept = Kept()
    return {member.place.member: _of_member(stream, file, member, kept) for member in read_directory(stream, path)}


def _of_member(stream: BinaryIO, file: File, member: Member, kept: Kept) -> FileRows:
    if member.deflated:
        prefix = beginning(member, file, PREFIX)
    else:
        stream.seek(member.offset)
        prefix = stream.read(min(PREFIX, member.size))
    header = read_header(prefix, member.place)
    if header.pickled:
        return Inert(member.place, header, lambda: _checked_bytes(member, file)[header.start :])
    _check_size(header, member.size, member.place)
    if not member.deflated:
        return StoredRows(member.place, header, file, member.offset + header.start)
    if member.size > (WHOLE_IF_LIMITED if limited() else WHOLE):
        return StreamedRows(member, header, file)
    return DecodedRows(member, header, file, kept)


def _check_size(header: Header, size: int, place: Place) -> None:
    """The header and the size of the file must agree, else something was cut off or something else appended."""
    needed = header.start + header.nbytes
    if needed != size:
        what = "cut off or its header lies" if size < needed else "longer than one array, or its header lies"
        found = f"{size} bytes are there and {header.dtype} of shape {header.shape} needs {needed}: it is {what}"
        raise place.error(found)


def _checked_bytes(member: Member, file: File) -> bytes:
    """A whole member, its checksum verified."""
    if member.size > WHOLE and member.deflated:
        raise member.place.error(f"it is a pickle of {member.size} bytes, and {WHOLE} is the most that is decoded")
    if member.deflated:
        return whole(member, file).tobytes()
    raw = file.piece(member.offset, member.size, member.place)
    if zlib.crc32(raw) != member.crc:
        raise member.place.error("its checksum (CRC-32) is wrong, so its values are damaged")
    return raw
