"""Many files become one store: the same bytes for any number of workers, whatever happens on the way, or nothing."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.data import PerFrame
from atomloom.errors import ConfigError, DataError, InputError, TargetError, UnitError
from atomloom.harmonizing import Choices
from atomloom.specs import Field
from atomloom.writers import write
from atomloom_memmap import Store, converting, write_store
from atomloom_memmap.building import Build
from atomloom_memmap.converting import Conversion, convert, jobs_of
from atomloom_memmap.part_writer import PartWriter

UNITS = {"R": "angstrom", "E": "eV"}
OPTIONS = [option for name, unit in UNITS.items() for option in ("--unit", f"{name}={unit}")]


def arrays(seed: int, frames: int = 5000, longest: int = 12) -> dict[str, Any]:
    """Padded molecules; those of the default number make a file and a store of more than a MiB each."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(longest // 2, longest + 1, frames)
    real = np.arange(longest) < lengths[:, None]
    sites = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3)[:longest] * 1.5
    positions = (sites + rng.normal(scale=0.05, size=(frames, longest, 3))) * real[..., None]
    return {"Z": np.where(real, 6, 0), "R": positions, "E": rng.normal(size=frames), "N": lengths}


def saved(folder: Path, count: int = 3, **options: Any) -> tuple[str, ...]:
    """So many files of such molecules."""
    for number in range(count):
        np.savez(folder / f"part-{number}.npz", **arrays(number, **options))
    return tuple(str(folder / f"part-{number}.npz") for number in range(count))


def conversion(paths: tuple[str, ...], target: Path, **options: Any) -> Conversion:
    """Of these files, in shards of a MiB."""
    return Conversion(paths, target, **{"choices": Choices(units=UNITS), "shard_mib": 1, **options})


