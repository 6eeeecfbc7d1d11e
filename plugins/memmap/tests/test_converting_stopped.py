"""Conversions that are stopped on the way go on, whoever stops them; and what they take while they run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom.harmonizing import Choices
from atomloom_memmap import Store
from atomloom_memmap.converting import Conversion, convert

UNITS = {"R": "angstrom", "E": "eV"}
OPTIONS = [option for name, unit in UNITS.items() for option in ("--unit", f"{name}={unit}")]
Padded = Callable[..., dict[str, Any]]


def tree(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def beside(folder: Path) -> list[str]:
    """What lies in a folder apart from scripts."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".py")


# A worker runs the lines of a script that do not stand behind its last `if`, so every shard takes its time there too.
SCRIPT = """
import os, sys, time
from atomloom_memmap.building import Build

finish = Build.finish

def slowly(self, name, shard):
    finish(self, name, shard)
    time.sleep(0.4)

Build.finish = slowly

if __name__ == "__main__":
    from atomloom.cli import main
    sys.argv = ["atomloom", *sys.argv[1:]]
    main()
"""

COMMANDS = {
    "one process": lambda paths, target: ["memmap", "convert", *paths, "-o", target, "--workers=1", "--shard-mib=1"],
    "workers": lambda paths, target: ["memmap", "convert", *paths, "-o", target, "--workers=2", "--shard-mib=1"],
}


class Running:
    """A conversion in a program of its own that takes its time."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        script = folder / "slow.py"
        script.write_text(SCRIPT)
        command = [sys.executable, str(script), *arguments, *OPTIONS]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def wait_for(self, path: Path) -> None:
        """Wait until it has made this."""
        ended = time.monotonic() + 120
        while not path.exists():
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < ended, f"nobody made {path}"
            time.sleep(0.005)

    def workers(self) -> list[int]:
        """The processes that it started and that did not end yet."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(session) == self.process.pid and state != "Z" and int(path.parent.name) != self.process.pid:
                found.append(int(path.parent.name))
        return found

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it said, once all of its processes have ended."""
        _, said = self.process.communicate(timeout=120)
        limit = time.monotonic() + 10
        while self.workers():
            assert time.monotonic() < limit, "workers outlive who started them"
            time.sleep(0.01)
        return self.process.returncode, said


def stamps(folder: Path) -> dict[str, int]:
    """The inodes of the files of all shards below a folder that are complete."""
    done = [path.stem for path in folder.rglob("done/*.json")]
    return {
        f"{path.parent.name}/{path.name}": path.stat().st_ino
        for path in folder.rglob("shards/*/*")
        if path.parent.name in done
    }


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")


@needs_proc
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_conversions_go_on(
    command: str, how: signal.Signals, paths: tuple[str, ...], whole: Path, tmp_path: Path
) -> None:
    """No worker outlives the command, finished shards are not written again, and the bytes are the same in the end."""
    target = tmp_path / "a.packed"
    running = Running(tmp_path, COMMANDS[command](paths, str(target)))
    running.wait_for(tmp_path / "a.packed.partial/done/0.0.0.json")
    os.kill(running.process.pid, how)
    code, said = running.ended()
    kept = stamps(tmp_path / "a.packed.partial")
    assert code == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert how == signal.SIGKILL or "the same command goes on with what is finished" in said
    assert not target.exists()
    assert kept
    convert(Conversion(paths, target, choices=Choices(units=UNITS), shard_mib=1))
    now = {f"{path.parent.name}/{path.name}": path.stat().st_ino for path in target.glob("shards/*/*")}
    assert kept.items() <= now.items()
    assert tree(target) == tree(whole)
    assert beside(tmp_path) == ["a.packed"]


@needs_proc
@pytest.mark.parametrize("after", [0.0, 0.1, 0.3])
def test_ctrl_c_makes_no_noise(after: float, paths: tuple[str, ...], tmp_path: Path) -> None:
    """A terminal sends it to all processes, also to those that are just starting: only one of them says something."""
    running = Running(tmp_path, COMMANDS["workers"](paths, str(tmp_path / "s")))
    while not running.workers():
        time.sleep(0.001)
    time.sleep(after)
    os.killpg(running.process.pid, signal.SIGINT)
    code, said = running.ended()
    told = (
        f"'{tmp_path / 's'}' is as it was; the same command goes on with what is finished.\n\natomloom: interrupted.\n"
    )
    assert (code, said) == (130, told)


@needs_proc
def test_core_converts_as_well(padded: Padded, tmp_path: Path) -> None:
    """`atomloom convert ... --to memmap` goes on after it was killed, too."""
    np.savez(tmp_path / "large.npz", **padded(1, frames=30_000))
    target, options = tmp_path / "s", ["convert", str(tmp_path / "large.npz"), str(tmp_path / "s"), "--to", "memmap"]
    script = SCRIPT.replace("finish = Build.finish", "from atomloom_memmap import writing\nfinish = Build.finish")
    small = "writing.write.__kwdefaults__['shard_mib'] = 1\n"
    (tmp_path / "small.py").write_text(script.replace("Build.finish = slowly\n", f"Build.finish = slowly\n{small}"))
    command = [sys.executable, str(tmp_path / "small.py"), *options, *OPTIONS]
    process = subprocess.Popen(command)
    while not (tmp_path / "s.partial/done/0.0.1.json").exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    kept = stamps(tmp_path / "s.partial")
    again = subprocess.run([*command[:1], str(tmp_path / "small.py"), *command[2:]], check=False)
    now = {f"{path.parent.name}/{path.name}": path.stat().st_ino for path in target.glob("shards/*/*")}
    assert again.returncode == 0
    assert kept.items() <= now.items()
    assert np.array_equal(Store(target).dataset()["E"], padded(1, frames=30_000)["E"])


@needs_proc
def test_a_worker_that_is_killed_is_told(paths: tuple[str, ...], whole: Path, tmp_path: Path) -> None:
    """As systems do that run out of memory: what is finished stays, and the same command goes on."""
    target = tmp_path / "a.packed"
    running = Running(tmp_path, COMMANDS["workers"](paths, str(target)))
    running.wait_for(tmp_path / "a.packed.partial/done/0.0.0.json")
    for worker in running.workers():
        os.kill(worker, signal.SIGKILL)
    code, said = running.ended()
    assert code == 1
    assert "a worker was ended from outside, as systems do that run out of memory. Run the same command again" in said
    assert stamps(tmp_path / "a.packed.partial")
    convert(Conversion(paths, target, choices=Choices(units=UNITS), shard_mib=1))
    assert tree(target) == tree(whole)


def test_files_that_grow_too_large_in_a_worker_leave_nothing(paths: tuple[str, ...], tmp_path: Path) -> None:
    """The system refuses more bytes to a worker, and no worker writes on while everything is removed."""
    (tmp_path / "limited.py").write_text(
        "import resource\nfrom atomloom_memmap import part_writer\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n" + SCRIPT
    )
    arguments = COMMANDS["workers"](paths, str(tmp_path / "s"))
    command = [sys.executable, str(tmp_path / "limited.py"), *arguments, *OPTIONS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the file would be larger than is allowed here" in done.stderr
    assert beside(tmp_path) == []


SPARE = 64
"""Megabytes of address space beside what imports take."""

LIMITED = f"""
import resource, sys
from pathlib import Path
from atomloom.cli import main

