"""Writes one folder of arrays, all of them at once and block by block, with the checksums of what was written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import numpy as np

from atomloom.data.columns import Array
from atomloom_memmap.checksums import Running, digest
from atomloom_memmap.manifest import ArrayEntry, Part
from atomloom_memmap.shard import SUMS

_LONGEST = 100  # characters of a name that file systems take with all that goes around it
_DEVICE = re.compile("con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)  # Windows has no files of these names


class Planned(NamedTuple):
    """An array that is going to be written: its file, shape and type."""

    file: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def header(self) -> bytes:
        """What stands in front of the values, as numpy writes it."""
        from io import BytesIO

        stream = BytesIO()
        described = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(stream, described)
        return stream.getvalue()

    @property
    def bytes(self) -> int:
        """The size of the file."""
        return len(self.header) + int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


class ArrayWriter:
    """A ``.npy`` file that is filled row by row."""

    def __init__(self, path: Path, planned: Planned) -> None:
        self._planned, self._left = planned, planned.shape[0]
        self._sums = Running()
        self._file: IO[bytes] = open(path, "wb", buffering=0)  # noqa: SIM115  the part closes it
        self._put(planned.header)

    def write(self, rows: Array) -> None:
        """The next rows."""
        self._left -= len(rows)
        if len(rows):
            self._put(np.ascontiguousarray(rows, dtype=self._planned.dtype).reshape(-1).view(np.uint8).data)

    def finish(self) -> list[int]:
        """Bring the file to the disk; its checksums."""
        assert not self._left, f"{self._planned.file} lacks {self._left} rows"
        os.fsync(self._file.fileno())
        return self._sums.sums()

    def close(self) -> None:
        """Close the file, whole or not."""
        self._file.close()

    def _put(self, piece: bytes | memoryview) -> None:
        self._sums.update(piece)
        view = memoryview(piece)
        while len(view):  # a system may take less at once than it is given
            view = view[self._file.write(view) :]


class PartWriter:
    """A folder of arrays that is being filled.

    Args:
        folder: to be made; nothing of that name may be there.
        fields, offsets: the arrays to come, by field and by ragged axis.
    """

    def __init__(self, folder: Path, fields: Mapping[str, Planned], offsets: Mapping[str, Planned]) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._fields, self._offsets = dict(fields), dict(offsets)
        folder.mkdir(parents=True)
        self.fields = {name: self._opened(planned) for name, planned in self._fields.items()}
        self.offsets = {axis: self._opened(planned) for axis, planned in self._offsets.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def finish(self, folder: str) -> Part:
        """The complete part, called `folder` within its store; everything is on the disk then."""
        writers = [*self.offsets.values(), *self.fields.values()]
        sums = np.array([each for writer in writers for each in writer.finish()], dtype="<u8")
        path = self._folder / SUMS
        with open(path, "wb") as file:
            np.lib.format.write_array(file, sums, version=(1, 0), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        sync(self._folder)
        return Part(folder, digest(path.read_bytes()), _entries(self._fields), _entries(self._offsets))

    def _opened(self, planned: Planned) -> ArrayWriter:
        writer = ArrayWriter(self._folder / planned.file, planned)
        self._stack.callback(writer.close)
        return writer


def file_names(names: Iterable[str]) -> dict[str, str]:
    """A file name for each field: its own name where that is safe on every file system, else a number.

    >>> file_names(["R", "r", "wb97x.energy"])
    {'R': 'R.npy', 'r': 'field-1.npy', 'wb97x.energy': 'field-2.npy'}
    """
    taken = {SUMS}
    found = {}
    for number, name in enumerate(names):
        plain = name.isascii() and name.isidentifier() and len(name) <= _LONGEST and not _DEVICE.fullmatch(name)
        plain = plain and f"{name.casefold()}.npy" not in taken
        found[name] = f"{name}.npy" if plain else f"field-{number}.npy"
        taken.add(found[name].casefold())
    return found


def sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    if os.name == "nt":
        return  # Windows opens no folders
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _entries(planned: Mapping[str, Planned]) -> dict[str, ArrayEntry]:
    return {name: ArrayEntry(each.file, each.shape, each.dtype.str, each.bytes) for name, each in planned.items()}
