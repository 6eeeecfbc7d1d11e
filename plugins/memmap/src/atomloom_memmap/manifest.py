"""What a store says of itself: the one file that makes a folder of arrays a data set.

``manifest.json`` is written last, by rename, so a folder that has one is whole. It begins with the version of the
format and ends with a checksum of all bytes before, so that a flipped byte in it is found like one in an array. A
*shard* is a stretch of frames; its arrays lie in one folder or, where something was added later such as pairs, in
several, each called a *part*.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from atomloom.data.columns import Indices
from atomloom.data.schema import known_field
from atomloom.errors import DataError
from atomloom.runs.atomic import atomic_file
from atomloom.specs import Field
from atomloom_memmap.checksums import digest

FORMAT = 1
"""The version of the format that this module reads and writes."""

NAME = "manifest.json"
"""The file that a store is recognised by."""

MAGIC = b'{"atomloom-memmap": '
"""How that file begins."""

MOST_SIZES = 4096
"""Of an axis with more different lengths than this no histogram is kept."""

_PARTIAL = ".partial"
_SEAL = re.compile(rb',\n"checksum": "(?P<digest>[0-9a-f]{16})"}\n')


class FieldEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field: its axes, its unit, and what a row of it is."""

    dims: tuple[str, ...]
    unit: str
    dtype: str
    item: tuple[int, ...]
    axis: str

    def field(self, name: str) -> Field:
        """Its declaration: the registered one where that has the same axes."""
        known = known_field(name)
        if known is not None and known.dims == self.dims:
            return known.replace(unit=self.unit)
        return Field(name=name, dims=self.dims, unit=self.unit)


class AxisEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ragged axis: rows over all frames, rows of the longest, and how many frames have how many."""

    rows: int
    longest: int
    histogram: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, lengths: Indices) -> AxisEntry:
        """That of frames of these lengths."""
        sizes, counts = np.unique(lengths, return_counts=True)
        listed = tuple(zip(sizes.tolist(), counts.tolist(), strict=True)) if len(sizes) <= MOST_SIZES else ()
        return cls(int(lengths.sum()), int(lengths.max(initial=0)), listed)

    def joined(self, other: AxisEntry) -> AxisEntry:
        """That of both stretches of frames."""
        counts = dict(self.histogram)
        for size, count in other.histogram:
            counts[size] = counts.get(size, 0) + count
        known = sum(counts.values()) and all(each.histogram or not each.rows for each in (self, other))
        listed = tuple(sorted(counts.items())) if known and len(counts) <= MOST_SIZES else ()
        return AxisEntry(self.rows + other.rows, max(self.longest, other.longest), listed)


class ArrayEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``.npy`` file: its name in its part, its shape and type, and its bytes, header included."""

    file: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int

    @property
    def row(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * np.dtype(self.dtype).itemsize

    @property
    def start(self) -> int:
        """Bytes before the first row."""
        return self.bytes - self.shape[0] * self.row


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of arrays that were written together, and the digest of the file with their checksums."""

    folder: str
    digest: str
    fields: dict[str, ArrayEntry]
    offsets: dict[str, ArrayEntry]


class Shard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of frames."""

    frames: int
    parts: tuple[Part, ...]


class Origin(msgspec.Struct, frozen=True):
    """A file that the frames came from."""

    name: str
    bytes: int
    hash: str


class Edges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pairs of atoms that a store keeps.

    Args:
        cutoff: the distance that they are within, in angstrom.
        number: how many times such pairs have been made for this store; their folders end in it.
    """

    cutoff: float
    number: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything that is known of a store without looking at an array.

    Args:
        format: of the store.
        written_by: the atomloom that wrote it.
        frames: how many there are.
        fields: those that are stored, in their order.
        counts: fields that are not stored because they are the lengths of an axis, such as ``{"N": "atom"}``.
        axes: the ragged axes.
        meta: what holds for all frames, level of theory among it.
        sources: the files that the frames came from, in order.
        block: bytes that one checksum is of.
        shards: the frames, in order.
        edges: the pairs of atoms that are kept, if there are.
    """

    format: int = msgspec.field(name="atomloom-memmap")
    written_by: str
    frames: int
    fields: dict[str, FieldEntry]
    counts: dict[str, str]
    axes: dict[str, AxisEntry]
    meta: dict[str, Any]
    sources: tuple[Origin, ...]
    block: int
    shards: tuple[Shard, ...]
    edges: Edges | None = None

    @property
    def payload(self) -> int:
        """Bytes of the values of all fields."""
        sizes = {axis: entry.rows for axis, entry in self.axes.items()}
        return sum(
            sizes.get(entry.axis, self.frames)
            * int(np.prod(entry.item, dtype=np.int64))
            * np.dtype(entry.dtype).itemsize
            for entry in self.fields.values()
        )


def dumps(manifest: Manifest) -> bytes:
    """The text of ``manifest.json``, sealed by its checksum."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    body = MAGIC + text.partition(b'"atomloom-memmap": ')[2].removesuffix(b"\n}")
    return body + b',\n"checksum": "%s"}\n' % digest(body).encode()


def seal(manifest: Manifest) -> str:
    """The checksum that tells a manifest from any other."""
    return digest(dumps(manifest))


def loads(text: bytes, where: Path) -> Manifest:
    """The manifest in the text of the file `where`; an error says what is wrong with it."""
    asked = f"open the store '{where.parent}'"
    if not text.startswith(MAGIC):
        raise DataError(asked, f"its {NAME} is not that of a packed store", "Name a folder that atomloom has packed")
    version = int((re.match(rb"\d+", text[len(MAGIC) :]) or [b"0"])[0])
    if version > FORMAT:
        found = f"it is of format {version}, and this atomloom-memmap reads format {FORMAT}"
        raise DataError(asked, found, "Update atomloom-memmap")
    start = text.rfind(b',\n"checksum": ')
    seal = _SEAL.fullmatch(text, max(start, 0))
    if start < 0 or seal is None or digest(text[:start]).encode() != seal["digest"]:
        raise DataError(asked, f"its {NAME} is damaged: its checksum is wrong", "Copy it again, or convert again")
    try:
        return msgspec.json.decode(text[:start] + b"}", type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(asked, f"its {NAME} makes no sense ({error})", "Convert its sources again") from error


def load(folder: Path) -> Manifest:
    """The manifest of the store in `folder`."""
    path = folder / NAME
    try:
        return loads(path.read_bytes(), path)
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"open the store '{folder}'", *_why_none(folder)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"open the store '{folder}'", f"its {NAME} cannot be read ({reason})", "Check it") from error


def save(manifest: Manifest, folder: Path) -> None:
    """Write the manifest of the store in `folder`, in place of the one before."""
    with atomic_file(folder / NAME, "wb") as file:
        file.write(dumps(manifest))


def partial(target: Path) -> Path:
    """The folder in which a store is made."""
    return target.with_name(f"{target.name}{_PARTIAL}")


def aside(target: Path) -> Path:
    """Where a store is while another one takes its name."""
    return target.with_name(f".atomloom-replaced-{target.name}")


def _why_none(folder: Path) -> tuple[str, str]:
    goes_on = "Run the same conversion again: it goes on where it stopped"
    if folder.is_file():
        return "it is a file, and a store is a folder", "Pack it with `atomloom memmap convert -i FILE -o STORE`"
    if folder.exists():
        if folder.suffix == _PARTIAL:
            return "its conversion has not finished", goes_on
        return f"it holds no {NAME}", "Name a folder that atomloom has packed"
    if aside(folder).exists():
        return f"a process was killed while it replaced it; what was there is '{aside(folder)}'", goes_on
    if partial(folder).exists():
        return "its conversion has not finished", goes_on
    return "there is no such folder", "Check the path"
