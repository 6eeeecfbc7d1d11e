"""The data contract: columns, data sets and batches agree with plain lists, and read only what is asked for."""

from __future__ import annotations

import io
import os
import re
import struct
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomloom import read
from atomloom.data import (
    Batch,
    Column,
    Constant,
    Dataset,
    Joined,
    Mapped,
    Packed,
    Padded,
    PerFrame,
    Picked,
    bounded,
    concatenate,
)
from atomloom.data.selecting import Selection
from atomloom.errors import ConfigError, DataError, UnknownName
from atomloom.rows import Rows
from atomloom.specs import Field

Frames = list[np.ndarray]
"""The model that columns are held against: the rows of each frame, one list entry a frame."""


class Case:
    """A column, and what each of its frames is."""

    def __init__(self, column: Column, frames: Frames) -> None:
        self.column, self.frames = column, frames


def ragged_frames(lengths: Sequence[int], item: tuple[int, ...], seed: int) -> Frames:
    """Random rows for frames of these lengths."""
    random = np.random.default_rng(seed)
    return [random.normal(size=(length, *item)) for length in lengths]


@st.composite
def cases(draw: st.DrawFn, depth: int = 2) -> Case:
    """Any column, the compositions of columns among them."""
    kinds = ["per frame", "packed", "padded", "constant", "shared"]
    kind = draw(st.sampled_from(kinds + ["picked", "joined", "mapped"] * (depth > 0)))
    if kind in {"picked", "joined", "mapped"}:
        inner = draw(cases(depth - 1))
        return composed(kind, inner, draw)
    item = tuple(draw(st.lists(st.integers(0, 3), max_size=2)))
    lengths = draw(st.lists(st.integers(0, 4), max_size=6))
    return simple(kind, lengths, item, draw(st.integers(0, 99)))


def simple(kind: str, lengths: Sequence[int], item: tuple[int, ...], seed: int) -> Case:
    """A column that stands on arrays."""
    frames = ragged_frames(lengths, item, seed)
    counted = np.array(lengths, dtype=np.int64)
    if kind == "packed":
        return Case(Packed(np.concatenate([*frames, np.zeros((0, *item))]), counted), frames)
    if kind == "padded":
        filled = np.full((len(frames), max(lengths, default=0) + 1, *item), np.nan)
        for number, frame in enumerate(frames):
            filled[number, : len(frame)] = frame
        return Case(Padded(PerFrame(filled), counted), frames)
    value = np.random.default_rng(seed).normal(size=(3, *item))
    if kind == "shared":
        return Case(Constant(value, len(lengths), ragged=True), [value] * len(lengths))
    if kind == "constant":
        return Case(Constant(value, len(lengths)), [value[None]] * len(lengths))
    rows = np.random.default_rng(seed).normal(size=(len(lengths), *item))
    return Case(PerFrame(rows), [row[None] for row in rows])


def composed(kind: str, inner: Case, draw: st.DrawFn) -> Case:
    """A column that stands on another one."""
    if kind == "mapped":
        return Case(Mapped(inner.column, np.negative), [-frame for frame in inner.frames])
    if kind == "joined":
        return Case(Joined([inner.column, inner.column]), inner.frames * 2)
    picked = draw(indices(len(inner.frames)))
    return Case(Picked(inner.column, picked), [inner.frames[number] for number in picked])


def indices(frames: int) -> st.SearchStrategy[np.ndarray]:
    """Frame numbers in any order, some of them twice, or none."""
    numbers = st.lists(st.integers(0, frames - 1), max_size=8) if frames else st.just([])
    return numbers.map(lambda found: np.array(found, dtype=np.int64))


@given(cases(), st.data())
def test_a_column_hands_out_the_rows_of_its_frames(case: Case, data: st.DataObject) -> None:
    """Whatever kind of column: `take` gives the rows of these frames in this order, one behind the other."""
    picked = data.draw(indices(len(case.frames)))
    taken = case.column.take(picked)
    item = case.column.item
    expected = np.concatenate([np.zeros((0, *item)), *(case.frames[number] for number in picked)])
    np.testing.assert_array_equal(taken, expected)
    assert taken.dtype == case.column.dtype


