"""Converting takes the memory of some blocks, whatever the size of the source or of a frame."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from atomloom.readers import read

SPARE = 64
"""Megabytes of address space beside what imports take."""

CONVERT = f"""
import resource, sys
from pathlib import Path
from atomloom.cli import main

UNITS = ["--unit", "R=angstrom", "--unit", "E=eV", "--unit", "F=eV/angstrom"]

def convert(source, target):
    sys.argv = ["atomloom", "--quiet", "convert", source, target, *UNITS]
    try:
        main()
    except SystemExit as exit:
        assert not exit.code, exit.code

few, source, target = sys.argv[1:]
convert(few, target + ".few.npz")  # imports whatever converting needs
lines = Path("/proc/self/status").read_text().splitlines()
taken = next(int(line.split()[1]) for line in lines if line.startswith("VmSize")) * 1024
resource.setrlimit(resource.RLIMIT_AS, (taken + ({SPARE} << 20),) * 2)
convert(source, target)
"""


def frames(count: int, longest: int) -> dict[str, np.ndarray]:
    """So many frames of different length, padded."""
    random = np.random.default_rng(0)
    lengths = random.integers(max(longest // 2, 1), longest + 1, count)
    real = np.arange(longest) < lengths[:, None]
    vectors = np.round(random.normal(scale=5.0, size=(2, count, longest, 3)), 1) * real[..., None]
    numbers = random.choice([1, 6, 7, 8], (count, longest)) * real
    return {"Z": numbers, "R": vectors[0], "F": vectors[1], "E": random.normal(size=count) - 4e5, "N": lengths}


def repeated(path: Path, arrays: dict[str, np.ndarray], times: int, compression: int = zipfile.ZIP_STORED) -> Path:
    """An .npz of these frames so many times over, never held in memory as a whole."""
    with zipfile.ZipFile(path, "w", compression, compresslevel=1) as archive:
        for name, values in arrays.items():
            shape = (times * len(values), *values.shape[1:])
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                described = {"descr": values.dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_2_0(member, described)
                for _ in range(times):
                    member.write(values.tobytes())
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell what a process takes")
@pytest.mark.parametrize(
    ("megabytes", "count", "longest", "compression"),
    [
        pytest.param(256, 1000, 60, zipfile.ZIP_STORED, id="small frames"),
        pytest.param(256, 10, 20_000, zipfile.ZIP_STORED, id="large frames"),
        pytest.param(128, 1000, 60, zipfile.ZIP_DEFLATED, id="compressed"),
        pytest.param(1024, 1000, 60, zipfile.ZIP_STORED, id="1 GB", marks=pytest.mark.slow),
    ],
)
def test_a_large_source_is_converted_in_little_memory(
    megabytes: int, count: int, longest: int, compression: int, tmp_path: Path
) -> None:
    """With 64 MB of address space beside what imports take, a source of many times as much arrives whole."""
    arrays = frames(count, longest)
    times = megabytes * 1_000_000 // sum(values.nbytes for values in arrays.values())
    few = repeated(tmp_path / "few.npz", frames(3, longest), 1)
    source = repeated(tmp_path / "source.npz", arrays, times, compression)
    target = tmp_path / "target.npz"
    command = [sys.executable, "-c", CONVERT, str(few), str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    dataset = read(target)
    assert len(dataset) == times * count
    some = np.array([0, count // 2, times * count // 2, times * count - 1])
    for frame, batch in zip(some, map(dataset[some].take, [[0], [1], [2], [3]]), strict=True):
        length = arrays["N"][frame % count]
        assert all(np.array_equal(batch[name], arrays[name][frame % count, :length]) for name in ("Z", "R", "F"))
        assert batch["E"] == arrays["E"][frame % count]
