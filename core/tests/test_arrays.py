"""Lazy arrays in .npy and .npz files: what numpy.load gives, without its trust and without reading everything."""

from __future__ import annotations

import errno
import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from atomloom.arrays import Inert, decoded, inflate, open_arrays, opening, place, records
from atomloom.errors import DataError
from atomloom.rows import Rows

HOWS = ["npy", "stored", "compressed", "streamed"]


@pytest.fixture
def small_blocks() -> Iterator[pytest.MonkeyPatch]:
    """Decoding in pieces so small that every test array has many of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", 100)
        patch.setattr(records, "GAP", 40)
        patch.setattr(inflate, "BLOCK", 64)
        patch.setattr(inflate, "PACKED_BLOCK", 32)
        patch.setattr(inflate, "SHORTEST_STRETCH", 500)
        yield patch


@pytest.fixture
def address_space(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Says how much of it there is, and makes every mapping an error."""

    def limit(size: int) -> None:
        monkeypatch.setattr(place.resource, "getrlimit", lambda which: (size, size))
        monkeypatch.setattr(place.mmap, "mmap", lambda *given, **named: pytest.fail("mapped"))

    return limit


def equal(ours: Any, theirs: Any) -> None:
    """Asserts the same dtype, shape and bits."""
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert ours.tobytes() == theirs.tobytes()


def written(array: Any, how: str, folder: Path) -> Path:
    """The file of one array called "a"."""
    path = folder / ("a.npy" if how == "npy" else "a.npz")
    if how == "npy":
        np.save(path, array)
    else:
        (np.savez if how == "stored" else np.savez_compressed)(path, a=array)
    return path


