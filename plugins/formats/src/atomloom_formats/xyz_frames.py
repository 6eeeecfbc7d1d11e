"""Parses frames of an XYZ file: their comment lines, or the lines of their atoms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError
from atomloom_formats.elements import atomic_numbers
from atomloom_formats.lazy import Frames
from atomloom_formats.xyz_comment import Place, keys_of, number
from atomloom_formats.xyz_index import Index
from atomloom_formats.xyz_schema import Layout, Schema

_TRUTH = {b"T": True, b"F": False, b"True": True, b"False": False, b"1": True, b"0": False}


class Comments(Frames):
    """The numbers in the comment lines."""

    def __init__(self, index: Index, schema: Schema) -> None:
        super().__init__()
        self.index, self.schema = index, schema

    def parse(self, frames: Indices) -> Mapping[str, Array]:
        """See `Frames.parse`."""
        with self.index.open() as file:
            found = [keys_of(self.index.comment(file, int(frame))) for frame in frames]
        out = {name: self._stacked(name, frames, found) for name in self.schema.keys}
        if self.schema.periodic:
            lattices = [self._lattice(frame, keys) for frame, keys in zip(frames, found, strict=True)]
            out["cell"] = np.stack([cell for cell, _ in lattices])
            out["pbc"] = np.stack([periodic for _, periodic in lattices])
        return out

    def _stacked(self, name: str, frames: Indices, found: list[dict[str, str]]) -> Array:
        shape, dtype = self.schema.keys[name]
        out = np.empty((len(frames), *shape), dtype=dtype)
        for row, (frame, keys) in enumerate(zip(frames, found, strict=True)):
            value = number(name, keys.get(name, ""))
            if value is None or value.shape != shape or (dtype.kind == "b") != (value.dtype.kind == "b"):
                wanted = "one value" if not shape else f"{' x '.join(map(str, shape))} values"
                problem = f"{name}={keys.get(name, '')!r} in its comment line, where other frames have {wanted}"
                raise _unreadable(self.index, int(frame), problem, "Correct that line")
            out[row] = value
        return out

    def _lattice(self, frame: int, keys: Mapping[str, str]) -> tuple[Array, Array]:
        """Cell vectors as rows and whether each is periodic; without a lattice zeros and no, as in ASE."""
        lattice = number("Lattice", keys["Lattice"]) if "Lattice" in keys else np.zeros((3, 3))
        whether = number("pbc", keys["pbc"]) if "pbc" in keys else np.full(3, "Lattice" in keys)
        if lattice is None or lattice.shape != (3, 3) or whether is None or whether.shape not in {(), (3,)}:
            problem = f"Lattice={keys.get('Lattice', '')!r} and pbc={keys.get('pbc', '')!r} in its comment line"
            raise _unreadable(self.index, int(frame), problem, 'Write Lattice="9 numbers" and pbc="T T T"')
        return lattice.T, np.broadcast_to(whether, 3).astype(bool)


class Atoms(Frames):
    """The columns of the atoms."""

    def __init__(self, index: Index, schema: Schema) -> None:
        super().__init__()
        self.index, self.schema = index, schema

    def parse(self, frames: Indices) -> Mapping[str, Array]:
        """See `Frames.parse`."""
        words = []
        with self.index.open() as file:
            for frame in frames.tolist():
                layout = self.schema.layouts[self.index.kinds[frame]]
                words.append(self._words(frame, self.index.lines(file, frame), layout))
        names = (*(["numbers"] if self.schema.elements else []), *self._plain())
        return {name: self._column(name, frames, words) for name in names}

    def _plain(self) -> list[str]:
        return [name for name, place in self.schema.columns.items() if place.dtype.kind != "U"]

    def _words(self, frame: int, lines: list[bytes], layout: Layout) -> list[bytes]:
        """All words of a frame, as many in each line as the layout has."""
        out: list[bytes] = []
        for atom, line in enumerate(lines):
            words = line.split()
            if len(words) != layout.words:
                if len(words) < layout.words or layout.extended:
                    problem = f"the line of atom {atom} has {len(words)} columns and {layout.words} are announced"
                    raise _unreadable(self.index, frame, problem, "Correct that line, or Properties")
                words = words[: layout.words]
            out += words
        return out

    def _column(self, name: str, frames: Indices, words: list[list[bytes]]) -> Array:
        parts = []
        for row, frame in enumerate(frames):
            layout = self.schema.layouts[self.index.kinds[frame]]
            place = layout.columns["species" if name == "numbers" and layout.symbols else name]
            picked = _picked(words[row], place, layout.words)
            try:
                parts.append(_read(picked, place))
            except (ValueError, KeyError) as error:
                problem = f"{name} of some atom is no {_KINDS[place.dtype.kind]} ({error})"
                raise _unreadable(self.index, int(frame), problem, "Correct that line") from error
        return np.concatenate(parts)


_KINDS = {"f": "number", "i": "whole number", "b": "truth value", "U": "element"}


def _picked(words: list[bytes], place: Place, width: int) -> list[list[bytes]]:
    return [words[place.first + offset :: width] for offset in range(place.width)]


def _read(columns: list[list[bytes]], place: Place) -> Array:
    if place.dtype.kind == "U":
        return atomic_numbers(word.decode("utf-8", "replace") for word in columns[0])
    if place.dtype.kind == "b":
        read: Any = [[_TRUTH[word] for word in column] for column in columns]
    else:
        convert = float if place.dtype.kind == "f" else int
        read = [[convert(word) for word in column] for column in columns]
    values: Array = np.array(read, dtype=place.dtype)
    return values[0] if place.width == 1 else np.ascontiguousarray(values.T)


def _unreadable(index: Index, frame: int, problem: str, todo: str) -> DataError:
    return DataError(f"read frame {frame} of '{index.path}'", problem, todo)
