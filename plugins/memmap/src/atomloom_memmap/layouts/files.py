"""Files of one array each, whose sizes have to fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from atomloom.arrays import open_arrays, open_raw
from atomloom.arrays.place import Place
from atomloom.data import Packed
from atomloom.data.columns import Indices, offsets
from atomloom.errors import DataError
from atomloom.rows import Rows


class Count(NamedTuple):
    """How many rows a file should have, and which file says so.

    Args:
        rows: their number.
        of: what a row is, in the plural.
        said_by: name of the file.
    """

    rows: int
    of: str
    said_by: str


class Frames(NamedTuple):
    """How many atoms each frame has.

    Args:
        lengths: the number of each.
        starts: the first atom of each, and the number of all.
    """

    lengths: Indices
    starts: Indices

    @classmethod
    def of(cls, lengths: Indices, path: Path) -> Frames:
        """Those of these lengths, which the file at `path` says; an error where they cannot be."""
        if not len(lengths):
            raise Place(path).error("it says that there are no frames")
        if int(lengths.min()) < 0:
            frame = int(np.argmin(lengths))
            raise Place(path).error(f"by it frame {frame} has {int(lengths[frame])} atoms")
        return cls(lengths, offsets(lengths))

    @property
    def atoms(self) -> int:
        """The number of all atoms."""
        return int(self.starts[-1])

    def packed(self, rows: Rows) -> Packed:
        """A row for each atom as a column."""
        return Packed(rows, self.lengths, self.starts)


def raw(path: Path, dtype: str, item: tuple[int, ...], count: Count) -> Rows:
    """The rows of a file without a header, which must be as many as another file says."""
    check_finished(path)
    rows = open_raw(path, dtype, item)
    if len(rows) != count.rows:
        found = f"it holds {len(rows)} {count.of}, and {count.said_by} says {count.rows}"
        raise Place(path).error(found)
    return rows


def whole_numbers(path: Path) -> Indices:
    """The values of an ``.npy`` file of one axis."""
    (rows,) = open_arrays(path).values()
    if len(rows.shape) != 1 or rows.dtype.kind not in "iu":
        found = f"it holds {rows.dtype} of shape {list(rows.shape)}, and whole numbers for each frame are expected"
        raise Place(path).error(found)
    return np.asarray(rows[...]).astype(np.int64, copy=False)


def check_starts(starts: Indices, frames: Frames, path: Path) -> None:
    """Stops where frames do not begin where those before them end."""
    expected = frames.starts[: len(starts)]
    wrong = np.flatnonzero(starts != expected)
    if wrong.size:
        frame = int(wrong[0])
        found = f"frame {frame} begins at atom {int(starts[frame])}, and those before it have {int(expected[frame])}"
        raise Place(path).error(found)


def check_finished(path: Path) -> None:
    """Stops at a file that is not there, and says so if a program left it half written."""
    if not path.exists():
        left = path.with_name(f"{path.name}.tmp").exists()
        found = f"there is only '{path.name}.tmp', which was not finished" if left else "there is no such file"
        raise Place(path).error(found, "Let the program that writes it run to its end" if left else "Check the path")


def no_folder(path: Path, layout: str, lacking: str) -> DataError:
    """The error of a folder without the file that makes it one of a layout."""
    found = f"there is no {lacking} in it"
    return DataError(f"read '{path}' as {layout}", found, "Check the path, or name another reader with --reader")


def described(names: dict[str, str], words: str) -> dict[str, Any]:
    """What `meta` says of units that are known from a documentation."""
    return {"unit_rules": {name: words for name, unit in names.items() if unit}}
