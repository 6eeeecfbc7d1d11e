"""The inert pickle reader: what it reads is what Python's own pickle module reads, without its powers."""

from __future__ import annotations

import collections
import datetime
import fractions
import io
import os
import pickle
import urllib.parse
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from atomloom.errors import DataError
from atomloom.inert import Stub, load, loads, plain, stubs

DATA = Path(os.environ.get("ATOMLOOM_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
CODES = ["?", "i1", "u1", "<i2", ">i2", "<u4", ">u8", "<f2", ">f4", "<f4", "<f8", ">f8", "longdouble", "<c8", ">c16"]
CODES += ["S7", "<U5", ">U5", "V3", "M8", "<M8[ns]", ">m8[25s]", "O"]
LAYOUTS = {
    "record": np.dtype([("position", "<f4", 3), ("charge", ">i2")]),
    "aligned": np.dtype([("a", "i1"), ("b", "f8")], align=True),
    "gaps": np.dtype({"names": ["b", "a"], "formats": ["f4", "i2"], "offsets": [8, 1], "itemsize": 20}),
    "titles": np.dtype([(("the energy", "E"), "f8")]),
    "nested": np.dtype([("site", [("xyz", "f8", (2, 3)), ("name", "U4")])]),
    "numpy.record": np.dtype((np.record, [("x", "f8")])),
    "unicode names": np.dtype([("énergie", "f8")]),
}


def name(module: str, attribute: str) -> bytes:
    """The instruction that refers to something by name."""
    return f"c{module}\n{attribute}\n".encode()


def body(value: Any) -> bytes:
    """The instructions that push a value."""
    return pickle.dumps(value, 2)[2:-1]


def same(ours: Any, theirs: Any) -> None:
    """Asserts that two values agree in type and in every bit."""
    assert type(ours) is type(theirs)
    if isinstance(theirs, np.ndarray | np.generic):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        if theirs.dtype == object:
            same(ours.tolist(), theirs.tolist())
        else:
            assert ours.tobytes() == theirs.tobytes()
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    elif isinstance(theirs, dict):
        same(list(ours.items()), list(theirs.items()))
    else:
        assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("order", ["C", "F", "strided", "0-d", "empty"])
def test_arrays_come_back_bit_for_bit(code: str, order: str, protocol: int) -> None:
    """Every plain dtype, memory order and protocol gives what was written, its byte order too."""
    values = np.arange(24, dtype="u1").reshape(2, 3, 4)
    array = (values % 2 if code in ("?", "b1") else values).astype("V3" if code == "V3" else code)
    scalar, strided = array[1, 1, 1:2].reshape(()), array.transpose(1, 0, 2)[::2]
    laid = {"C": array, "F": np.asfortranarray(array), "strided": strided, "0-d": scalar, "empty": array[:0]}[order]
    same(loads(pickle.dumps(laid, protocol)), laid)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_structured_arrays_come_back_bit_for_bit(layout: str, protocol: int) -> None:
    """Field names, offsets, gaps, alignment, titles and nesting survive."""
    dtype = LAYOUTS[layout]
    array = np.frombuffer(bytes(range(dtype.itemsize)) * 3, dtype) if dtype.itemsize < 80 else np.zeros(3, dtype)
    ours, theirs = loads(pickle.dumps(array, protocol)), array
    assert ours.dtype.fields == theirs.dtype.fields
    assert ours.dtype.isalignedstruct == theirs.dtype.isalignedstruct
    same(ours, theirs)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("code", [code for code in CODES if code != "O"])
def test_scalars_come_back_bit_for_bit(code: str, protocol: int) -> None:
    """A numpy scalar stays one of its kind."""
    scalar = np.ones(1, dtype="u1").astype(code)[0]
    same(loads(pickle.dumps(scalar, protocol)), scalar)


VALUES: dict[str, Any] = {
    "constants": [None, True, False, (), [], {}, ""],
    "whole numbers": [0, 255, 256, -1, 65536, 2**31, -(2**31), 2**63, -(2**63), 2**4000, -(2**4000)],
    "numbers": [0.0, -0.0, 1e308, float("inf"), float("nan"), 1 + 2j],
    "texts": ["a", "ü", "\U0001f9ea", "a\nb\\c'\"", "x" * 300, "\ud800", b"", b"abc", bytes(range(256)) * 3],
    "byte arrays": [bytearray(), bytearray(range(256))],
    "sets": [set(), {1}, frozenset(), frozenset({(1, 2)}), slice(1, None, 2)],
    "tuples": [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((),)],
    "ordered": collections.OrderedDict([("b", 1), ("a", [2])]),
    "keys": {1: 2, "a": 3, (1, ("b", None)): 4, b"c": 5, frozenset({1}): 6, 1.5: 7, np.float32(2): 8},
    "long": list(range(3000)),
    "big": {number: str(number) for number in range(3000)},
    "parameters": {"linear": {"w": np.ones((3, 2), "f4"), "b": [np.zeros(2), np.float64(0.5)]}},
    "objects": np.array([{"a": 1}, [1, 2], None, np.arange(3), "x"], dtype=object),
    "object": np.array({"ALA": 0, "GLY": 1}, dtype=object),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("what", VALUES)
def test_plain_values_come_back(what: str, protocol: int) -> None:
    """Containers and numbers are what pickle makes of the same bytes."""
    data = pickle.dumps(VALUES[what], protocol)
    same(loads(data), pickle.loads(data))


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
arrays = hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
trees = st.recursive(
    leaves | arrays,
    lambda part: st.lists(part) | st.tuples(part, part) | st.dictionaries(st.text(), part),
    max_leaves=12,
)


@given(value=trees, protocol=st.sampled_from(PROTOCOLS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_tree_comes_back(value: Any, protocol: int) -> None:
    """Whatever is nested in whatever, the bytes decide."""
    same(loads(pickle.dumps(value, protocol)), value)


@given(value=trees, protocol=st.sampled_from(PROTOCOLS), draw=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_bytes_give_a_value_or_a_data_error(value: Any, protocol: int, draw: st.DataObject) -> None:
    """Changed bytes never end in another exception, neither in reading nor in looking at the result."""
    data = bytearray(pickle.dumps(value, protocol))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        result = loads(bytes(data))
        stubs(plain(result))
    except DataError as error:
        assert "Cannot " in str(error)  # noqa: PT017  # most drawings do not raise


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_truncation_is_an_error(protocol: int) -> None:
    """A file that was cut off anywhere is never half a result."""
    data = pickle.dumps(VALUES["parameters"], protocol)
    for length in range(len(data)):
        with pytest.raises(DataError):
            loads(data[:length])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_values_that_hold_themselves(protocol: int) -> None:
    """Cycles through lists, dicts and arrays of objects close again."""
    ring: list[Any] = [1]
    ring.append({"ring": ring})
    array = np.empty(2, dtype=object)
    array[0] = array
    copy, loop = loads(pickle.dumps([ring, array], protocol))
    assert copy[1]["ring"] is copy
    assert loop[0] is loop
    again = plain(copy)
    assert again[1]["ring"] is again


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shared_values_stay_shared(protocol: int) -> None:
    """One array referred to twice is one array, also after `plain`."""
    shared = np.arange(3.0)
    ours = loads(pickle.dumps([shared, {"again": shared}], protocol))
    assert ours[0] is ours[1]["again"]
    assert plain(ours)[0] is plain(ours)[1]["again"]


def test_python_2_pickles_of_numpy() -> None:
    """Bytes that Python 2 wrote as text are read as latin-1, which keeps them."""
    written = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\n"
        b"tR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntb."
    )
    assert loads(written).tolist() == [1.0, -2.0]


def test_arrays_are_read_only() -> None:
    """Arrays are views of the file's bytes, so nothing may write into them."""
    with pytest.raises(ValueError, match="read-only"):
        loads(pickle.dumps(np.zeros(3), 5))[0] = 1


def test_sources(tmp_path: Path) -> None:
    """Paths, bytes, files and pipes are read alike, and a stream is left behind its first pickle."""
    first, second = pickle.dumps([1]), pickle.dumps([2])
    (tmp_path / "two.pkl").write_bytes(first + second)
    assert load(tmp_path / "two.pkl") == load(first) == [1]
    with open(tmp_path / "two.pkl", "rb") as stream:
        assert [load(stream), load(stream)] == [[1], [2]]
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as pipe:
        os.write(writing, first)
        os.close(writing)
        assert load(pipe) == [1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_other_classes_become_stubs(protocol: int) -> None:
    """An instance of an unknown class says which it was and what it was made from."""
    value = {"when": datetime.date(2020, 1, 2), "half": fractions.Fraction(1, 2), "url": Path}
    ours = loads(pickle.dumps(value, protocol))
    assert [ours[each].path for each in ("when", "half")] == ["datetime.date", "fractions.Fraction"]
    assert ours["url"].args is None
    assert set(stubs(ours)) >= set(ours.values())


def test_what_a_stub_records() -> None:
    """Arguments, keyword arguments, attributes, appended values and set entries are all kept."""
    program = (
        name("a", "B") + body((1,)) + body({"k": 2}) + b"\x92" + b"K\x03a" + b"K\x04K\x05s" + body({"x": 6}) + b"b."
    )
    stub = loads(b"\x80\x04" + program)
    assert (stub.path, stub.args, stub.kwargs) == ("a.B", (1,), {"k": 2})
    assert (stub.items, stub.entries, stub.state) == ([3], [(4, 5)], {"x": 6})
    assert repr(stub) == "Stub('a.B', args=1, kwargs=1, items=1, entries=1, state=dict)"


def _jax_array(module: str, function: str, values: np.ndarray[Any, Any]) -> bytes:
    make, args, state = values.__reduce__()  # type: ignore[misc]
    parts = body(make) + body(args) + body(state) + body({"weak_type": False})
    return name(module, function) + b"(" + parts + b"t" + b"R"


def _called(module: str, attribute: str, argument: Any) -> bytes:
    return name(module, attribute) + body((argument,)) + b"R"


KNOWN = {
    "haiku": (_called("haiku._src.data_structures", "FlatMapping", {"w": 1}), {"w": 1}),
    "flax": (_called("flax.core.frozen_dict", "FrozenDict", {"params": {"w": 1}}), {"params": {"w": 1}}),
    "jax": (_jax_array("jax._src.array", "_reconstruct_array", np.arange(3.0)), np.arange(3.0)),
    "old jax": (
        _jax_array("jax._src.device_array", "reconstruct_device_array", np.eye(2, dtype="f4")),
        np.eye(2, dtype="f4"),
    ),
    "optax": (name("optax._src.transform", "ScaleByAdamState") + body((1, {"w": 2})) + b"\x81", (1, {"w": 2})),
    "empty": (name("optax._src.base", "EmptyState") + b")\x81", ()),
    "dataclass": (name("flax.training.train_state", "TrainState") + b")\x81" + body({"step": 3}) + b"b", {"step": 3}),
    "slots": (name("a", "Slots") + b")\x81" + body((None, {"step": 3})) + b"b", {"step": 3}),
    "dict class": (name("a", "D") + b")\x81(" + body("k") + body(1) + b"u", {"k": 1}),
    "list class": (name("a", "L") + b")\x81(" + body("k") + b"e", ["k"]),
}


@pytest.mark.parametrize("library", KNOWN)
def test_plain_knows_the_containers_of_machine_learning(library: str) -> None:
    """Trainer states become dicts, tuples and arrays, nested in each other too."""
    instructions, expected = KNOWN[library]
    inner = b"\x80\x03" + name("flax.core.frozen_dict", "FrozenDict") + b"(}" + body("in") + instructions + b"stR."
    same(plain(loads(inner)), {"in": expected})
    assert not stubs(plain(loads(inner)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_on_classes_of_the_standard_library(protocol: int) -> None:
    """Named tuples, attribute holders and dict classes, as every protocol writes them."""
    url = urllib.parse.urlsplit("https://host/path?query")
    value = [url, collections.Counter("aab"), collections.defaultdict(list, a=[1]), collections.deque([1, 2], 5)]
    ours = plain(loads(pickle.dumps(value, protocol)))
    assert ours == [tuple(url), {"a": 2, "b": 1}, {"a": [1]}, [1, 2]]
    assert type(ours[2]) is dict


def test_plain_keeps_what_it_does_not_know() -> None:
    """A stub that stays has its content made plain."""
    frozen = Stub("flax.core.frozen_dict", "FrozenDict", ({"b": 1},))
    kept = plain(Stub("a", "B", (frozen,)))
    assert (kept.path, kept.args) == ("a.B", ({"b": 1},))
    assert [stub.path for stub in stubs(plain(loads(pickle.dumps(SimpleNamespace(c=SimpleCookie("d=1"))))))]


def test_plain_refuses_an_array_that_contradicts_itself() -> None:
    """A jax array is checked as any other."""
    array = _jax_array("jax._src.array", "_reconstruct_array", np.arange(3.0)).replace(b"K\x03\x85", b"K\x04\x85")
    with pytest.raises(DataError, match="an array declares 4 items of 8 bytes and comes with 24 bytes"):
        plain(loads(b"\x80\x03" + array + b"."))


ERRORS = {
    "empty": (b"", "Cannot read the pickle: it is empty (0 bytes). Check that it was written and copied completely."),
    "text": (b"hello", "instruction BINGET at byte 0: it recalls value 101, which it never remembered"),
    "unknown": (b"\xff", r"instruction b'\xff' at byte 0: there is no such instruction"),
    "newer": (b"\x80\x09.", "instruction PROTO at byte 0: it is written in protocol 9, and 5 is the newest known"),
    "truncated": (pickle.dumps("abc")[:-3], "the file ends before the"),
    "underflow": (b".", "instruction STOP at byte 0: it takes a value where there is none"),
    "mark": (b"t.", "instruction TUPLE at byte 0: it goes back to a mark that was not set"),
    "unhashable": (b"}]Ns.", "instruction SETITEM at byte 3: a list cannot be a key"),
    "extension": (b"\x82\x01.", "instruction EXT1 at byte 0: it uses a number that only the program"),
    "buffer": (b"\x97.", "its data were kept outside of the file"),
    "array": (
        pickle.dumps(np.zeros(3), 2).replace(b"K\x03\x85", b"K\x04\x85"),
        "an array declares 4 items of 8 bytes and comes with 24 bytes",
    ),
    "number": (b"Ione\n.", "instruction INT at byte 0: it makes no sense (ValueError: invalid literal"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_name_the_place(case: str) -> None:
    """Every refusal says what, where and what to do."""
    data, text = ERRORS[case]
    with pytest.raises(DataError) as caught:
        loads(data)
    assert text in str(caught.value)
    assert caught.value.todo


def test_errors_name_the_file(tmp_path: Path) -> None:
    """A missing file and a damaged one are called by their path."""
    (tmp_path / "cut.pkl").write_bytes(b"\x80")
    with pytest.raises(DataError, match=r"Cannot read '.*cut\.pkl': instruction PROTO at byte 0"):
        load(tmp_path / "cut.pkl")
    with pytest.raises(DataError, match=r"Cannot read '.*none\.pkl': there is no such file\. Check the path\."):
        load(tmp_path / "none.pkl")
    with pytest.raises(DataError, match="the system answers"):
        load(tmp_path)
    with pytest.raises(DataError, match="Cannot read the pickle: instruction at byte 1: the file ends before the"):
        load(io.BytesIO(b"("))


def test_a_published_parameter_file() -> None:
    """Real parameters of a graph network open without the library that wrote them."""
    path = DATA / "pickles" / "CG_water_GNN.pkl"
    if not path.exists():
        pytest.skip(f"{path.name} is not in ATOMLOOM_SHARED_DATA")
    parameters = plain(load(path))
    assert not stubs(parameters)
    assert parameters["Energy/~/Embedding"]["Embedding_vect"].shape == (10, 16)
    leaves = [leaf for module in parameters.values() for leaf in module.values()]
    assert {leaf.dtype for leaf in leaves} == {np.dtype("f4")}
    assert all(np.isfinite(leaf).all() for leaf in leaves)
