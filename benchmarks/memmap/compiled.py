"""A gather in C, compiled here and now: what the memory of this machine allows."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memmap.contenders import Contender, Epoch, by_batch
from memmap.measuring import rate
from memmap.molecules import FRAMES, SLOTS, Indices, Padded
from memmap.plain import mapped, write_packed

COMPILER = os.environ.get("CC", "cc")
_SOURCE = Path(__file__).parent / "gather.c"
_FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
_AHEAD = (0, 2, 4, 8)  # how far ahead to fetch: processors differ, the quickest is used


class _Field(ctypes.Structure):
    _fields_ = (("rows", ctypes.c_void_p), ("out", ctypes.c_void_p), ("size", ctypes.c_int64))


class Gather:
    """The compiled loop over arrays in memory or in files.

    Args:
        arrays: Z, R, F and E of all molecules, and the offsets of the first three.
        folder: where the library is put.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], folder: Path) -> None:
        self.ahead = 0
        self._offsets, self._fields = arrays["offsets"], [arrays[name] for name in Padded._fields]
        *ragged, energies = self._fields
        sizes = [field.dtype.itemsize * int(np.prod(field.shape[1:])) for field in ragged]
        self._starts = np.cumsum([0, *(FRAMES * SLOTS * size for size in sizes)]).tolist()
        self._given = (_Field * len(ragged))(
            *(_Field(field.ctypes.data, 0, size) for field, size in zip(ragged, sizes, strict=True))
        )
        self._energies, self._bounds = energies.ctypes.data, self._offsets.ctypes.data
        self._gather = compiled(folder)

    def read(self, chosen: Indices) -> Padded:
        """One batch, in memory of its own."""
        frames, (z, r, f, e) = len(chosen), self._starts
        memory = np.empty(e + 8 * FRAMES, dtype=np.uint8)
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        for field, start in zip(self._given, self._starts, strict=False):
            field.out = address + start
        out, order = address + e, chosen.ctypes.data
        known = (self._given, len(self._given), self._energies, out, self._bounds)
        self._gather(*known, order, frames, SLOTS, self.ahead)
        return Padded(
            np.ndarray((frames, SLOTS), np.uint8, memory, z),
            np.ndarray((frames, SLOTS, 3), np.float32, memory, r),
            np.ndarray((frames, SLOTS, 3), np.float32, memory, f),
            np.ndarray((frames,), np.float64, memory, e),
        )

    def tune(self) -> None:
        """Choose how far ahead to fetch."""
        rng, epoch, rates = np.random.default_rng(2), by_batch(self.read), {}
        for self.ahead in _AHEAD:
            rates[self.ahead] = rate(epoch, len(self._offsets) - 1, rng)
        self.ahead = max(_AHEAD, key=lambda ahead: rates[ahead])


def compiled(folder: Path) -> Any:
    """The function of `gather.c`, compiled into a folder."""
    library = folder / "gather.so"
    subprocess.run([COMPILER, *_FLAGS, "-o", str(library), str(_SOURCE)], check=True)
    function = ctypes.CDLL(str(library)).gather
    pointers, numbers = (ctypes.c_void_p,) * 4, (ctypes.c_int64,) * 3
    function.argtypes = (ctypes.POINTER(_Field), ctypes.c_int64, *pointers, *numbers)
    function.restype = None
    return function


def open_gather(folder: Path) -> Epoch:
    """Compile, choose how far ahead to fetch, and read."""
    gather = Gather({name: mapped(folder, name) for name in ("offsets", *Padded._fields)}, folder)
    gather.tune()
    return by_batch(gather.read)


def missing() -> str:
    """Why there is no compiled loop, or nothing."""
    return "" if shutil.which(COMPILER) else f"there is no C compiler {COMPILER!r} here"


CONTENDERS = (Contender("C gather", write_packed, open_gather, limit=0.40, missing=missing),)
