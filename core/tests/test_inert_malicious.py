"""Files made to do harm: none of them may run anything, open anything or take more than its share of memory.

All files are read in one child process under an audit hook that sees every import, compilation, opened file,
process and socket. A second child shows that the files are no duds: Python's own pickle module falls for them.
"""

from __future__ import annotations

import io
import json
import marshal
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("resource", reason="the files attack by the ways of POSIX systems")

MEMORY = 300 << 20
"""Bytes that the child may have resident at its worst; reading honest files takes about 60 MB."""

Program = Callable[[str, str], bytes]
"""Takes the path of the canary and Python code that touches it; returns a pickle without its STOP."""


def name(module: str, attribute: str) -> bytes:
    """Pushes something by name."""
    return f"c{module}\n{attribute}\n".encode()


def push(value: Any) -> bytes:
    """Pushes a plain value."""
    return pickle.dumps(value, 2)[2:-1]


def call(function: bytes, *args: bytes) -> bytes:
    """Calls what `function` pushes with what `args` push."""
    return function + b"(" + b"".join(args) + b"t" + b"R"


def attribute(holder: bytes, what: str) -> bytes:
    """getattr at load time."""
    return call(name("builtins", "getattr"), holder, push(what))


def stack_name(module: str, dotted: str) -> bytes:
    """A dotted name, which protocol 4 follows attribute by attribute."""
    return push(module) + push(dotted) + b"\x93"


SYSTEM = name("os", "system")
EXEC = name("builtins", "exec")
PARTIAL = name("functools", "partial")

LIVE: dict[str, Program] = {
    "os.system": lambda path, code: call(SYSTEM, push(f"touch {path}")),
    "posix.system": lambda path, code: call(name("posix", "system"), push(f"touch {path}")),
    "builtins.eval": lambda path, code: call(name("builtins", "eval"), push(code)),
    "builtins.exec": lambda path, code: call(EXEC, push(code)),
    "python 2 name": lambda path, code: b"\x80\x02" + call(name("__builtin__", "eval"), push(code)),
    "__import__": lambda path, code: call(
        attribute(call(name("builtins", "__import__"), push("os")), "system"), push(f"touch {path}")
    ),
    "subprocess.check_output": lambda path, code: call(name("subprocess", "check_output"), push(["touch", path])),
    "getattr chain": lambda path, code: call(
        attribute(attribute(attribute(name("pathlib", "fnmatch"), "posixpath"), "os"), "system"), push(f"touch {path}")
    ),
    "dotted name": lambda path, code: b"\x80\x04" + call(stack_name("pathlib", "os.system"), push(f"touch {path}")),
    "list of map": lambda path, code: call(name("builtins", "list"), call(name("builtins", "map"), EXEC, push([code]))),
    "set of map": lambda path, code: call(name("builtins", "set"), call(name("builtins", "map"), EXEC, push([code]))),
    "partial": lambda path, code: call(call(PARTIAL, EXEC, push(code))),
    "methodcaller": lambda path, code: call(
        call(name("operator", "methodcaller"), push("touch")), call(name("pathlib", "Path"), push(path))
    ),
    "instruction INST": lambda path, code: b"(" + push(f"touch {path}") + b"ios\nsystem\n",
    "instruction OBJ": lambda path, code: b"(" + SYSTEM + push(f"touch {path}") + b"o",
    "instruction NEWOBJ": lambda path, code: PARTIAL + b"(" + EXEC + push(code) + b"t\x81" + b")R",
    "instruction NEWOBJ_EX": lambda path, code: PARTIAL + b"(" + EXEC + push(code) + b"t}\x92" + b")R",
    "__setstate__ in attributes": lambda path, code: (
        name("types", "SimpleNamespace")
        + b")\x81}"
        + push("__setstate__")
        + SYSTEM
        + b"sb"
        + push(f"touch {path}")
        + b"b"
    ),
    "append as exec": lambda path, code: (
        name("types", "SimpleNamespace") + b")\x81}" + push("append") + EXEC + b"sb" + push(code) + b"a"
    ),
    "extend as exec": lambda path, code: (
        name("types", "SimpleNamespace")
        + b")\x81}"
        + push("extend")
        + name("subprocess", "call")
        + b"sb("
        + push("touch")
        + push(path)
        + b"e"
    ),
    "codecs.open": lambda path, code: call(name("codecs", "open"), push(path), push("w")),
    "pickle.loads": lambda path, code: call(name("_pickle", "loads"), push(call(EXEC, push(code)) + b".")),
    "marshal and exec": lambda path, code: call(
        EXEC, call(name("marshal", "loads"), push(marshal.dumps(compile(code, "x", "exec"))))
    ),
    "timeit": lambda path, code: call(
        name("timeit", "timeit"), push(code), push("pass"), name("time", "time"), push(1)
    ),
    "profile": lambda path, code: call(name("profile", "run"), push(code)),
    "code.InteractiveInterpreter": lambda path, code: call(
        attribute(call(name("code", "InteractiveInterpreter")), "runsource"), push(code)
    ),
    "pkgutil.resolve_name": lambda path, code: call(
        call(name("pkgutil", "resolve_name"), push("os:system")), push(f"touch {path}")
    ),
    "shutil.copyfile": lambda path, code: call(name("shutil", "copyfile"), push(sys.executable), push(path)),
    "logging.FileHandler": lambda path, code: call(name("logging", "FileHandler"), push(path)),
    "ctypes": lambda path, code: call(
        attribute(call(name("ctypes", "CDLL"), b"N"), "system"), push(f"touch {path}".encode())
    ),
    "numpy runstring": lambda path, code: call(name("numpy.testing._private.utils", "runstring"), push(code), b"}"),
    "numpy.savetxt": lambda path, code: call(name("numpy", "savetxt"), push(path), push([1.0])),
    "numpy.memmap": lambda path, code: call(
        name("numpy", "memmap"), push(path), push("u1"), push("w+"), push(0), push(4)
    ),
    "numpy.load": lambda path, code: call(
        name("numpy", "load"),
        call(name("io", "BytesIO"), push(_object_array(call(EXEC, push(code)) + b"."))),
        b"N",
        push(True),
    ),
    "dictionary key": lambda path, code: b"}" + call(SYSTEM, push(f"touch {path}")) + b"Ns",
}
"""Files that touch the canary when pickle reads them."""


