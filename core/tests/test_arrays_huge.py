"""Arrays of 20 GB, most of which is a hole on the disk: looking at single rows reads no more than these."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest

from atomloom.arrays import open_arrays

HUGE = (100_000_000, 25)
"""Shape of an array of float64 that takes 20 GB."""

LITTLE = 1 << 20
"""Bytes that looking at two rows of it may cost."""


def _sparse(path: Path, before: bytes, size: int, after: bytes = b"") -> Path:
    try:
        with open(path, "wb") as stream:
            stream.write(before)
            stream.seek(size, io.SEEK_CUR)
            stream.write(after)
            stream.truncate()
    except OSError as error:
        pytest.skip(f"no sparse files of 20 GB here: {error.strerror}")
    if path.stat().st_blocks * 512 > 1 << 30:
        path.unlink()
        pytest.skip("files are not sparse here")
    return path


def _huge_header() -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": HUGE})
    return stream.getvalue()


def _zip64(path: Path) -> Path:
    """An .npz with a stored member of 20 GB that is a hole, its sizes in zip64 fields as numpy writes them."""
    header, size = _huge_header(), 8 * HUGE[0] * HUGE[1]
    total, name = len(header) + size, b"R.npy"
    sizes = struct.pack("<HHQQ", 1, 16, total, total)
    common = struct.pack("<5HL2L2H", 45, 0, 0, 0, 33, 0, 2**32 - 1, 2**32 - 1, len(name), len(sizes))
    local = b"PK\x03\x04" + common + name + sizes
    central = b"PK\x01\x02" + struct.pack("<H", 45) + common + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name + sizes
    at = len(local) + total
    end64 = b"PK\x06\x06" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, 1, 1, len(central), at)
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, at + len(central), 1)
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, len(central), 2**32 - 1, 0)
    return _sparse(path, local + header, size, central + end64 + locator + end)


def _cost() -> int:
    """Bytes that this process has read or holds in memory."""
    io_file, memory = Path("/proc/self/io"), Path("/proc/self/smaps_rollup")
    if not (io_file.exists() and memory.exists()):
        pytest.skip("this system does not tell what a process reads")
    read = int(next(line.split()[1] for line in io_file.read_text().splitlines() if line.startswith("rchar")))
    resident = int(next(line.split()[1] for line in memory.read_text().splitlines() if line.startswith("Rss")))
    return read + 1024 * resident


@pytest.mark.parametrize("kind", ["npy", "zip64"])
def test_two_rows_of_20_gb(kind: str, tmp_path: Path) -> None:
    """Length, shape and single rows of a 20 GB array cost less than 1 MB."""
    path = tmp_path / ("R.npy" if kind == "npy" else "R.npz")
    _sparse(path, _huge_header(), 8 * HUGE[0] * HUGE[1]) if kind == "npy" else _zip64(path)
    _cost()  # its own first call costs something
    before = _cost()
    rows = open_arrays(path)["R"]
    assert (len(rows), rows.shape, rows.dtype) == (HUGE[0], HUGE, np.dtype("f8"))
    assert rows[np.array([5, 9, HUGE[0] - 1])].tolist() == [[0.0] * 25] * 3
    assert rows[7:9].shape == (2, 25)
    assert _cost() - before < LITTLE
