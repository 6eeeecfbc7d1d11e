"""Writes frames of several proteins as one padded NPZ, field by field and block by block."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from atomloom.errors import DataError
from atomloom.runs import atomic_file
from atomloom_residues.amino_ids import from_names, renumbered
from atomloom_residues.protein_source import PADDING, PER_FRAME, VECTORS, Indices, Source

_BLOCK_BYTES = 1 << 24
_LETTERS = "U"


@dataclass(frozen=True)
class Piece:
    """Some frames of a source."""

    source: Source
    frames: Indices


@dataclass(frozen=True)
class Padded:
    """What goes into one file.

    Args:
        pieces: the frames, in this order.
        width: beads that every frame is filled up to.
        numbers: of the amino acids.
    """

    pieces: tuple[Piece, ...]
    width: int
    numbers: Mapping[str, int]

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return sum(len(piece.frames) for piece in self.pieces)

    def fields(self) -> list[str]:
        """The fields that the sources have, species among them where residue names say them."""
        held = set(self.pieces[0].source.rows)
        for piece in self.pieces:
            if odd := held ^ set(piece.source.rows):
                one, other = self.pieces[0].source.path, piece.source.path
                found = f"{', '.join(sorted(odd))} is in one of '{one}' and '{other}' alone"
                raise DataError("combine the proteins", found, "Leave it out of both or bring it into both")
        names = [name for name in PADDING if name in held]
        return [*names, "species"] if "resname" in held and "species" not in held else names

    def blocks(self, name: str, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
        """A field over beads as ``[some frames, width, ...]``."""
        row = self.width * max(dtype.itemsize, 1) * (3 if name in VECTORS else 1)
        many = max(1, _BLOCK_BYTES // row)
        for piece in self.pieces:
            for start in range(0, len(piece.frames), many):
                yield self._block(piece.source, name, piece.frames[start : start + many]).astype(dtype, copy=False)

    def _block(self, source: Source, name: str, frames: Indices) -> NDArray[Any]:
        if name == "species" and "species" not in source.rows:
            return from_names(source.block("resname", frames, self.width), self.numbers)
        block = source.block(name, frames, self.width)
        return renumbered(source, block, self.numbers) if name == "species" else block

    def dtype(self, name: str) -> np.dtype[Any]:
        """In which a field is written; texts are as wide as the widest."""
        fill = np.asarray(PADDING[name]).dtype
        if fill.kind != _LETTERS:
            return fill
        return np.result_type(fill, *(piece.source.rows[name].dtype for piece in self.pieces))

    def per_frame(self, name: str) -> NDArray[Any] | None:
        """A field with one value a frame; the name of the file for a protein that has no name."""
        parts = []
        for piece in self.pieces:
            rows = piece.source.rows.get(name)
            if rows is None and name != "protein_id":
                return None
            given = np.asarray(piece.source.path.stem if rows is None else rows[...])
            whole = np.broadcast_to(given.reshape(-1), piece.source.frames)
            parts.append(whole[piece.frames])
        kinds = {part.dtype.kind for part in parts}
        return np.concatenate([part.astype(str) for part in parts] if len(kinds) > 1 else parts)


def write_padded(padded: Padded, target: Path) -> None:
    """Write ``R, F, Z, species, resid, resname`` as far as they are there, ``mask``, ``n_atoms``, ``protein_id``,
    ``N_max`` and, as JSON, ``aa_to_id``; the file appears once it is whole.
    """  # fmt: skip
    lengths = np.concatenate([piece.source.lengths[piece.frames] for piece in padded.pieces])
    with atomic_file(target, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in padded.fields():
            dtype = padded.dtype(name)
            shape = (padded.frames, padded.width, *((3,) if name in VECTORS else ()))
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                _stream(member, shape, dtype, padded.blocks(name, dtype))
        for name in PER_FRAME:
            if (values := padded.per_frame(name)) is not None:
                _member(archive, name, values)
        _member(archive, "mask", np.arange(padded.width) < lengths[:, None])
        _member(archive, "n_atoms", lengths.astype(np.int32))
        _member(archive, "N_max", np.array([padded.width], dtype=np.int32))
        if padded.numbers:
            _member(archive, "aa_to_id", np.array(json.dumps(dict(padded.numbers))))


def whole(sources: Sequence[Source]) -> tuple[Piece, ...]:
    """All frames of the sources."""
    return tuple(Piece(source, np.arange(source.frames)) for source in sources)


def _stream(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterator[NDArray[Any]]) -> None:
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(file, described)
    for block in blocks:
        file.write(np.ascontiguousarray(block).tobytes())


def _member(archive: zipfile.ZipFile, name: str, values: NDArray[Any]) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, values, allow_pickle=False)