def _nested(count: int, before: bytes, after: bytes, core: bytes = b"N") -> bytes:
    return before * count + core + after * count


def _array(shape: bytes, dtype: bytes, state: bytes, subtype: bytes = name("numpy", "ndarray")) -> bytes:
    empty = call(name("numpy.core.multiarray", "_reconstruct"), subtype, push((0,)), push(b"b"))
    return empty + b"(K\x01" + shape + dtype + b"\x89" + state + b"tb"


def _dtype(code: str, order: str = "|") -> bytes:
    state = push((3, order, None, None, None, -1, -1, 63 if code == "O8" else 0))
    return call(name("numpy", "dtype"), push(code), b"\x89", b"\x88") + state + b"b"


def _hidden_object() -> bytes:
    fields = b"}" + push("a") + _dtype("O8") + b"K\x00\x86s"
    state = b"(K\x03" + push("|") + b"N" + push(("a",)) + fields + b"K\x08K\x01K?t"
    return call(name("numpy", "dtype"), push("V8"), b"\x89", b"\x88") + state + b"b"


def _doubling(count: int, build: bytes, core: bytes = b")") -> bytes:
    """A value that holds the one before twice, `count` times."""
    return core + b"q\x00" + (b"0h\x00h\x00" + build + b"q\x00") * count


def _object_nest(count: int) -> bytes:
    opening = call(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), push((0,)), push(b"b"))
    return (opening + b"(K\x01K\x01\x85" + _dtype("O8") + b"\x89(") * count + b"N" + b"ltb" * count


