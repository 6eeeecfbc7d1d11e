"""One NPZ of a protein (or of several, padded), as frames of known lengths whose arrays are read on demand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from atomloom.arrays import Inert, open_arrays
from atomloom.errors import DataError
from atomloom.rows import Rows

Array = NDArray[Any]
Indices = NDArray[np.int64]

PADDING: Final[Mapping[str, Any]] = {
    "R": np.float32(0),
    "F": np.float32(0),
    "F_mean": np.float32(0),
    "Z": np.int32(0),
    "species": np.int32(-1),
    "resid": np.int32(-1),
    "resname": "PAD",
}
"""Fields over the beads of a frame, and what fills them up: a value of the dtype that they are written in."""

VECTORS: Final = ("R", "F", "F_mean")
"""Those with three components."""

PER_FRAME: Final = ("E", "protein_id")
"""Fields with one value a frame."""

_COUNTS = ("n_atoms", "N")


@dataclass(frozen=True)
class Source:
    """An NPZ with ``R [frames, beads, 3]`` and any of the other fields, over frames and beads or over beads alone.

    Args:
        path: of the file.
        rows: its arrays by name, of which the headers have been read.
        lengths: real beads of each frame.
        aa_to_id: the number of each amino acid in `species`; empty where the file does not say.
    """

    path: Path
    rows: Mapping[str, Rows]
    lengths: Indices
    aa_to_id: Mapping[str, int]

    @classmethod
    def open(cls, path: str | Path) -> Source:
        """The source in a file; nothing that it pickles is run."""
        file = Path(path)
        rows = open_arrays(file)
        shape = rows["R"].shape if "R" in rows else ()
        if len(shape) != 3 or shape[2] != 3:
            found = f"R is {list(shape)}" if shape else f"it has {', '.join(rows) or 'no arrays'} and no R"
            raise DataError(f"read the protein in '{path}'", found, "Give R as [frames, beads, 3]")
        kept = {name: each for name, each in rows.items() if name in PADDING or name in PER_FRAME}
        for name in kept:
            _check_shape(file, name, kept[name].shape, shape)
        return cls(file, kept, _lengths(file, rows), _numbers_of(rows.get("aa_to_id"), file))

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.lengths)

    @cached_property
    def longest(self) -> int:
        """Beads of the longest frame."""
        return int(self.lengths.max(initial=0))

    def block(self, name: str, frames: Indices, width: int) -> Array:
        """A field of some frames as ``[frames, width, ...]``, filled up behind the real beads of each."""
        whole = self._once[name] if name in self._once else np.asarray(self.rows[name][frames])
        values = np.broadcast_to(whole, (len(frames), *whole.shape)) if name in self._once else whole
        kept = min(width, values.shape[1])
        fill = np.asarray(PADDING[name])
        dtype = np.promote_types(values.dtype, fill.dtype) if fill.dtype.kind == "U" else fill.dtype
        block = np.full((len(frames), width, *values.shape[2:]), fill, dtype=dtype)
        real = np.arange(kept) < self.lengths[frames][:, None]
        block[:, :kept][real] = values[:, :kept][real]
        return block

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the amino acids in it, as far as the file says them."""
        if "resname" not in self.rows:
            return frozenset(self.aa_to_id)
        seen = np.unique(np.asarray(self.rows["resname"][...])).tolist()
        return frozenset(str(name) for name in seen if name != PADDING["resname"]) | frozenset(self.aa_to_id)

    @cached_property
    def _once(self) -> dict[str, Array]:
        """The fields that are given for all frames at once."""
        given = [name for name in self.rows if name not in PER_FRAME and self.is_once(name)]
        return {name: np.asarray(self.rows[name][...]) for name in given}

    def is_once(self, name: str) -> bool:
        """Whether a field over beads is given for all frames at once."""
        return len(self.rows[name].shape) == 1


def _check_shape(path: Path, name: str, shape: tuple[int, ...], of_r: tuple[int, ...]) -> None:
    frames, beads = of_r[:2]
    if name in PER_FRAME:
        fits = shape in ((), (1,), (frames,))
    else:
        fits = shape == of_r if name in VECTORS else shape in ((beads,), (frames, beads))
    if not fits:
        found = f"{name} has the shape {list(shape)} and R {list(of_r)}"
        raise DataError(f"read the protein in '{path}'", found, "Give it over the same frames and beads")


def _lengths(path: Path, rows: Mapping[str, Rows]) -> Indices:
    frames, beads = rows["R"].shape[:2]
    if "mask" in rows:
        mask = np.broadcast_to(np.asarray(rows["mask"][...]).astype(bool), (frames, beads))
        lengths: Indices = mask.sum(axis=1).astype(np.int64)
        if not np.array_equal(mask, np.arange(beads) < lengths[:, None]):
            found = "its mask has gaps: real beads come behind padding"
            raise DataError(f"read the protein in '{path}'", found, "Put the real beads of each frame first")
        return lengths
    for name in _COUNTS:
        if name in rows:
            counts = np.asarray(rows[name][...]).astype(np.int64).reshape(-1)
            if counts.size in (1, frames) and counts.min() >= 0 and counts.max() <= beads:
                return np.broadcast_to(counts, frames).copy()
            found = f"{name} does not say how many of {beads} beads each of {frames} frames has"
            raise DataError(f"read the protein in '{path}'", found, f"Leave {name} out, or give one number a frame")
    return np.full(frames, beads, dtype=np.int64)


def _numbers_of(rows: Rows | None, path: Path) -> dict[str, int]:
    """``aa_to_id`` as a file keeps it: JSON, or a pickled dict in an array of no or one dimension, read inertly."""
    if rows is None:
        return {}
    value = rows.value if isinstance(rows, Inert) else np.asarray(rows[...]).tolist()
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, dict) or not all(isinstance(number, int | np.integer) for number in value.values()):
        found = f"aa_to_id is {value!r}"[:100]
        raise DataError(f"read the protein in '{path}'", found, "Give a dict of names and whole numbers")
    return {str(name): int(number) for name, number in value.items()}


def _parsed(text: str) -> Any:
    """What a JSON text says; the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
