"""Gathering by windows gives what a loop over frames gives, for every kind of row and every place in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomloom.data.columns import offsets
from atomloom_memmap import gather

DTYPES = ("u1", "?", "<i2", "<f4", "<f8", "<i8", "<c16", "S5", "<U3", "<M8[s]")
ITEMS = ((), (3,), (3, 3))


class Case(NamedTuple):
    """Rows in a file, and the frames that are asked for, some more than once."""

    rows: np.ndarray[Any, Any]
    starts: np.ndarray[Any, Any]
    lengths: np.ndarray[Any, Any]
    gaps: np.ndarray[Any, Any]

    @property
    def places(self) -> np.ndarray[Any, Any]:
        """Where the frames go: one behind the other, with gaps between."""
        return offsets(self.lengths)[:-1] + np.cumsum(self.gaps)

    @property
    def size(self) -> int:
        """Slots for them and three more."""
        return int(self.lengths.sum() + self.gaps.sum()) + 3

    def one_by_one(self, places: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
        """What is to come out, by the plainest loop."""
        out = np.zeros((size, *self.rows.shape[1:]), self.rows.dtype)
        for place, start, length in zip(places.tolist(), self.starts.tolist(), self.lengths.tolist(), strict=True):
            for row in range(length):
                out[place + row] = self.rows[start + row]
        return out


class Part(NamedTuple):
    chosen: np.ndarray[Any, Any] | slice
    starts: np.ndarray[Any, Any]

    @property
    def latest(self) -> int:
        """Where the last rows begin."""
        return int(self.starts.max(initial=0))


def random_rows(rng: np.random.Generator, count: int, dtype: str, item: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Rows of random bytes, or of random letters, or of truth values."""
    shape, kind = (count, *item), np.dtype(dtype)
    if kind.kind in "US":
        letters = rng.choice(np.array(list("HCNOα") if kind.kind == "U" else list("HCNO")), (*shape, 3))
        return np.array(["".join(word) for word in letters.reshape(-1, 3)], dtype).reshape(shape)
    if kind.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    return rng.integers(0, 100, (*shape, kind.itemsize), dtype=np.uint8).view(kind).reshape(shape)