def tree(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def beside(target: Path) -> list[str]:
    """What lies in the folder of a target, apart from sources."""
    return sorted(path.name for path in target.parent.iterdir() if path.suffix not in (".npz", ".py"))


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Three files, each of which makes a shard."""
    return saved(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def whole(paths: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of these files, made by one process."""
    target = tmp_path_factory.mktemp("whole") / "a.packed"
    convert(conversion(paths, target))
    return target


def test_all_frames_are_there_in_the_order_of_the_files(whole: Path, paths: tuple[str, ...]) -> None:
    """Every value is that of the sources, and padded atoms are dropped."""
    data, given = Store(whole).dataset(), [arrays(number) for number in range(len(paths))]
    for name in ("Z", "R"):
        real = [each[name][np.arange(12) < each["N"][:, None]] for each in given]
        assert np.array_equal(data[name], np.concatenate(real))
    assert np.array_equal(data["E"], np.concatenate([each["E"] for each in given]))
    assert np.array_equal(data["N"], np.concatenate([each["N"] for each in given]))
    assert [each.name for each in Store(whole).manifest.sources] == [Path(path).name for path in paths]
    assert not Store(whole).verify()


def test_bytes_do_not_depend_on_workers(whole: Path, paths: tuple[str, ...], tmp_path: Path) -> None:
    """Three processes write what one writes."""
    convert(conversion(paths, tmp_path / "a.packed", workers=3))
    assert tree(tmp_path / "a.packed") == tree(whole)
    assert beside(tmp_path / "a.packed") == ["a.packed"]


@pytest.mark.parametrize(
    ("sizes", "jobs"),
    [
        ([10], [[0]]),
        ([400, 400, 400], [[0, 1], [2]]),
        ([2000, 10, 10, 2000, 10], [[0], [1, 2], [3], [4]]),
        ([1024, 1], [[0], [1]]),
    ],
)
def test_small_files_are_put_together(sizes: list[int], jobs: list[list[int]], tmp_path: Path) -> None:
    """Neighbours up to the size of a shard, in their order."""
    for number, size in enumerate(sizes):
        (tmp_path / f"{number}.npz").write_bytes(bytes(size * 1024))
    made = jobs_of(conversion((str(tmp_path / "*.npz"),), tmp_path / "a.packed"))
    assert [[int(Path(file).stem) for file in job.files] for job in made] == jobs


def test_small_files_make_one_shard(tmp_path: Path) -> None:
    """They are read as one, and each only once."""
    paths = saved(tmp_path, 5, frames=10)
    convert(conversion(paths, tmp_path / "a.packed"))
    assert [shard.frames for shard in Store(tmp_path / "a.packed").manifest.shards] == [50]
    expected = np.concatenate([arrays(number, frames=10)["E"] for number in range(5)])
    assert np.array_equal(Store(tmp_path / "a.packed").dataset()["E"], expected)


def test_one_job_is_harmonised_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking through it and writing it share what was read."""
    calls, load = [], Conversion.load
    monkeypatch.setattr(Conversion, "load", lambda self, files: calls.append(files) or load(self, files))
    convert(conversion(saved(tmp_path, 1, frames=10), tmp_path / "a.packed"))
    assert len(calls) == 1


@pytest.mark.parametrize("frames", [10, 6000], ids=["one job", "two jobs"])
def test_fields_of_the_same_frames_in_two_files(frames: int, tmp_path: Path) -> None:
    """Files that share no field are laid side by side, also where each is as large as a shard."""
    given = arrays(0, frames)
    np.savez(tmp_path / "a.npz", **{name: given[name] for name in ("Z", "R", "N")})
    np.savez(tmp_path / "b.npz", E=given["E"], F=np.zeros_like(given["R"]), D=np.zeros((frames, 3)))
    choices = Choices(units={**UNITS, "F": "eV/angstrom", "D": "e*angstrom"})
    convert(conversion((str(tmp_path / "*.npz"),), tmp_path / "s", choices=choices))
    data = Store(tmp_path / "s").dataset()
    assert (len(data), set(data.columns)) == (frames, {"Z", "R", "E", "F", "D", "N"})
    assert np.array_equal(data["E"], given["E"])


def test_adding_leaves_open_readers_alone(paths: tuple[str, ...], whole: Path, tmp_path: Path) -> None:
    """Who has the store open goes on with the frames that it had; who opens it now has all of them."""
    target = tmp_path / "a.packed"
    convert(conversion(paths[:1], target))
    reader = Store(target)
    before = reader.dataset().take(np.arange(5))
    convert(conversion(paths[1:], target, adding=True, workers=2))
    assert len(reader) == 5000
    assert np.array_equal(reader.dataset().take(np.arange(5))["R"], before["R"])
    assert np.array_equal(Store(target).dataset()["R"], Store(whole).dataset()["R"])
    assert [each.name for each in Store(target).manifest.sources] == [Path(path).name for path in paths]
    assert not Store(target).verify()
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "shards"]


# ---- What is stopped on the way. A script's own lines run in its workers too, which slows all of them.

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
    convert(conversion(paths, target, workers=1))
    now = {f"{path.parent.name}/{path.name}": path.stat().st_ino for path in target.glob("shards/*/*")}
    assert kept.items() <= now.items()
    assert tree(target) == tree(whole)
    assert beside(target) == ["a.packed"]


@needs_proc
def test_core_converts_as_well(tmp_path: Path) -> None:
    """`atomloom convert ... --to memmap` goes on after it was killed, too."""
    np.savez(tmp_path / "large.npz", **arrays(1, frames=30_000))
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
    assert np.array_equal(Store(target).dataset()["E"], arrays(1, frames=30_000)["E"])


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
    convert(conversion(paths, target))
    assert tree(target) == tree(whole)


# ---- What cannot become a store.


def spoilt(**changes: Any) -> dict[str, Any]:
    """Ten molecules with other arrays; None leaves one out."""
    given = {**arrays(0, frames=10), **changes}
    return {name: values for name, values in given.items() if values is not None}


NAN = np.array([0.0, np.nan] * 5)
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("lengths", spoilt(E=np.zeros(9)), r"Cannot take 'E' as E of .*: it has 9 rows and there are 10 frames"),
    ("long", spoilt(N=np.full(10, 13)), "N of frame 0 is 13 and the arrays hold 0 to 12"),
    ("energies", spoilt(E=NAN), r"NaN or infinite in 5 of 10 frames \(1, 3, 5, 7, 9\). Repair .* with --drop-bad"),
    ("forces", spoilt(R=None, F=np.zeros((10, 12, 3))), "no positions R that they act at"),
]


@pytest.mark.parametrize(("content", "found"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_files_are_named(content: dict[str, Any], found: str, tmp_path: Path) -> None:
    """Whatever it is that makes no sense in them; nothing is written."""
    np.savez(tmp_path / "spoilt.npz", **content)
    units = {name: unit for name, unit in {**UNITS, "F": "eV/angstrom"}.items() if name in content}
    with pytest.raises(DataError, match=found) as caught:
        convert(conversion((str(tmp_path / "spoilt.npz"),), tmp_path / "s", choices=Choices(units=units)))
    assert str(tmp_path / "spoilt.npz") in str(caught.value)
    assert beside(tmp_path / "s") == []


def test_what_workers_refuse_is_told(paths: tuple[str, ...], tmp_path: Path) -> None:
    """As if they were this process."""
    np.savez(tmp_path / "spoilt.npz", **spoilt(E=NAN))
    with pytest.raises(DataError, match=r"energies of '.*spoilt.npz': energies are NaN or infinite in 5 of 10 frames"):
        convert(conversion((*paths, str(tmp_path / "spoilt.npz")), tmp_path / "s", workers=2))
    assert beside(tmp_path / "s") == []


def test_bad_frames_are_left_out_if_asked(tmp_path: Path) -> None:
    """They are counted and named with their file, and the others are there."""
    energies = np.where(np.isin(np.arange(10), [2, 7]), np.nan, 1.0)
    np.savez(tmp_path / "a.npz", **spoilt())
    np.savez(tmp_path / "b.npz", **spoilt(E=energies))
    choices = Choices(units=UNITS, drop_bad=True)
    findings = convert(conversion((str(tmp_path / "*.npz"),), tmp_path / "s", choices=choices))
    (told,) = (each.note for each in findings if each.rule == "your choice" and each.level == "warning")
    assert told == f"2 frames with NaN or infinite energies left out (2, 7) in '{tmp_path / 'b.npz'}'"
    data = Store(tmp_path / "s").dataset()
    assert len(data) == 18
    assert np.isfinite(data["E"]).all()


def test_units_that_nothing_settles_are_asked_for(tmp_path: Path) -> None:
    """With the option that settles them, and the file."""
    dipoles = {"D": np.random.default_rng(0).normal(size=(10, 3))}
    np.savez(tmp_path / "a.npz", **spoilt(), **dipoles)
    with pytest.raises(UnitError, match=r"Settle it with --unit D=UNIT") as caught:
        convert(conversion((str(tmp_path / "a.npz"),), tmp_path / "s"))
    assert str(tmp_path / "a.npz") in str(caught.value)
    assert beside(tmp_path / "s") == []


def labelled(path: Path, level: str, unit: str = "eV", frames: int = 10) -> str:
    """A file that says its level of theory, and a unit that no other field has."""
    given = arrays(0, frames)
    data = Dataset.from_arrays({name: given[name] for name in ("Z", "R", "E")}, lengths={"atom": given["N"]})
    strange = {"gap": PerFrame(np.zeros(frames))}, {"gap": Field(name="gap", dims=("frame",), unit=unit)}
    write(data.with_columns(*strange).with_meta(level_of_theory=level), path)
    return str(path)


@pytest.mark.parametrize("frames", [10, 6000], ids=["one job", "two jobs"])
@pytest.mark.parametrize(
    ("other", "found"),
    [
        (("PBE", "eV"), r"'.*a.npz' is at the level of theory 'B3LYP' and '.*b.npz' at 'PBE'. Make a store of each"),
        (
            ("B3LYP", "hartree"),
            r"'gap' is \[frame\] \[\] in eV in '.*a.npz' and \[frame\] \[\] in hartree in '.*b.npz'",
        ),
    ],
    ids=["level", "unit"],
)
def test_sources_that_do_not_belong_together(other: tuple[str, str], found: str, frames: int, tmp_path: Path) -> None:
    """Of different levels of theory or units: both are named, nothing is written."""
    paths = (labelled(tmp_path / "a.npz", "B3LYP", frames=frames), labelled(tmp_path / "b.npz", *other, frames=frames))
    with pytest.raises(DataError, match=found):
        convert(conversion(paths, tmp_path / "s"))
    assert beside(tmp_path / "s") == []


def test_core_refuses_different_levels_for_a_store(tmp_path: Path) -> None:
    """`atomloom convert` joins the sources itself, and what they said is not lost on the way, nor in a file between."""
    from click.testing import CliRunner

    from atomloom.cli.convert import convert as command

    paths = [labelled(tmp_path / f"{name}.npz", level) for name, level in (("a", "B3LYP"), ("b", "PBE"))]
    found = r"'a.npz' is at the level of theory 'B3LYP'; 'b.npz' is at the level of theory 'PBE'. Make a store of each"
    with pytest.raises(DataError, match=found):
        CliRunner().invoke(command, [*paths, str(tmp_path / "s.packed")], catch_exceptions=False)
    both = str(tmp_path / "both.npz")
    CliRunner().invoke(command, [*paths, both], catch_exceptions=False)
    with pytest.raises(DataError, match=found):
        CliRunner().invoke(command, [both, str(tmp_path / "s.packed")], catch_exceptions=False)
    assert beside(tmp_path / "s") == []


def test_a_level_of_its_own_is_not_added(tmp_path: Path) -> None:
    """Frames of another level of theory do not go behind those of a store."""
    convert(conversion((labelled(tmp_path / "a.npz", "B3LYP"),), tmp_path / "s"))
    other = labelled(tmp_path / "b.npz", "PBE")
    with pytest.raises(DataError, match=r"'.*s' is at the level of theory 'B3LYP' and '.*b.npz' at 'PBE'"):
        convert(conversion((other,), tmp_path / "s", adding=True))
    assert len(Store(tmp_path / "s")) == 10


def free(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let the disk have so many bytes left."""
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=room))