@given(cases())
def test_a_column_knows_its_shape(case: Case) -> None:
    """Frames, item shape, type and lengths are those of what it hands out."""
    column = case.column
    assert column.frames == len(case.frames)
    assert all(frame.shape[1:] == column.item for frame in case.frames)
    if column.lengths is None:
        assert all(len(frame) == 1 for frame in case.frames)
    else:
        assert column.lengths.tolist() == [len(frame) for frame in case.frames]
    assert type(column).__name__ in repr(column)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Packed(np.zeros((5, 3)), np.array([2, 2])), "add up to 4 rows and there are 5"),
        (lambda: Packed(np.zeros((1, 3)), np.array([2, -1])), "the length of frame 1 is -1"),
        (lambda: Padded(PerFrame(np.zeros((2, 3))), np.array([4, 1])), "2 lengths of up to 4 for 2 rows of 3 entries"),
        (lambda: Padded(PerFrame(np.zeros((2, 3))), np.array([1])), "1 lengths of up to 1 for 2 rows"),
        (lambda: Joined([PerFrame(np.zeros(2)), PerFrame(np.zeros((2, 3)))]), "shapes [(), (3,)]"),
        (lambda: Joined([PerFrame(np.zeros(2)), Packed(np.zeros(2), np.array([2]))]), "shapes [()]"),
        (lambda: Joined([PerFrame(np.zeros(2)), PerFrame(np.array(["a"]))]), "one holds text and another numbers"),
    ],
)
def test_columns_that_cannot_be_are_refused(make: Callable[[], Column], found: str) -> None:
    """Lengths and values that do not belong together are told apart when the column is made."""
    with pytest.raises(DataError) as error:
        make()
    assert found in str(error.value)


FRAMES = [
    {"Z": [8, 1, 1], "R": np.arange(9.0).reshape(3, 3), "E": -76.0, "D": [0.0, 0.0, 1.0]},
    {"Z": [1, 1], "R": np.arange(6.0).reshape(2, 3), "E": -1.0, "D": [1.0, 0.0, 0.0]},
    {"Z": [6], "R": np.ones((1, 3)), "E": -38.0, "D": [0.0, 2.0, 0.0]},
]


@pytest.fixture
def molecules() -> Dataset:
    """Three molecules of different sizes."""
    return Dataset.from_frames(FRAMES, {"source": "here"})


def same(batch: Batch, frames: Sequence[dict[str, Any]]) -> None:
    """Asserts that a batch holds these frames."""
    assert batch.frames == len(frames)
    for number, frame in enumerate(frames):
        for name, values in batch.frame(number).items():
            np.testing.assert_array_equal(values, frame[name])


@given(st.lists(st.integers(-3, 2), max_size=6))
def test_taking_frames_gives_these_frames(picked: list[int]) -> None:
    """`take` gives frames in the order asked for; negative numbers count from the end."""
    same(Dataset.from_frames(FRAMES).take(picked), [FRAMES[number] for number in picked])


@given(st.slices(3), st.lists(st.integers(0, 2), max_size=4))
def test_a_slice_is_the_same_as_its_frames(part: slice, picked: list[int]) -> None:
    """A view of a view holds what the list's slice holds."""
    view = Dataset.from_frames(FRAMES)[part]
    frames = FRAMES[part]
    same(view.take(range(len(view))), frames)
    inside = [number for number in picked if number < len(frames)]
    same(view[inside].take(range(len(inside))), [frames[number] for number in inside])


def test_a_mask_picks_frames(molecules: Dataset) -> None:
    """A truth value for each frame keeps those that are true, and is never taken for the numbers 0 and 1."""
    mask = np.array([True, False, True])
    same(molecules[mask].take([0, 1]), [FRAMES[0], FRAMES[2]])
    same(molecules.take(mask), [FRAMES[0], FRAMES[2]])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([3], "frame 3 was asked for, and there are 3"),
        ([-4], "frame -4 was asked for, and there are 3"),
        ([0, 10**12], "frame 1000000000000 was asked for"),
        ([0.5], "float64 values of shape (1,) do not number its 3 frames"),
        ([True, False], "bool values of shape (2,) do not number"),
        ([[0, 1]], "int64 values of shape (1, 2) do not number"),
        (["0"], "values of shape (1,) do not number"),
    ],
)
@pytest.mark.parametrize("how", [Dataset.take, Dataset.__getitem__])
def test_frames_that_are_not_there_are_refused(
    molecules: Dataset, asked: Any, found: str, how: Callable[[Dataset, Any], Any]
) -> None:
    """Numbers beyond the end, fractions and masks of another length are errors, by both ways to ask."""
    with pytest.raises(DataError) as error:
        how(molecules, asked)
    assert found in str(error.value)