@st.composite
def cases(draw: st.DrawFn, longest: int = 9, shortest: int = 0) -> Case:
    """Frames of up to `longest` rows, taken in any order from files of any length that hold them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    stored = np.array(draw(st.lists(st.integers(shortest, longest), min_size=1, max_size=12)))
    rows = random_rows(rng, int(stored.sum()), draw(st.sampled_from(DTYPES)), draw(st.sampled_from(ITEMS)))
    asked = np.array(draw(st.lists(st.integers(0, len(stored) - 1), min_size=1, max_size=12)))
    gaps = np.array(draw(st.lists(st.integers(0, 2), min_size=len(asked), max_size=len(asked))))
    return Case(rows, offsets(stored)[asked], stored[asked], gaps)


def windows(case: Case, width: int) -> gather.Windows:
    """Windows into the file of a case."""
    return gather.windows([case.rows], [Part(slice(None), case.starts)], width)


def alike(found: np.ndarray[Any, Any], case: Case, wanted: np.ndarray[Any, Any]) -> bool:
    """Whether flat bytes or words are these rows."""
    return found.reshape(-1).view(np.uint8).tobytes() == wanted.tobytes()


@given(cases(), st.integers(0, 20))
def test_masked_windows_are_frames_filled_up_with_zeros(case: Case, beyond: int) -> None:
    """Whatever follows a frame in the file, also nothing; windows may be wider than the file is long."""
    width = max(int(case.lengths.max()), 1) + beyond
    found = windows(case, width).of(0, len(case.starts))
    masks = gather.masks_of(case.lengths, width, found.dtype.itemsize // width)
    wanted = case.one_by_one(np.arange(len(case.starts)) * width, len(case.starts) * width)
    assert alike(gather.masked(found, masks), case, wanted)


@given(cases(), st.integers(0, 20))
def test_packed_windows_are_frames_with_zeros_between(case: Case, beyond: int) -> None:
    """What a window holds too much is gone, at gaps of any size and behind the last frame."""
    width = max(int(case.lengths.max()), 1) + beyond
    found = windows(case, width).of(0, len(case.starts))
    packed = gather.packed(found, case.lengths, case.places, case.size, width)
    assert alike(packed, case, case.one_by_one(case.places, case.size))


@given(st.one_of(cases(), cases(longest=80, shortest=40)))
def test_copies_are_what_a_loop_gives(case: Case) -> None:
    """By an index for each row where frames are short, frame by frame where they are long."""
    out = np.zeros((case.size, *case.rows.shape[1:]), case.rows.dtype)
    gather.copied(out, case.places, case.rows, case.starts, case.lengths)
    assert out.tobytes() == case.one_by_one(case.places, case.size).tobytes()


@given(cases(), st.integers(1, 3), st.data())
def test_windows_of_several_files_are_those_of_one(case: Case, files: int, data: st.DataObject) -> None:
    """Frames that lie in several files come in the order in which they were asked for."""
    width, count = max(int(case.lengths.max()), 1), len(case.starts)
    owner = np.array(data.draw(st.lists(st.integers(0, files - 1), min_size=count, max_size=count)))
    parts = [Part(np.flatnonzero(owner == each), case.starts[owner == each]) for each in range(files)]
    merged = gather.windows([case.rows] * files, parts, width)
    first, last = sorted(data.draw(st.tuples(st.integers(0, count), st.integers(0, count))))
    assert merged.of(first, last).tobytes() == windows(case, width).of(first, last).tobytes()


def test_windows_are_not_used_where_they_would_cost_more() -> None:
    """Beyond a width, a table of masks, or a share of rows that nobody wants, frames are copied one by one."""
    alike_long = np.full(10, gather.WIDEST)
    assert gather.worthwhile(alike_long, gather.WIDEST, 24)
    assert not gather.worthwhile(alike_long + 1, gather.WIDEST + 1, 24)
    assert not gather.worthwhile(alike_long, gather.WIDEST, gather.TABLE // gather.WIDEST**2)
    assert not gather.worthwhile(np.array([1] * 9 + [100]), 100, 24)
    assert not gather.worthwhile(np.zeros(3, dtype=np.int64), 0, 24)
    assert not gather.worthwhile(alike_long, gather.WIDEST, 0)
    assert gather.worthwhile(alike_long * 4, gather.WIDEST * 4, 1, flat=True)
    assert not gather.worthwhile(alike_long * 4, gather.WIDEST * 4, gather.LARGEST, flat=True)
    assert not gather.worthwhile(np.array([1] * 9 + [100]), 100, 1, flat=True)


@pytest.mark.parametrize("way", ["windows", "copies"])
def test_rows_beyond_two_thousand_million_are_found(tmp_path: Path, way: str) -> None:
    """Row numbers and byte positions are of 64 bits, in a sparse file of 24 GB."""
    first = 2**31 + 7
    rows = np.memmap(tmp_path / "sparse", dtype="<f4", mode="w+", shape=(first + 4, 3))
    rows[first:] = np.arange(12).reshape(4, 3)
    starts, lengths = np.array([first + 1, first - 2]), np.array([3, 3])
    if way == "windows":
        found = gather.windows([rows], [Part(slice(None), starts)], 3).of(0, 2)
        out = gather.packed(found, lengths, np.array([0, 3]), 6, 3).view("<f4").reshape(-1, 3)
    else:
        out = np.zeros((6, 3), "<f4")
        gather.copied(out, np.array([0, 3]), rows, starts, lengths)
    assert out.tolist() == [[3, 4, 5], [6, 7, 8], [9, 10, 11], [0, 0, 0], [0, 0, 0], [0, 1, 2]]


def test_windows_are_new_memory() -> None:
    """What is made of them can be changed without changing the file."""
    rows = np.arange(6.0)
    case = Case(rows, np.array([0, 3]), np.array([3, 3]), np.zeros(2, dtype=int))
    windows(case, 3).of(0, 2).view(np.float64)[:] = -1
    assert rows.tolist() == [0, 1, 2, 3, 4, 5]
