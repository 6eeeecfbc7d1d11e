"""Many files become one store: the same bytes for any number of workers, whatever happens on the way, or nothing."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping
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
Padded = Callable[..., dict[str, Any]]


def saved(padded: Padded, folder: Path, count: int, **options: Any) -> tuple[str, ...]:
    """So many files of such molecules."""
    for number in range(count):
        np.savez(folder / f"part-{number}.npz", **padded(number, **options))
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


def test_all_frames_are_there_in_the_order_of_the_files(padded: Padded, whole: Path, paths: tuple[str, ...]) -> None:
    """Every value is that of the sources, and padded atoms are dropped."""
    data, given = Store(whole).dataset(), [padded(number) for number in range(len(paths))]
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


def test_small_files_make_one_shard(padded: Padded, tmp_path: Path) -> None:
    """They are read as one, and each only once."""
    paths = saved(padded, tmp_path, 5, frames=10)
    convert(conversion(paths, tmp_path / "a.packed"))
    assert [shard.frames for shard in Store(tmp_path / "a.packed").manifest.shards] == [50]
    expected = np.concatenate([padded(number, frames=10)["E"] for number in range(5)])
    assert np.array_equal(Store(tmp_path / "a.packed").dataset()["E"], expected)


def test_one_job_is_harmonised_once(padded: Padded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking through it and writing it share what was read."""
    calls, load = [], Conversion.load
    monkeypatch.setattr(Conversion, "load", lambda self, files: calls.append(files) or load(self, files))
    convert(conversion(saved(padded, tmp_path, 1, frames=10), tmp_path / "a.packed"))
    assert len(calls) == 1


@pytest.mark.parametrize("frames", [10, 6000], ids=["one job", "two jobs"])
def test_fields_of_the_same_frames_in_two_files(frames: int, padded: Padded, tmp_path: Path) -> None:
    """Files that share no field are laid side by side, also where each is as large as a shard."""
    given = padded(0, frames)
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


def spoilt(padded: Padded, **changes: Any) -> dict[str, Any]:
    """Ten molecules with other arrays; None leaves one out."""
    given = {**padded(0, frames=10), **changes}
    return {name: values for name, values in given.items() if values is not None}


NAN = np.array([0.0, np.nan] * 5)
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("lengths", {"E": np.zeros(9)}, r"Cannot take 'E' as E of .*: it has 9 rows and there are 10 frames"),
    ("long", {"N": np.full(10, 13)}, "N of frame 0 is 13 and the arrays hold 0 to 12"),
    ("energies", {"E": NAN}, r"NaN or infinite in 5 of 10 frames \(1, 3, 5, 7, 9\). Repair .* with --drop-bad"),
    ("forces", {"R": None, "F": np.zeros((10, 12, 3))}, "no positions R that they act at"),
]