def test_segments_and_offsets_say_whose_row_is_whose(molecules: Dataset) -> None:
    """`segments` numbers the frame of every atom, `offsets` says where each frame begins."""
    batch = molecules.take([1, 0])
    assert batch.segments().tolist() == [0, 0, 1, 1, 1]
    assert batch.offsets["atom"].tolist() == [0, 2, 5]
    assert batch.sizes["atom"].tolist() == [2, 3]


def test_a_batch_cannot_be_changed(molecules: Dataset) -> None:
    """Values in a batch are read-only, and the data set behind it stays as it is."""
    batch = molecules.take([0])
    with pytest.raises(ValueError, match="read-only"):
        batch["R"][0] = 1.0


def test_a_batch_holds_only_the_fields_that_were_asked_for(molecules: Dataset) -> None:
    """Naming fields leaves the others unread."""
    batch = molecules.take([0], ["E"])
    assert list(batch) == ["E"]
    with pytest.raises(DataError, match="the data set holds Z, R, E, D"):
        molecules.take([0], ["F"])


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_blocks_are_all_frames_in_order(molecules: Dataset, size: int) -> None:
    """Blocks of any size follow each other without gap or overlap."""
    blocks = list(molecules.blocks(size, ["Z"]))
    assert [block.frames for block in blocks[:-1]] == [size] * (len(blocks) - 1)
    assert np.concatenate([block["Z"] for block in blocks]).tolist() == [8, 1, 1, 1, 1, 6]


def test_padded_and_packed_arrays_make_the_same_data_set() -> None:
    """A ragged field may be given filled up or packed, with the lengths of its axis."""
    filled = np.array([[8, 1, 1], [1, 1, 0]])
    one = Dataset.from_arrays({"Z": filled}, lengths={"atom": [3, 2]})
    two = Dataset.from_arrays({"Z": [8, 1, 1, 1, 1]}, lengths={"atom": [3, 2]})
    assert one["Z"].tolist() == two["Z"].tolist() == [8, 1, 1, 1, 1]
    assert Dataset.from_arrays({"Z": filled})["Z"].tolist() == [8, 1, 1, 1, 1, 0]


def test_rows_of_a_field_that_is_not_harmonised_stay_with_their_frame() -> None:
    """A ragged column of unknown meaning is handed out frame by frame like any other."""
    column = Packed(np.arange(5), np.array([2, 3]))
    dataset = Dataset({"foo": column, "bar": PerFrame(np.arange(2))}, {n: Field(name=n) for n in ("foo", "bar")})
    batch = dataset.take([1, 0])
    assert batch.frame(0)["foo"].tolist() == [2, 3, 4]
    assert batch.frame(1)["foo"].tolist() == [0, 1]
    assert batch.frame(0)["bar"].tolist() == 1


@pytest.mark.parametrize(
    ("make", "error", "found"),
    [
        (lambda: Dataset.from_frames([]), DataError, "there are no frames"),
        (lambda: Dataset.from_frames([{"E": 1.0}, {"E": 1.0, "N": 1}]), DataError, "frame 1 has ['E', 'N']"),
        (lambda: Dataset.from_frames([{"E": [1.0]}]), DataError, "its shape is [1]. Give it as []"),
        (lambda: Dataset.from_frames([{"R": [1.0, 2.0, 3.0]}]), DataError, "Give it as [atom x xyz]"),
        (lambda: Dataset.from_frames([{"R": [[1.0, 2.0]]}]), DataError, "its shape is [1, 2]. Give it as [atom x xyz]"),
        (lambda: Dataset.from_frames([{"foo": 1.0}]), UnknownName, "foo"),
        (lambda: Dataset.from_arrays({"E": 1.0}), DataError, "its shape is []. Give it as [frame]"),
        (lambda: Dataset.from_arrays({"Z": [1, 2]}), DataError, "its shape is [2]. Give it as [frame x atom]"),
        (lambda: Dataset.from_arrays({"R": np.zeros((2, 3))}), DataError, "Give it as [frame x atom x xyz]"),
        (lambda: Dataset.from_arrays({"E": [1.0], "N": [1, 2]}), DataError, "number of frames: E 1, N 2"),
        (
            lambda: Dataset.from_arrays({"Z": np.zeros((1, 2)), "R": np.zeros((1, 3, 3))}),
            DataError,
            "in frame 0 'Z' has 2 rows and 'R' has 3. Make their lengths agree",
        ),
        (lambda: concatenate([]), DataError, "there are none"),
    ],
)
def test_data_that_contradicts_itself_is_refused(
    make: Callable[[], Dataset], error: type[Exception], found: str
) -> None:
    """Shapes, lengths and frames that do not go together are told apart when the data set is made."""
    with pytest.raises(error) as raised:
        make()
    assert found in str(raised.value)