QUIET: dict[str, bytes] = {
    "class swapped": name("types", "SimpleNamespace") + b")\x81N}" + push("__class__") + EXEC + b"s\x86b",
    "dict swapped": name("types", "SimpleNamespace") + b")\x81N}" + push("__dict__") + b"}s\x86b",
    "stub slots": name("a", "B") + b")\x81" + push({"module": "os", "name": "system", "args": None}) + b"b",
    "attributes of a name": SYSTEM + push({"__call__": 1}) + b"b",
    "sys.modules": name("sys", "modules") + push("os") + b"Ns",
    "list of a name": name("os", "environ") + push("PATH") + b"Ns",
    "extension 1": b"\x82\x01",
    "extension 4": b"\x84\x01\x00\x00\x00",
    "persistent id": b"Pos.system\n",
    "persistent id on the stack": SYSTEM + b"Q",
    "codec": call(name("_codecs", "encode"), push("x"), push("unicode_escape; import os")),
    "codec that imports": call(name("_codecs", "encode"), push("x"), push("os.system")),
    "decoder": call(name("_codecs", "decode"), push(b"x"), push("zlib_codec")),
    "torch storage": call(name("torch.storage", "_load_from_bytes"), push(b"PK")),
    "module that is not there": call(name("surely_not_installed", "run"), push(1)),
    "reconstructor": call(
        name("copyreg", "_reconstructor"), name("subprocess", "Popen"), name("builtins", "object"), b"N"
    ),
    "newobj": call(name("copyreg", "__newobj_ex__"), name("subprocess", "Popen"), push(("ls",)), b"}"),
    "defaultdict": call(name("collections", "defaultdict"), SYSTEM) + push("k") + b"Ns",
    "odd subtype": _array(push((2,)), _dtype("u1"), push(b"ab"), name("subprocess", "Popen")),
    "odd subtype that was called": _array(push((2,)), _dtype("u1"), push(b"ab"), call(SYSTEM, push("x"))),
    "pointers as objects": _array(push((1,)), _dtype("O8"), push(b"\x41" * 8)),
    "pointers in a record": _array(push((1,)), _hidden_object(), push(b"\x41" * 8)),
    "pointer scalar": call(name("numpy.core.multiarray", "scalar"), _dtype("O8"), push(b"\x41" * 8)),
    "buffer that is no buffer": call(
        name("numpy.core.numeric", "_frombuffer"), call(SYSTEM, push("x")), _dtype("u1"), push((1,)), push("C")
    ),
    "dtype from text": call(name("numpy", "dtype"), push("O,f4"), b"\x89", b"\x88"),
    "huge shape": _array(push((10**12, 10**12)), _dtype("f8", "<"), push(b"")),
    "overflowing shape": _array(push((2**32, 2**32)), _dtype("u1"), push(b"")),
    "many items of no bytes": _array(push((2**40,)), _dtype("V0"), push(b"")),
    "huge text item": _array(push((0,)), _dtype("U536870911", "<"), push(b"")),
    "deep dtype": _dtype("u1")
    + b"q\xc8"
    + (
        b"0"
        + call(name("numpy", "dtype"), push("V1"), b"\x89", b"\x88")
        + b"(K\x03"
        + push("|")
        + b"N"
        + push(("a",))
        + b"}"
        + push("a")
        + b"h\xc8K\x00\x86sK\x01K\x01K\x10tbq\xc8"
    )
    * 500,
    "lying bytes": b"\x8e" + struct.pack("<Q", 2**62) + b"x",
    "lying text": b"\x8d" + struct.pack("<Q", 2**40) + b"x",
    "lying bytearray": b"\x96" + struct.pack("<Q", 2**40) + b"x",
    "lying number": b"\x8b" + struct.pack("<i", 2**31 - 1) + b"x",
    "negative number": b"\x8b" + struct.pack("<i", -5) + b"x",
    "lying frame": b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"N",
    "bytes of a size": call(name("builtins", "bytes"), push(2**40)),
    "bytearray of a size": call(name("builtins", "bytearray"), push(2**40)),
    "copies": push(b"x" * 10**6)
    + b"q\x00"
    + (b"0" + call(name("builtins", "bytearray"), b"h\x00") + b"r\x01\x00\x00\x00") * 50,
    "far memo": b"Nr\xff\xff\xff\x7f",
    "digits": b"I" + b"9" * 10**6 + b"\n",
    "range": call(name("builtins", "list"), call(name("builtins", "range"), push(2**60))),
    "billion laughs": _doubling(64, b"\x86"),
    "billion laughs as a key": b"}" + _doubling(64, b"\x86") + b"Ns",
    "billion laughs as members": b"\x8f(" + _doubling(64, b"\x86") + b"\x90",
    "number as a key": b"}" + push(2**10000) + b"Ns",
    "deep lists": _nested(100_000, b"]", b"a"),
    "deep tuples": b"N" + b"\x85" * 100_000,
    "deep tuple as a key": b"}N" + b"\x85" * 100_000 + b"Ns",
    "deep marks": b"(" * 100_000 + b"N",
    "deep deques": _nested(100_000, name("collections", "deque") + b")R", b"a"),
    "deep slices": _nested(100_000, name("builtins", "slice") + b"(", b"NNtR"),
    "deep arrays": _object_nest(20_000),
    "deep calls": name("a", "b") + b")R" * 100_000,
    "deep attributes": _nested(100_000, name("a", "b") + b")\x81", b"b"),
}
"""Files that attack in other ways: by state, by memory, by the stack, or through a library that may not be there."""


