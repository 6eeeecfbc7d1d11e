"""Reads a pickle from a file or from memory; every refusal becomes a `DataError` that names the place."""

from __future__ import annotations

import io
import os
import pickletools
from pathlib import Path
from typing import Any, BinaryIO

from atomloom.errors import DataError
from atomloom.inert.limits import MALFORMED, Refused
from atomloom.inert.machine import Machine
from atomloom.inert.walk import check

_NAMES = {opcode.code.encode("latin-1"): opcode.name for opcode in pickletools.opcodes}

_TODO = "The file is no pickle, is damaged, or was made to do harm; get it again from where it came from"


def load(source: Path | bytes | BinaryIO) -> Any:
    """The value in a pickle; nothing that the file asks for is imported or called.

    Plain containers, numbers, texts, numpy arrays (read-only), dtypes and scalars come back as they were written,
    bit for bit; everything else is a `Stub`. A ``defaultdict`` or ``Counter`` becomes a dict, a ``deque`` a list, and
    attributes set on an ``OrderedDict`` are dropped. Of several pickles in one file the first is read, from where a
    stream stands.

    Args:
        source: a path, the bytes themselves, or a binary stream.

    Raises:
        DataError: the file cannot be read, is damaged, or asks for more than `atomloom.inert.limits` allows.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return loads(bytes(source))
    if not isinstance(source, str | os.PathLike):
        return _from_stream(source, str(getattr(source, "name", "the pickle")))
    asked = f"read {str(source)!r}"
    try:
        with open(source, "rb") as stream:
            return _from_stream(stream, repr(str(source)))
    except FileNotFoundError:
        raise DataError(asked, "there is no such file", "Check the path") from None
    except OSError as error:
        raise DataError(asked, f"the system answers {error.strerror!r}", "Check the path and its permissions") from None


def loads(data: bytes, name: str = "") -> Any:
    """The value in a pickle that is in memory; see `load`.

    Args:
        data: the pickle.
        name: how error messages call it.

    >>> import pickle
    >>> loads(pickle.dumps({"Z": [8, 1, 1]}))
    {'Z': [8, 1, 1]}
    """
    return _run(io.BytesIO(data), len(data), name or "the pickle")


def _from_stream(stream: BinaryIO, name: str) -> Any:
    if isinstance(stream, io.RawIOBase) or not stream.seekable():
        return _run(io.BytesIO(data := stream.read()), len(data), name)
    start = stream.tell()
    size = stream.seek(0, io.SEEK_END) - start
    stream.seek(start)
    return _run(stream, size, name)


def _run(stream: BinaryIO, size: int, name: str) -> Any:
    asked = f"read {name}"
    if not size:
        raise DataError(asked, "it is empty (0 bytes)", "Check that it was written and copied completely")
    machine = Machine(stream, size)
    try:
        value = machine.run()
        check(value)
    except MALFORMED as error:
        raise DataError(asked, f"{_place(machine)}: {_reason(error)}", _TODO) from None
    return value


def _place(machine: Machine) -> str:
    name = _NAMES.get(machine.opcode, repr(machine.opcode)) + " " if machine.opcode else ""
    return f"instruction {name}at byte {machine.start}"


def _reason(error: BaseException) -> str:
    if isinstance(error, Refused):
        return str(error)
    return f"it makes no sense ({type(error).__name__}: {error})" if str(error) else "it makes no sense"