def test_concatenated_data_sets_are_one_behind_the_other(molecules: Dataset) -> None:
    """Frames keep their order and values; `meta` keeps what all agree in."""
    other = Dataset.from_frames(FRAMES[:1], {"source": "here", "theory": "HF"})
    joined = concatenate([molecules, other, molecules[0:0]])
    same(joined.take(range(4)), [*FRAMES, FRAMES[0]])
    assert joined.meta == {"source": "here"}


def test_arrays_in_meta_can_be_joined() -> None:
    """Entries of `meta` that are arrays are kept if they are the same everywhere."""
    table = {"names": np.array(["a", "b"]), "odd": np.array([1, 2])}
    one, two = (Dataset.from_frames(FRAMES, {**table, "odd": odd}) for odd in (np.array([1, 2]), 5))
    assert list(concatenate([one, two]).meta) == ["names"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda data: data.without("E"), "'E' is in 'here' and not in source 1"),
        (
            lambda data: data.with_columns({}, {"E": data.fields["E"].replace(unit="hartree")}),
            "'E' is [frame] in eV in 'here' and [frame] in hartree in source 1",
        ),
    ],
)
def test_data_sets_of_different_fields_are_not_joined(
    molecules: Dataset, change: Callable[[Dataset], Dataset], found: str
) -> None:
    """A field that is missing or in another unit stops a concatenation, and the message names both sources."""
    other = change(molecules)
    with pytest.raises(DataError) as error:
        concatenate([molecules, Dataset(other.columns, other.fields)])
    assert found in str(error.value)


def test_an_entry_of_meta_may_have_any_name(molecules: Dataset) -> None:
    """Names in a file may be those of Python's own arguments."""
    assert molecules.with_meta(**{"self": 1, "frames": 2}).meta["self"] == 1


class Counting:
    """Rows that count how many of them were read."""

    def __init__(self, frames: int) -> None:
        self.shape, self.dtype, self.read = (frames, 3), np.dtype(np.float64), 0

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> Any:
        wanted = np.arange(len(self))[key]
        self.read += len(wanted)
        return np.repeat(wanted[:, None], 3, axis=1).astype(self.dtype)


@pytest.mark.parametrize("view", [lambda data: data, lambda data: data[2:], lambda data: data[::-1]])
def test_only_the_rows_asked_for_are_read(view: Callable[[Dataset], Dataset]) -> None:
    """Length, fields and sizes read nothing, two frames read two rows, also through views."""
    rows = Counting(1000)
    assert isinstance(rows, Rows)
    dataset = view(Dataset({"D": PerFrame(rows)}, {"D": Field(name="D", dims=("frame", "xyz"))}))
    assert len(dataset) > 900
    assert list(dataset.fields) == ["D"]
    assert repr(dataset)
    assert rows.read == 0
    dataset.take([5, 9])
    assert rows.read == 2


HUGE = 830_000_000
"""Frames of three numbers that fill 20 GB."""


def sparse(path: Path, before: bytes, after: bytes = b"") -> None:
    """A file with a hole of 20 GB, which takes a few kB on disk."""
    with path.open("wb") as file:
        file.write(before)
        file.seek(HUGE * 24, os.SEEK_CUR)
        file.write(after)
        file.truncate()


def huge_npy(path: Path) -> None:
    """One array of 20 GB."""
    sparse(path, huge_header())