def run(source, target):
    command = ["convert", source, target, "--to", "memmap"]
    if WAY == "memmap":
        command = ["memmap", "convert", "-i", source, "-o", target, "--workers", "1"]
    sys.argv = ["atomloom", "--quiet", *command, "--unit", "R=angstrom", "--unit", "E=eV"]
    try:
        main()
    except SystemExit as exit:
        assert not exit.code, exit.code

few, source, target, WAY = sys.argv[1:]
run(few, target + ".few")  # imports whatever converting needs
lines = Path("/proc/self/status").read_text().splitlines()
taken = next(int(line.split()[1]) for line in lines if line.startswith("VmSize")) * 1024
resource.setrlimit(resource.RLIMIT_AS, (taken + ({SPARE} << 20),) * 2)
run(source, target)
"""


def repeated(path: Path, given: Mapping[str, Any], times: int) -> str:
    """A file with these molecules so many times over, never held in memory as a whole."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in given.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                shape = (times * len(values), *values.shape[1:])
                described = {"descr": values.dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_2_0(member, described)
                for _ in range(times):
                    member.write(values.tobytes())
    return str(path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell what a process takes")
@pytest.mark.parametrize("way", ["core", "memmap"])
def test_a_large_file_is_packed_in_little_memory(way: str, padded: Padded, tmp_path: Path) -> None:
    """With 64 MB of address space beside what imports take, a padded source of 1 GB arrives whole."""
    given = padded(0, frames=1000, longest=27)
    times = 1_000_000_000 // sum(values.nbytes for values in given.values())
    few, source = repeated(tmp_path / "few.npz", given, 1), repeated(tmp_path / "source.npz", given, times)
    command = [sys.executable, "-c", LIMITED, few, source, str(tmp_path / "s"), way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    data = Store(tmp_path / "s").dataset()
    assert len(data) == times * 1000
    last = data.take([len(data) - 400])
    assert np.array_equal(last["R"], given["R"][600, : given["N"][600]])
    shutil.rmtree(tmp_path)  # pytest would keep some of these
