"""The names and subsets of frames in openQDC's ``props.pkl``, decoded when they are first asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from atomloom import inert
from atomloom.arrays.place import Place
from atomloom.data import Column
from atomloom.data.columns import Array, Indices

_WITHOUT = "Leave names out with the option names=False, or get the file again from where it came from"


class Props:
    """The content of such a file, for frames of these lengths; its pickle is read and never run."""

    def __init__(self, path: Path, lengths: Indices) -> None:
        self.path, self.lengths = path.absolute(), lengths

    def text(self, name: str) -> tuple[Array, Indices]:
        """The different texts of one entry, and which of them each frame has."""
        held = self._content.get(name)
        texts, codes = held if isinstance(held, tuple) and len(held) == 2 else (held, np.arange(len(self.lengths)))
        if not _is_text(texts) or not isinstance(codes, np.ndarray) or codes.dtype.kind not in "iu":
            raise Place(self.path).error(f"its {name!r} is no text of frames", _WITHOUT)
        values, codes = np.asarray(texts).astype(str), codes.reshape(-1).astype(np.int64)
        self._check(name, len(codes))
        if codes.min() < 0 or codes.max() >= len(values):
            raise Place(self.path).error(f"its {name!r} has {len(values)} texts and counts to others", _WITHOUT)
        return values, codes

    @cached_property
    def _content(self) -> dict[str, Any]:
        content = inert.load(self.path)
        if not isinstance(content, dict):
            raise Place(self.path).error(f"it holds a {type(content).__name__} where a dict is expected", _WITHOUT)
        lengths = content.get("n_atoms")
        if isinstance(lengths, np.ndarray | list):
            self._check("n_atoms", len(lengths))
            if isinstance(lengths, np.ndarray) and not np.array_equal(lengths, self.lengths):
                raise Place(self.path).error("the numbers of atoms in it are those of other frames", _WITHOUT)
        return content

    def _check(self, name: str, count: int) -> None:
        if count != len(self.lengths):
            found = f"its {name!r} is of {count} frames, and there are {len(self.lengths)}"
            raise Place(self.path).error(found, _WITHOUT)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "lengths": self.lengths}


@final
class Text(Column):
    """One entry of `Props` as a column."""

    def __init__(self, props: Props, name: str) -> None:
        self.props, self.name = props, name
        self.frames, self.item = len(props.lengths), ()

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]  # known when the file has been read
        """Of the texts, as wide as the longest of them."""
        return self._coded[0].dtype

    def take(self, frames: Indices) -> Array:
        """See `Column.take`."""
        values, codes = self._coded
        return values[codes[frames]]

    @cached_property
    def _coded(self) -> tuple[Array, Indices]:
        return self.props.text(self.name)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_coded"}


def _is_text(texts: object) -> bool:
    if isinstance(texts, np.ndarray):
        return texts.ndim == 1 and (texts.dtype.kind == "U" or all(isinstance(each, str) for each in texts.tolist()))
    return isinstance(texts, list) and all(isinstance(each, str) for each in texts)