def named_members(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for member, data in members:
            archive.writestr(member, data)
    return stream.getvalue()


def npy(array: Any) -> bytes:
    """The bytes of an .npy file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


KINDS = st.sampled_from(["?", "i1", "<i8", ">i4", "<f4", ">f8", "<c16", "<U3", ">U2", "S5", "<M8[ms]", ">m8[h]", "V7"])
RECORDS = st.sampled_from([[("xyz", ">f4", 3), ("é", "u1")], [("原子", "i2"), ("in", [("a", "f8")])]])
SHAPES = hnp.array_shapes(min_dims=0, min_side=0, max_dims=4, max_side=7)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """Arrays of any kind, memory order and byte order."""
    dtype, shape = np.dtype(draw(KINDS | RECORDS)), draw(SHAPES)
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 2 if dtype.kind in "?U" else 256, size, np.uint8)
    raw = np.zeros(size, np.uint8) if dtype.kind == "U" else raw
    return np.ndarray(shape, dtype, raw.tobytes(), order=draw(st.sampled_from(["C", "F"])))


@pytest.mark.filterwarnings("ignore:Stored array in format")
@pytest.mark.parametrize("how", HOWS)
@given(array=arrays(), draw=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_are_those_of_numpy(
    how: str, array: Any, draw: st.DataObject, tmp_path: Path, small_blocks: pytest.MonkeyPatch
) -> None:
    """The whole, slices and lists of rows agree with numpy.load, bit for bit, in any order."""
    small_blocks.setattr(opening, "WHOLE", 0 if how == "streamed" else 1 << 20)
    path = written(array, how, tmp_path)
    rows: Any = open_arrays(path)["a"]
    loaded = np.load(path) if how == "npy" else np.load(path)["a"]
    assert isinstance(rows, Rows)
    equal(rows[...], loaded)
    for _ in range(3 if array.ndim else 0):
        step = draw.draw(st.sampled_from([None, 1, 3, -1, -2]))
        part = slice(draw.draw(st.integers(-9, 9)), draw.draw(st.integers(-9, 9)), step)
        equal(rows[part], loaded[part])
        numbers = st.lists(st.integers(-len(array), len(array) - 1), max_size=9) if len(array) else st.just([])
        wanted = np.array(draw.draw(numbers), np.int64)
        equal(rows[wanted], loaded[wanted])


@pytest.mark.filterwarnings("ignore:Stored array in format")
@pytest.mark.parametrize("how", ["npy", "stored"])
@given(array=arrays().filter(lambda array: array.ndim > 0), draw=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_mapped_where_address_space_is_limited(
    how: str,
    array: Any,
    draw: st.DataObject,
    tmp_path: Path,
    small_blocks: pytest.MonkeyPatch,
    address_space: Callable[[int], None],
) -> None:
    """The same rows without a mapping, which would take as much of it as the file is long; in Fortran order too."""
    address_space(1 << 30)
    rows: Any = open_arrays(written(array, how, tmp_path))["a"]
    equal(rows[...], array)
    part = slice(draw.draw(st.integers(-9, 9)), draw.draw(st.integers(-9, 9)), draw.draw(st.sampled_from([1, 3, -2])))
    equal(rows[part], array[part])
    numbers = st.lists(st.integers(-len(array), len(array) - 1), max_size=9) if len(array) else st.just([])
    wanted = np.array(draw.draw(numbers), np.int64)
    equal(rows[wanted], array[wanted])


def test_rows_far_apart_are_read_and_not_what_lies_between(
    tmp_path: Path, address_space: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a mapping, near rows are read together and distant ones alone."""
    address_space(1 << 30)
    rows: Any = open_arrays(written(np.arange(800_000.0).reshape(-1, 8), "npy", tmp_path))["a"]
    lengths: list[int] = []
    monkeypatch.setattr(rows._file, "read", lambda at, out, place: lengths.append(len(out)))
    rows[np.array([90_000, 5, 7, 50_000])]
    assert lengths == [3 * 64, 64, 64]


@pytest.mark.parametrize("order", ["C", "F"])
def test_streaming_goes_back_to_a_kept_state(
    order: Any, tmp_path: Path, small_blocks: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows in any order are right, and one near the end costs no pass over what lies before it."""
    monkeypatch.setattr(opening, "WHOLE", 0)
    array = np.asarray(np.random.default_rng(1).normal(size=(500, 2, 3)), order=order)
    rows = open_arrays(written(array, "compressed", tmp_path))["a"]
    equal(rows[np.array([499, 3, 250, 250, 0])], np.ascontiguousarray(array[[499, 3, 250, 250, 0]]))
    inflater = rows._inflater  # type: ignore[attr-defined]
    decodings: list[int] = []
    decode = inflater._decode
    monkeypatch.setattr(inflater, "_decode", lambda most: decodings.append(most) or decode(most))
    inflater.read(inflater.member.size - 100, 50)
    assert sum(decodings) < inflater.member.size / 5


def test_members_by_name(tmp_path: Path) -> None:
    """An archive gives its members in order, nested names included; an .npy file gives itself."""
    np.savez(tmp_path / "m.npz", **{"R": np.zeros((2, 3)), "linear/w": np.ones(2), "Z": [1, 8]})
    opened = open_arrays(tmp_path / "m.npz")
    assert list(opened) == ["R", "linear/w", "Z"]
    np.save(tmp_path / "forces.npy", np.zeros(3))
    assert list(open_arrays(str(tmp_path / "forces.npy"))) == ["forces"]
    (tmp_path / "none.npz").write_bytes(named_members())
    assert open_arrays(tmp_path / "none.npz") == {}
    assert repr(opened["R"]) == "<float64 [2, 3] in m.npz:R>"


@pytest.mark.parametrize("how", HOWS)
def test_a_pickled_array_is_its_path(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending rows to another process sends no values, and works from another folder."""
    monkeypatch.setattr(opening, "WHOLE", 0 if how == "streamed" else opening.WHOLE)
    array = np.random.default_rng(1).normal(size=(200, 30))
    written(array, how, tmp_path)
    monkeypatch.chdir(tmp_path)
    sent = pickle.dumps(open_arrays(Path("a.npy" if how == "npy" else "a.npz"))["a"])
    monkeypatch.chdir("/")
    assert len(sent) < 1000
    equal(pickle.loads(sent)[...], array)


@pytest.mark.parametrize("how", ["npy", "stored", "compressed"])
def test_objects_are_decoded_to_plain_python(how: str, tmp_path: Path) -> None:
    """A dict in a 0-d array is that dict, other arrays of objects are lists; nothing is executed for it."""
    rows = open_arrays(written(np.array({"ALA": 0}, dtype=object), how, tmp_path))["a"]
    assert isinstance(rows, Inert)
    assert rows.value == {"ALA": 0}
    ragged = np.array([[1, 2], [3], None], dtype=object)
    rows = open_arrays(written(ragged, how, tmp_path))["a"]
    assert isinstance(rows, Inert)
    assert rows.value == ragged.tolist()
    assert rows[1:].tolist() == rows[np.array([1, 2])].tolist() == [[3], None]
    assert len(pickle.loads(pickle.dumps(rows))) == 3


def test_an_array_in_memory_is_rows_too() -> None:
    """The protocol is numpy's own."""
    assert isinstance(np.zeros(3), Rows)


@pytest.mark.parametrize("how", HOWS)
def test_single_rows_and_wrong_questions(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One number gives one row; what is no row is an IndexError that says why."""
    monkeypatch.setattr(opening, "WHOLE", 0 if how == "streamed" else opening.WHOLE)
    rows: Any = open_arrays(written(np.arange(6.0).reshape(3, 2), how, tmp_path))["a"]
    assert rows[-1].tolist() == [4, 5]
    assert np.asarray(rows).sum() == 15
    with pytest.raises(IndexError, match="row 3 is asked for, and there are 3"):
        rows[[0, 3]]
    with pytest.raises(IndexError, match="by a slice or a list of whole numbers"):
        rows[np.array([True, False, True])]
    scalar: Any = open_arrays(written(np.float32(2), how, tmp_path))["a"]
    assert (scalar.shape, float(scalar[...])) == ((), 2.0)
    with pytest.raises(IndexError, match=r"\[...\] gives the value"):
        scalar[:1]
    with pytest.raises(TypeError, match="no length"):
        len(scalar)


def test_decoded_members_are_kept_within_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The member that was not used for longest goes when there is no more room."""
    np.savez_compressed(tmp_path / "m.npz", a=np.zeros(100), b=np.ones(100), c=np.ones(100))
    monkeypatch.setattr(decoded, "KEPT", 2000)
    opened: Any = open_arrays(tmp_path / "m.npz")
    kept = opened["a"]._kept
    for name in "abacab":
        opened[name][:1]
    assert list(kept._arrays) == ["a", "b"]


def test_a_result_does_not_depend_on_the_file(tmp_path: Path) -> None:
    """Rows are copies: writing into them changes nothing, and the file may go."""
    rows: Any = open_arrays(written(np.zeros((5, 2)), "npy", tmp_path))["a"]
    first = rows[:2]
    first += 1
    (tmp_path / "a.npy").unlink()
    assert rows[:2].sum() == 0


@pytest.mark.parametrize("how", ["npy", "stored", "compressed"])
@pytest.mark.parametrize("touched", [False, True])
def test_a_file_that_shrinks_is_an_error(how: str, touched: bool, tmp_path: Path) -> None:
    """Rows that are no longer there give a DataError and do not kill the process."""
    path = written(np.random.default_rng(1).normal(size=(5000, 3)), how, tmp_path)
    rows = open_arrays(path)["a"]
    if touched and how != "compressed":
        rows[:1]
    os.truncate(path, 5000)
    for which in (np.array([4999]), slice(4998, 5000), slice(0, 1)):
        with pytest.raises(DataError, match=r"shrank from [0-9]+ to 5000 bytes while it was in use"):
            rows[which]


def test_a_disk_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the system answers."""

    def fails(*given: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    rows = open_arrays(written(np.ones((50, 3)), "npy", tmp_path))["a"]
    monkeypatch.setattr(os, "preadv", fails)
    with pytest.raises(DataError, match=r"the system answers 'Input/output error'\. Check the disk that it is on"):
        rows[:3]


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at its size and the read: what is not there is not made up."""
    path = written(np.ones((5000, 3)), "npy", tmp_path)
    rows = open_arrays(path)["a"]
    assert rows[4999:].tolist() == [[1, 1, 1]]
    os.truncate(path, 5000)
    monkeypatch.setattr(place.File, "_check", lambda *given: None)
    with pytest.raises(DataError, match="the file ends at byte 5000"):
        rows[:1000]


# Damaged and dishonest files


def _header(shape: Any, descr: Any = "<f8", fortran: Any = False) -> bytes:
    text = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def _patched(archive: bytes, *changes: tuple[bytes, int, bytes]) -> bytes:
    """Overwrites bytes at an offset from the last place where a signature stands."""
    data = bytearray(archive)
    for signature, offset, new in changes:
        at = data.rindex(signature) + offset
        data[at : at + len(new)] = new
    return bytes(data)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
GOOD = npy(np.arange(6.0))
STORED = named_members(("a.npy", GOOD))
DEFLATED = named_members(("a.npy", npy(np.zeros(1000))), compression=zipfile.ZIP_DEFLATED)
NOISE = named_members(("a.npy", npy(np.random.default_rng(0).normal(size=99))), compression=zipfile.ZIP_DEFLATED)


def _size(of: int) -> bytes:
    return struct.pack("<L", of)


def _twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate"):
        return named_members(("a.npy", GOOD), ("a.npy", GOOD))


def _deflated_but(size: int, data: bytes, crc: int | None = None) -> bytes:
    """A compressed member that decodes to `data` and says it has `size` bytes."""
    archive = named_members(("a.npy", data), compression=zipfile.ZIP_DEFLATED)
    crc = zlib.crc32(data[:size]) if crc is None else crc
    return _patched(archive, (CENTRAL, 24, _size(size)), (CENTRAL, 16, _size(crc)))


DAMAGED: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "empty": ("a.npz", b"", "it is empty (0 bytes)"),
    "text": ("a.npz", b"R,Z\n1,2\n", "it is neither a numpy array nor an archive of them"),
    "misnamed archive": ("a.npy", STORED, "it is called .npy and holds a zip archive. Rename it to end in .npz"),
    "misnamed array": ("a.npz", GOOD, "it is called .npz and holds a single numpy array. Rename it to end in .npy"),
    "cut array": ("a.npy", GOOD[:-1], "175 bytes are there and float64 of shape (6,) needs 176: it is cut off"),
    "long array": ("a.npy", GOOD + b"x", "it is longer than one array, or its header lies"),
    "cut header": ("a.npy", GOOD[:50], "its header makes no sense"),
    "magic only": ("a.npy", b"\x93NUMPY", "its header makes no sense"),
    "unknown version": ("a.npy", b"\x93NUMPY\x09\x00" + GOOD[8:], "version 9.0 of the format is unknown"),
    "long header": ("a.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 20_000, "its header makes no sense"),
    "code in the header": ("a.npy", _header("__import__('os')"), "its header makes no sense"),
    "negative shape": ("a.npy", _header((-1,)), "its header declares the shape (-1,), which no array has"),
    "text shape": ("a.npy", _header("ab"), "its header makes no sense"),
    "true shape": ("a.npy", _header((True,)) + bytes(8), "which no array has"),
    "many axes": ("a.npy", _header((1,) * 33) + bytes(8), "which no array has"),
    "huge shape": ("a.npy", _header((2**40, 2**40)), "which is more than any memory"),
    "hidden huge shape": ("a.npy", _header((0, 2**62)), "which is more than any memory"),
    "no bytes": ("a.npy", _header((2**40,), "|V0"), "which an array does not have"),
    "array of arrays": ("a.npy", _header((2,), ("<f8", (3,))) + bytes(48), "which an array does not have"),
    "odd order": ("a.npy", _header((2,), fortran="x"), "its header makes no sense"),
    "odd dtype": ("a.npy", _header((2,), "<q9"), "its header makes no sense"),
    "utf-8 header": ("a.npy", b"\x93NUMPY\x03\x00" + struct.pack("<I", 3) + b"{1}", "it does not say shape, order"),
    "no pickle": ("a.npy", _header((), "|O") + b"garbage", "Cannot read '"),
    "another pickle": ("a.npy", _header((3,), "|O") + pickle.dumps([1]), "it holds a list where its header declares"),
    "truncated zip": ("a.npz", STORED[:-30], "it is a damaged or truncated zip archive"),
    "beginning of a zip": ("a.npz", STORED[:40], "it is a damaged or truncated zip archive"),
    "folder": ("a.npz", named_members(("a/", b"")), "it is a folder, and an array archive has none"),
    "upwards": ("a.npz", named_members(("../a.npy", GOOD)), "its name leads to another folder"),
    "absolute": ("a.npz", named_members(("/etc/a.npy", GOOD)), "its name leads to another folder"),
    "backslash": ("a.npz", named_members(("..\\a.npy", GOOD)), "its name leads to another folder"),
    "no name": ("a.npz", named_members((".npy", GOOD)), "an array in it has no name"),
    "no array": ("a.npz", named_members(("readme.txt", b"hello")), "it is no array (arrays are called NAME.npy)"),
    "text as array": ("a.npz", named_members(("a.npy", b"hello")), "its header makes no sense"),
    "empty member": ("a.npz", named_members(("a.npy", b"")), "its header makes no sense"),
    "twice": ("a.npz", _twice, "the archive holds two arrays of this name"),
    "encrypted": ("a.npz", _patched(STORED, (CENTRAL, 8, b"\x01")), "it is encrypted. Decrypt the archive first"),
    "lzma": ("a.npz", named_members(("a.npy", GOOD), compression=zipfile.ZIP_LZMA), "it is compressed by lzma"),
    "unknown method": ("a.npz", _patched(STORED, (CENTRAL, 10, b"\x63")), "it is compressed by method 99"),
    "two methods": ("a.npz", _patched(STORED, (LOCAL, 8, b"\x08")), "disagree on its compression"),
    "two names": ("a.npz", _patched(STORED, (LOCAL, 30, b"b")), "disagree on its name"),
    "no member": ("a.npz", _patched(STORED, (CENTRAL, 42, _size(1))), "it is not where the directory"),
    "member beyond the end": ("a.npz", _patched(STORED, (CENTRAL, 42, _size(10**6))), "the archive ends before it"),
    "lying header": ("a.npz", named_members(("a.npy", _header((7,)) + bytes(48))), "it is cut off or its header lies"),
    "lying stored size": ("a.npz", _patched(STORED, (CENTRAL, 24, _size(10**6))), "which is impossible"),
    "reaching out": (
        "a.npz", _patched(STORED, (CENTRAL, 20, _size(10**6)), (CENTRAL, 24, _size(10**6))), "beyond the end",
    ),
    "impossible ratio": ("a.npz", _patched(DEFLATED, (CENTRAL, 24, _size(2**31))), "which is impossible"),
    "decodes to less": ("a.npz", _deflated_but(176, GOOD[:100] + GOOD[:28]), "it ends after 128 of 176 bytes"),
    "decodes to more": ("a.npz", _deflated_but(176, GOOD + b"x"), "it decodes to more than the 176 bytes"),
    "wrong checksum": ("a.npz", _patched(NOISE, (CENTRAL, 16, b"\x00\x01")), "its checksum (CRC-32) is wrong"),
    "cut stream": ("a.npz", _patched(NOISE, (CENTRAL, 20, _size(500))), "its compressed data end after"),
    "damaged stream": ("a.npz", _patched(NOISE, (LOCAL, 400, b"\xff" * 300)), "Cannot read 'a' in "),
    "wrong checksum of objects": (
        "a.npz", _patched(named_members(("a.npy", npy(np.array(None)))), (CENTRAL, 16, b"\x00\x01")), "checksum",
    ),
}  # fmt: skip


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(case: str, streaming: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a DataError that names the file, the member where there is one, what is wrong and what to do."""
    name, content, text = DAMAGED[case]
    monkeypatch.setattr(opening, "WHOLE", 0 if streaming and "objects" not in case else opening.WHOLE)
    (tmp_path / name).write_bytes(content() if callable(content) else content)
    with pytest.raises(DataError) as caught:
        [rows[...] for rows in open_arrays(tmp_path / name).values()]
    assert text in str(caught.value)
    assert str(tmp_path / name) in caught.value.asked
    assert caught.value.todo


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder and a file that went away are called by name."""
    with pytest.raises(DataError, match=r"Cannot read '.*none\.npz': there is no such file\. Check the path\."):
        open_arrays(tmp_path / "none.npz")
    with pytest.raises(DataError, match="the system answers 'Is a directory'"):
        open_arrays(tmp_path)
    rows = open_arrays(written(np.zeros(3), "npy", tmp_path))["a"]
    sent = pickle.dumps(open_arrays(written(np.zeros(3), "stored", tmp_path))["a"])
    (tmp_path / "a.npy").unlink()
    with pytest.raises(DataError, match="the file was there, and now the system answers"):
        rows[:1]
    np.savez(tmp_path / "a.npz", b=1)
    with pytest.raises(DataError, match="the file no longer holds it"):
        pickle.loads(sent)


@pytest.mark.parametrize("names", ["ab", "aa"])
def test_members_that_share_bytes(names: str, tmp_path: Path) -> None:
    """Directory entries that lead to the same compressed block, as in a zip bomb, are refused before any is decoded."""
    at, end = DEFLATED.index(CENTRAL), DEFLATED.index(b"PK\x05\x06")
    entries = b"".join(DEFLATED[at:end].replace(b"a.npy", f"{name}.npy".encode()) for name in names)
    closing = _patched(DEFLATED[end:], (b"PK\x05\x06", 8, struct.pack("<2HL", 2, 2, len(entries))))
    (tmp_path / "a.npz").write_bytes(DEFLATED[:at] + entries + closing)
    with pytest.raises(DataError, match=r"disagree on its name|holds two arrays of this name"):
        open_arrays(tmp_path / "a.npz")


def test_members_that_reach_into_each_other(tmp_path: Path) -> None:
    """A member cannot end behind the beginning of the next one."""
    archive = named_members(("a.npy", GOOD), ("b.npy", GOOD))
    at = archive.index(CENTRAL)
    longer = archive[: at + 20] + 2 * _size(len(GOOD) + 1) + archive[at + 28 :]
    (tmp_path / "a.npz").write_bytes(longer)
    with pytest.raises(DataError, match=r"'a' in .* it reaches into the next member"):
        open_arrays(tmp_path / "a.npz")


@given(draw=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_changed_bytes_give_rows_or_a_data_error(draw: st.DataObject, tmp_path: Path) -> None:
    """No damage to a file ends in another exception."""
    data = bytearray(draw.draw(st.sampled_from([GOOD, STORED, DEFLATED, NOISE, npy(np.array([{}], object))])))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    path = tmp_path / "changed"
    path.write_bytes(data[: draw.draw(st.integers(0, len(data)))] if draw.draw(st.booleans()) else data)
    try:
        for rows in open_arrays(path).values():
            rows[...]
    except DataError as error:
        assert "Cannot read" in str(error)  # noqa: PT017  # some changes do no harm