def _object_array(pickled: bytes) -> bytes:
    """The .npy file of a 0-d array of objects with this pickle in it."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": ()})
    return stream.getvalue() + pickled


def _archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return stream.getvalue()


def _zip_bomb() -> bytes:
    """300 MiB of empty lists in about 1 MB."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("bomb.npy", "w") as member,
    ):
        member.write(_object_array(b""))
        for _ in range(300):
            member.write(b"]" * (1 << 20))
    return stream.getvalue()


def _lying_zip() -> bytes:
    data = _archive({"a.npy": _object_array(b"N.")}, zipfile.ZIP_DEFLATED)
    at = data.rindex(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<I", 2**32 - 2) + data[at + 4 :]


def _files(folder: Path) -> dict[str, Path]:
    """Writes all files."""
    contents = _live(folder) | {f"{what}.pkl": program + b"." for what, program in QUIET.items()}
    evil = contents["os.system.pkl"]
    contents |= {
        "object array.npy": _object_array(evil),
        "stored member.npz": _archive({"aa_to_id.npy": _object_array(evil)}),
        "compressed member.npz": _archive({"aa_to_id.npy": _object_array(evil)}, zipfile.ZIP_DEFLATED),
        "zip bomb.npz": _zip_bomb(),
        "lying zip.npz": _lying_zip(),
        "member with a path.npz": _archive({"../../evil.npy": _object_array(b"N.")}),
    }
    return _written(contents, folder)


def _live(folder: Path) -> dict[str, bytes]:
    """The files that touch a canary, each one of its own."""
    contents = {}
    for what, program in LIVE.items():
        canary = folder / f"{what}.canary".replace(" ", "-")
        contents[f"{what}.pkl"] = program(str(canary), f"open({str(canary)!r}, 'w').close()") + b"."
    return contents


def _written(contents: dict[str, bytes], folder: Path) -> dict[str, Path]:
    paths = {file: folder / file.replace(" ", "-") for file in contents}
    for file, path in paths.items():
        path.write_bytes(contents[file])
    return paths


READ = """
import json, sys
from pathlib import Path
from atomloom.arrays import open_arrays
from atomloom.errors import DataError
from atomloom.inert import load, plain, stubs

def read(path):
    if path.suffix == ".pkl":
        return load(path)
    return [rows.value for rows in open_arrays(path).values()]

def examined(path):
    try:
        value = read(path)
        return ["value", [stub.path for stub in stubs(value)], repr(plain(value))[:200]]
    except DataError as error:
        return ["error", [error.asked, error.found, error.todo], str(error)]

paths = json.load(sys.stdin)
for path in paths["honest"]:
    examined(Path(path))
events, own = [], set(paths["evil"].values())
def hook(event, args):
    if event == "open" and str(args[0]) in own and args[1] in ("r", "rb") and not args[2] & 3:
        return
    if event in ("builtins.id", "mmap.__new__") or (event == "compile" and args[1] == "<unknown>"):
        return  # a header is parsed by ast.literal_eval, which compiles to a tree and not to code
    events.append([event, repr(args)[:200]])
sys.addaudithook(hook)
results = {}
for file, path in paths["evil"].items():
    events.clear()
    results[file] = {"outcome": examined(Path(path)), "events": list(events)}
status = Path("/proc/self/status")
peak = [line.split()[1] for line in status.read_text().splitlines() if "VmHWM" in line] if status.exists() else []
results["memory"] = int(peak[0]) * 1024 if peak else None
print(json.dumps(results))
"""

FALL_FOR = """
import json, pickle, sys
for file, path in json.load(sys.stdin).items():
    try:
        with open(path, "rb") as stream:
            pickle.load(stream)
    except BaseException:
        pass
"""


def _child(script: str, given: Any, folder: Path) -> str:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))\n" + script
    command = [sys.executable, "-c", limited]
    environment = {"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files and, if anything went wrong, the canaries are."""
    return tmp_path_factory.mktemp("evil")


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Any]:
    """What the child said of each file."""
    honest = [folder / "honest.pkl", folder / "honest.npz"]
    honest[0].write_bytes(pickle.dumps([np.zeros(3), np.array([{"a": np.float32(1)}]), np.zeros(1, "M8[s]")]))
    np.savez_compressed(honest[1], a=np.array({"x": 1}, dtype=object))
    given = {
        "honest": [str(path) for path in honest],
        "evil": {file: str(path) for file, path in _files(folder).items()},
    }
    answer: dict[str, Any] = json.loads(_child(READ, given, folder))
    return answer