def huge_header() -> bytes:
    """What stands before its values."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (HUGE, 1, 3)})
    return stream.getvalue()


def huge_npz(path: Path) -> None:
    """An archive with this array, its sizes in zip64 fields as numpy writes them."""
    header, name = huge_header(), b"R.npy"
    total = len(header) + HUGE * 24
    sizes = struct.pack("<HHQQ", 1, 16, total, total)
    common = struct.pack("<5HL2L2H", 45, 0, 0, 0, 33, 0, 2**32 - 1, 2**32 - 1, len(name), len(sizes))
    local = b"PK\x03\x04" + common + name + sizes
    central = b"PK\x01\x02" + struct.pack("<H", 45) + common + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name + sizes
    at = len(local) + total
    end64 = b"PK\x06\x06" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, 1, 1, len(central), at)
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, at + len(central), 1)
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, len(central), 2**32 - 1, 0)
    sparse(path, local + header, central + end64 + locator + end)


def bytes_read() -> int:
    """What this process has read from files so far."""
    return int(re.findall(r"rchar: (\d+)", Path("/proc/self/io").read_text())[0])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="no account of what a process reads")
@pytest.mark.parametrize(("name", "make"), [("R.npy", huge_npy), ("huge.npz", huge_npz)])
def test_twenty_gigabytes_are_looked_at_without_reading_them(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    """`len`, `fields` and two frames of a file of 20 GB cost less than 2 MB of reading and of memory."""
    try:
        make(tmp_path / name)
    except OSError as error:
        pytest.skip(f"no sparse files of 20 GB here: {error.strerror}")
    read(tmp_path / name)  # imports what it needs
    before = bytes_read()
    tracemalloc.start()
    dataset = read(tmp_path / name)
    assert (len(dataset), list(dataset.fields)) == (HUGE, ["R"])
    assert dataset.take([5, 9, -1])["R"].shape == (3, 1, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert bytes_read() - before < 2_000_000


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        (Selection(where="E < -10"), [-76.0, -38.0]),
        (Selection(where="E<-10 and E >= -38"), [-38.0]),
        (Selection(take="-1,0"), [-38.0, -76.0]),
        (Selection(take="::2"), [-76.0, -38.0]),
        (Selection(where="E != -76", take="0"), [-1.0]),
        (Selection(sample=99), [-76.0, -1.0, -38.0]),
    ],
)
def test_selections_keep_the_frames_that_they_name(molecules: Dataset, selection: Selection, left: list[float]) -> None:
    """Conditions come first, then numbers, then the draw."""
    assert selection.of(molecules)["E"].tolist() == left


def test_a_draw_is_repeatable(molecules: Dataset) -> None:
    """The same seed draws the same frames, in their order."""
    many = concatenate([molecules] * 20)
    drawn = [Selection(sample=7, seed=seed).of(many)["E"].tolist() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 7


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(where="E < -1e9"), "no frame is left"),
        (Selection(where="E"), "'E' is not a comparison"),
        (Selection(where="E < -1 or E > 1"), "is not a comparison"),
        (Selection(where="R < 1"), "there is no 'R' with one value for each frame. Use one of E"),
        (Selection(where="E < abc"), "'abc' is not a number"),
        (Selection(take="1.5"), "'1.5' is no number and no range"),
        (Selection(take=""), ""),
        (Selection(take="1,,2"), "'' is no number and no range"),
        (Selection(take="::0"), "'::0' is no number and no range"),
        (Selection(take="7"), "there are 3. Take frames 0 to 2"),
    ],
)
def test_selections_that_mean_nothing_are_told(molecules: Dataset, selection: Selection, found: str) -> None:
    """A condition or a number that cannot be understood is named."""
    if not found:
        assert len(selection.of(molecules)) == 3
        return
    with pytest.raises(ConfigError) as error:
        selection.of(molecules)
    assert found in str(error.value)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 12), st.booleans())
def test_blocks_take_bounded_memory(lengths: list[int], size: int, padded: bool) -> None:
    """Blocks hold all frames in order, so many at a time or fewer, and what is read for one is bounded or one frame."""
    total, longest = sum(lengths), max(lengths, default=0)
    rows = np.arange(8.0 * total).reshape(total, 8)
    column: Column = Packed(rows, np.array(lengths))
    if padded:
        filled = np.zeros((len(lengths), longest, 8))
        filled[np.arange(longest) < np.array(lengths)[:, None]] = rows
        column = Picked(Padded(PerFrame(filled), np.array(lengths)), np.arange(len(lengths)))
    dataset = Dataset({"foo": column}, {"foo": Field(name="foo")})
    costs = [64 * length + (64 * longest if padded else 0) for length in lengths]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded, "BLOCK_BYTES", 500)
        stretches = list(dataset.stretches(range(len(lengths)), size))
        blocks = list(dataset.blocks(size))
    assert np.concatenate([frames for frames, _ in stretches]).tolist() == list(range(len(lengths)))
    assert np.array_equal(np.concatenate([block["foo"] for block in blocks]), rows)
    for frames, block in stretches:
        assert block.frames == len(frames) <= size
        assert len(frames) == 1 or sum(costs[frame] for frame in frames) <= 500
