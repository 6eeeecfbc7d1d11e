"""The layout of a Gaussian cube file: two lines of comment, atoms, a lattice, and values with the last axis fastest.

A negative number of atoms announces a line with the numbers of the data sets (orbitals) whose values are interleaved; a
fifth number in the third line announces as many values at each point. Lengths are in bohr, or in angstrom where the
numbers of voxels are negative. See https://h5cube-spec.readthedocs.io/en/latest/cubeformat.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from atomloom.errors import DataError

_SPACES = np.frombuffer(b" \t\n\r\f\v", dtype=np.uint8)
_MOST = 1 << 40


@dataclass(frozen=True)
class Head:
    """What stands before the values.

    Attributes:
        comments: the first two lines.
        numbers: atomic numbers.
        positions: of the atoms, [atoms, 3], in `unit`.
        origin: of the lattice, in `unit`.
        counts: points along each of its axes.
        steps: from point to point along each axis, as rows, in `unit`.
        unit: ``"bohr"`` or ``"angstrom"``.
        labels: numbers of the data sets, one for each value at a point.
        body: the byte at which the values begin.
    """

    comments: tuple[str, str]
    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    origin: NDArray[np.float64]
    counts: tuple[int, int, int]
    steps: NDArray[np.float64]
    unit: str
    labels: tuple[int, ...]
    body: int

    @property
    def points(self) -> int:
        """How many there are in the lattice."""
        return self.counts[0] * self.counts[1] * self.counts[2]

    def grid(self) -> NDArray[np.float64]:
        """All points, [points, 3], in the order of the values."""
        axes = [np.arange(count)[:, None] * step for count, step in zip(self.counts, self.steps, strict=True)]
        lattice = self.origin + axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :]
        return np.asarray(lattice.reshape(-1, 3))


def read_head(path: Path) -> Head:
    """The head of a cube file."""
    with open(path, "rb") as file:
        try:
            return _head(file)
        except (ValueError, IndexError) as error:
            todo = "Check that it is a Gaussian cube file, or choose another --reader"
            raise DataError(f"read '{path}' as a cube file", f"its head is not that of one ({error})", todo) from error


def _head(file: BinaryIO) -> Head:
    comments = (_line(file), _line(file))
    third = _line(file).split()
    atoms, origin = int(third[0]), _vector(third[1:4])
    values = int(third[4]) if len(third) > 4 else 1
    axes = [_line(file).split() for _ in range(3)]
    counts = [int(axis[0]) for axis in axes]
    if any(count == 0 for count in counts) or len({count > 0 for count in counts}) > 1:
        raise ValueError(f"the numbers of voxels are {counts}")
    if values < 1 or abs(counts[0] * counts[1] * counts[2]) > _MOST:
        raise ValueError(f"it announces {values} values at each of {counts} voxels")
    lines = [_line(file).split() for _ in range(abs(atoms))]
    numbers = np.array([int(line[0]) for line in lines], dtype=np.int64)
    positions = np.array([_vector(line[2:5]) for line in lines]).reshape(-1, 3)
    labels = _labels(file) if atoms < 0 else tuple(range(1, values + 1))
    size = (abs(counts[0]), abs(counts[1]), abs(counts[2]))
    unit = "bohr" if counts[0] > 0 else "angstrom"
    steps = np.array([_vector(axis[1:4]) for axis in axes])
    return Head(comments, numbers, positions, origin, size, steps, unit, labels, file.tell())


def _line(file: BinaryIO) -> str:
    line = file.readline(1 << 16)
    if not line:
        raise ValueError("it ends in its head")
    return line.decode("utf-8", "replace").strip()


def _vector(words: list[str]) -> NDArray[np.float64]:
    if len(words) != 3:
        raise ValueError(f"a vector has {len(words)} of 3 numbers")
    return np.array([float(word.replace("D", "E")) for word in words])


def _labels(file: BinaryIO) -> tuple[int, ...]:
    words = _line(file).split()
    count = int(words[0])
    if count < 1:
        raise ValueError(f"it announces {count} data sets")
    while len(words) < count + 1:
        words += _line(file).split()
    return tuple(int(word) for word in words[1 : count + 1])


def check_complete(path: Path, head: Head) -> None:
    """Stops at a file with fewer or more values than its head announces; counts words and parses none."""
    with open(path, "rb") as file:
        file.seek(head.body)
        text = np.frombuffer(file.read(), dtype=np.uint8)
    space = np.isin(text, _SPACES)
    there = int(np.count_nonzero(~space[1:] & space[:-1])) + (1 if len(text) and not space[0] else 0)
    expected = head.points * len(head.labels)
    if there == expected:
        return
    counted = " x ".join(map(str, head.counts))
    each = f", {len(head.labels)} at each" if len(head.labels) > 1 else ""
    found = f"its head announces {expected} values ({counted}{each}) and {there} follow"
    todo = "Check that its download or copy finished" if there < expected else "Check the numbers of voxels in its head"
    raise DataError(f"read '{path}' as a cube file", found, todo)


def read_values(path: Path, head: Head) -> NDArray[np.float64]:
    """All values, [points, data sets]."""
    with open(path, "rb") as file:
        file.seek(head.body)
        words: Any = file.read().split()
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise DataError(
            f"read '{path}' as a cube file", f"one of its values is no number ({error})", "Correct it"
        ) from error
    return values.reshape(head.points, len(head.labels))