NAMES = [f"{what}.pkl" for what in (*LIVE, *QUIET)]
NAMES += ["object array.npy", "stored member.npz", "compressed member.npz", "zip bomb.npz", "lying zip.npz"]
NAMES += ["member with a path.npz"]


@pytest.mark.parametrize("file", NAMES)
def test_nothing_is_executed(file: str, results: dict[str, Any], folder: Path) -> None:
    """The file gives stubs or a DataError, and the interpreter saw no event beyond the opening of that file."""
    result = results[file]
    assert result["events"] == []
    assert result["outcome"][0] in ("value", "error")
    if result["outcome"][0] == "error":
        assert all(result["outcome"][1])
    assert not list(folder.glob("*.canary"))


@pytest.mark.parametrize("what", LIVE)
def test_attacks_stay_visible(what: str, results: dict[str, Any]) -> None:
    """What a file wanted to call is named, as a stub or in the refusal."""
    kind, detail, text = results[f"{what}.pkl"]["outcome"]
    assert detail if kind == "value" else "Cannot read" in text


def test_bombs_stay_small(results: dict[str, Any]) -> None:
    """None of the files takes memory that it does not fill itself."""
    if results["memory"] is None:
        pytest.skip("this system does not tell the peak memory of a process")
    assert results["memory"] < MEMORY


BOMBS = """
huge shape.pkl, overflowing shape.pkl, many items of no bytes.pkl, lying bytes.pkl, lying number.pkl, deep dtype.pkl,
billion laughs.pkl, billion laughs as a key.pkl, deep lists.pkl, deep tuples.pkl, deep arrays.pkl, zip bomb.npz,
lying zip.npz, member with a path.npz, pointers as objects.pkl, pointers in a record.pkl, extension 1.pkl"""


@pytest.mark.parametrize("file", BOMBS.strip().replace("\n", " ").split(", "))
def test_bombs_are_refused(file: str, results: dict[str, Any]) -> None:
    """What cannot be an honest file is an error, not a value."""
    assert results[file]["outcome"][0] == "error"


def test_the_attacks_are_no_duds(tmp_path: Path) -> None:
    """Python's own pickle module runs each of them, so the reader above had something to withstand."""
    paths = {file: str(path) for file, path in _written(_live(tmp_path), tmp_path).items()}
    _child(FALL_FOR, paths, tmp_path)
    touched = {path.name for path in tmp_path.glob("*.canary")}
    assert touched == {f"{what}.canary".replace(" ", "-") for what in LIVE}