def test_no_room_is_told_before_anything_is_written(
    paths: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all files together, though there is room for each."""
    written = []
    monkeypatch.setattr(converting, "_pack", lambda *_: written.append(1))
    free(monkeypatch, 4_000_000)
    with pytest.raises(TargetError, match=r"it takes 0.00\d+ GB and the disk has 0.004 GB left. Free some space"):
        convert(conversion(paths, tmp_path / "s"))
    assert not written
    assert beside(tmp_path / "s") == []


def test_what_is_finished_needs_no_room_again(
    paths: tuple[str, ...], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversion that goes on asks for as much as is left to write."""
    target, pack = tmp_path / "a.packed", converting._pack

    def interrupted(build: Any, number: int, expected: Mapping[int, str], job: Any) -> Any:
        if job.number == 2:
            raise KeyboardInterrupt
        return pack(build, number, expected, job)

    with monkeypatch.context() as patched:
        patched.setattr(converting, "_pack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            convert(conversion(paths, target))
    free(monkeypatch, 4_000_000)
    convert(conversion(paths, target))
    assert tree(target) == tree(whole)


def test_a_disk_that_gets_full_leaves_nothing(
    paths: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-way, in the second file."""
    calls, finish = iter(range(1)), PartWriter.finish

    def full(self: PartWriter, folder: str) -> Any:
        if next(calls, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return finish(self, folder)

    monkeypatch.setattr(PartWriter, "finish", full)
    with pytest.raises(TargetError, match=r"the disk is full. Free some space or choose another place"):
        convert(conversion(paths, tmp_path / "s"))
    assert beside(tmp_path / "s") == []


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
    assert beside(tmp_path / "s") == []


def test_a_source_that_changes_meanwhile_is_told(
    paths: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written is what was looked through."""
    copies = tuple(shutil.copy(path, tmp_path) for path in paths)
    surveyed = converting._surveyed

    def then_changed(*arguments: Any) -> Any:
        found = surveyed(*arguments)
        np.savez(copies[1], **arrays(7))
        return found

    monkeypatch.setattr(converting, "_surveyed", then_changed)
    with pytest.raises(DataError, match=r"part-1.npz': it has changed since it was looked at"):
        convert(conversion(copies, tmp_path / "s"))
    assert beside(tmp_path / "s") == []


def test_of_two_conversions_the_second_is_refused(paths: tuple[str, ...], tmp_path: Path) -> None:
    """Where another process writes the same store."""
    with (
        Build(tmp_path / "s").alone(),
        pytest.raises(TargetError, match=rf"process {os.getpid()} on \S+ is writing it"),
    ):
        convert(conversion(paths, tmp_path / "s"))


def test_a_folder_that_is_no_store_is_kept(paths: tuple[str, ...], tmp_path: Path) -> None:
    """It is refused before a source is read."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s/thesis.tex").write_text("ten years")
    with pytest.raises(TargetError, match=r"no packed store, and it will not be removed"):
        convert(conversion(("missing.npz",), tmp_path / "s"))
    assert (tmp_path / "s/thesis.tex").read_text() == "ten years"


def test_a_store_of_a_newer_version_is_not_added_to(tmp_path: Path) -> None:
    """Nobody knows what its fields mean."""
    path = tmp_path / "s"
    write_store(Dataset.from_frames([{"Z": [1], "R": [[0.0, 0, 0]]}]), path)
    text = (path / "manifest.json").read_bytes().replace(b'"atomloom-memmap": 1', b'"atomloom-memmap": 9', 1)
    (path / "manifest.json").write_bytes(text)
    with pytest.raises(DataError, match=r"it is of format 9, and this atomloom-memmap reads format 1. Update"):
        convert(conversion(("missing.npz",), path, adding=True))


@pytest.mark.parametrize("options", [{"workers": 0}, {"shard_mib": 0}])
def test_nothing_is_done_by_nobody(options: dict[str, int], tmp_path: Path) -> None:
    """No workers, or shards of no size."""
    with pytest.raises(ConfigError, match="Ask for one or more of both"):
        convert(conversion(("missing.npz",), tmp_path / "s", **options))


def test_a_missing_file_is_told(paths: tuple[str, ...], tmp_path: Path) -> None:
    """Among others that are there."""
    with pytest.raises(InputError, match=r"missing.npz': there is no such file"):
        convert(conversion((*paths, str(tmp_path / "missing.npz")), tmp_path / "s"))


# ---- Memory.

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
def test_a_large_file_is_packed_in_little_memory(way: str, tmp_path: Path) -> None:
    """With 64 MB of address space beside what imports take, a padded source of 1 GB arrives whole."""
    given = arrays(0, frames=1000, longest=27)
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