@pytest.mark.parametrize(("changes", "found"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_files_are_named(changes: dict[str, Any], found: str, padded: Padded, tmp_path: Path) -> None:
    """Whatever it is that makes no sense in them; nothing is written."""
    content = spoilt(padded, **changes)
    np.savez(tmp_path / "spoilt.npz", **content)
    units = {name: unit for name, unit in {**UNITS, "F": "eV/angstrom"}.items() if name in content}
    with pytest.raises(DataError, match=found) as caught:
        convert(conversion((str(tmp_path / "spoilt.npz"),), tmp_path / "s", choices=Choices(units=units)))
    assert str(tmp_path / "spoilt.npz") in str(caught.value)
    assert beside(tmp_path / "s") == []


def test_what_workers_refuse_is_told(paths: tuple[str, ...], padded: Padded, tmp_path: Path) -> None:
    """As if they were this process."""
    np.savez(tmp_path / "spoilt.npz", **spoilt(padded, E=NAN))
    with pytest.raises(DataError, match=r"energies of '.*spoilt.npz': energies are NaN or infinite in 5 of 10 frames"):
        convert(conversion((*paths, str(tmp_path / "spoilt.npz")), tmp_path / "s", workers=2))
    assert beside(tmp_path / "s") == []


def test_bad_frames_are_left_out_if_asked(padded: Padded, tmp_path: Path) -> None:
    """They are counted and named with their file, and the others are there."""
    energies = np.where(np.isin(np.arange(10), [2, 7]), np.nan, 1.0)
    np.savez(tmp_path / "a.npz", **spoilt(padded))
    np.savez(tmp_path / "b.npz", **spoilt(padded, E=energies))
    choices = Choices(units=UNITS, drop_bad=True)
    findings = convert(conversion((str(tmp_path / "*.npz"),), tmp_path / "s", choices=choices))
    (told,) = (each.note for each in findings if each.rule == "your choice" and each.level == "warning")
    assert told == f"2 frames with NaN or infinite energies left out (2, 7) in '{tmp_path / 'b.npz'}'"
    data = Store(tmp_path / "s").dataset()
    assert len(data) == 18
    assert np.isfinite(data["E"]).all()


def test_units_that_nothing_settles_are_asked_for(padded: Padded, tmp_path: Path) -> None:
    """With the option that settles them, and the file."""
    dipoles = {"D": np.random.default_rng(0).normal(size=(10, 3))}
    np.savez(tmp_path / "a.npz", **spoilt(padded), **dipoles)
    with pytest.raises(UnitError, match=r"Settle it with --unit D=UNIT") as caught:
        convert(conversion((str(tmp_path / "a.npz"),), tmp_path / "s"))
    assert str(tmp_path / "a.npz") in str(caught.value)
    assert beside(tmp_path / "s") == []


def labelled(padded: Padded, path: Path, level: str, unit: str = "eV", frames: int = 10) -> str:
    """A file that says its level of theory, and a unit that no other field has."""
    given = padded(0, frames)
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
def test_sources_that_do_not_belong_together(
    other: tuple[str, str], found: str, frames: int, padded: Padded, tmp_path: Path
) -> None:
    """Of different levels of theory or units: both are named, nothing is written."""
    paths = (
        labelled(padded, tmp_path / "a.npz", "B3LYP", frames=frames),
        labelled(padded, tmp_path / "b.npz", *other, frames=frames),
    )
    with pytest.raises(DataError, match=found):
        convert(conversion(paths, tmp_path / "s"))
    assert beside(tmp_path / "s") == []


def test_core_refuses_different_levels_for_a_store(padded: Padded, tmp_path: Path) -> None:
    """`atomloom convert` joins the sources itself, and what they said is not lost on the way, nor in a file between."""
    from click.testing import CliRunner

    from atomloom.cli.convert import convert as command

    paths = [labelled(padded, tmp_path / f"{name}.npz", level) for name, level in (("a", "B3LYP"), ("b", "PBE"))]
    found = r"'a.npz' is at the level of theory 'B3LYP'; 'b.npz' is at the level of theory 'PBE'. Make a store of each"
    with pytest.raises(DataError, match=found):
        CliRunner().invoke(command, [*paths, str(tmp_path / "s.packed")], catch_exceptions=False)
    both = str(tmp_path / "both.npz")
    CliRunner().invoke(command, [*paths, both], catch_exceptions=False)
    with pytest.raises(DataError, match=found):
        CliRunner().invoke(command, [both, str(tmp_path / "s.packed")], catch_exceptions=False)
    assert beside(tmp_path / "s") == []


def test_a_level_of_its_own_is_not_added(padded: Padded, tmp_path: Path) -> None:
    """Frames of another level of theory do not go behind those of a store."""
    convert(conversion((labelled(padded, tmp_path / "a.npz", "B3LYP"),), tmp_path / "s"))
    other = labelled(padded, tmp_path / "b.npz", "PBE")
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


def test_a_source_that_changes_meanwhile_is_told(
    paths: tuple[str, ...], padded: Padded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written is what was looked through."""
    copies = tuple(shutil.copy(path, tmp_path) for path in paths)
    surveyed = converting._surveyed

    def then_changed(*arguments: Any) -> Any:
        found = surveyed(*arguments)
        np.savez(copies[1], **padded(7))
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


@pytest.mark.parametrize("among", [True, False])
def test_missing_and_empty_files_are_told(among: bool, paths: tuple[str, ...], tmp_path: Path) -> None:
    """Among others that are there, and alone."""
    others = paths if among else ()
    with pytest.raises(InputError, match=r"missing.npz': there is no such file"):
        convert(conversion((*others, str(tmp_path / "missing.npz")), tmp_path / "s"))
    (tmp_path / "empty.npz").touch()
    with pytest.raises(InputError, match=r"empty.npz': the file is empty"):
        convert(conversion((*others, str(tmp_path / "empty.npz")), tmp_path / "s"))
    assert not (tmp_path / "s").exists()


def test_a_file_that_is_named_twice_is_packed_twice(paths: tuple[str, ...], tmp_path: Path) -> None:
    """As it is read twice by every other command."""
    for name, given in (("once", paths[:1]), ("twice", (paths[0], paths[0]))):
        convert(conversion(given, tmp_path / name))
    once, twice = (Store(tmp_path / name).dataset() for name in ("once", "twice"))
    assert len(twice) == 2 * len(once)
    frames = np.arange(len(once))
    for name in once.columns:
        np.testing.assert_array_equal(twice.take(frames + len(once))[name], once.take(frames)[name])
