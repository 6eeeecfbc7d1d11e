"""Recognising files and folders by their look: from data alone, the likeliest first, never a guess between two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import atomloom
from atomloom.cli.frame import atomloom as main
from atomloom.errors import AmbiguousName, DataError, UnknownName
from atomloom.readers import read
from atomloom.registry import Found, Registry, Suggestion, use
from atomloom.registry.find import find
from atomloom.runs import origin
from atomloom.specs import Matches, ReaderSpec

FILES = {"xyz": Matches(globs=("*.xyz",)), "npz": Matches(globs=("*.npz",), magic=(b"PK\x03\x04",))}
STORE = Matches(globs=("*.store",), magic=(b'{"store": ', b'{"old": '), holds=("manifest.json",))
FOLDERS = {"store": STORE, "many": Matches(holds=("*.idx", "*.POS")), "few": Matches(holds=("*.idx",))}


def sniffed(path: str | Path, **matches: Matches) -> tuple[Suggestion, ...]:
    """What is suggested for `path` where there are readers with these looks, of which no code can be imported."""
    specs = [ReaderSpec(name=name, load="no.such:module", matches=look) for name, look in matches.items()]
    plugin = SimpleNamespace(api=1, atomloom_readers=atomloom.hookimpl(lambda: specs))
    return Registry(found=[Found("a", "m", "loom-a", "1.0", plugin)]).sniff(path)


def filled(folder: Path, **contents: bytes) -> Path:
    """A folder with files of these contents; a double underscore in a name stands for a full stop."""
    folder.mkdir()
    for name, content in contents.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("name", "content", "suggested"),
    [
        ("a.npz", b"PK\x03\x04...", ["npz"]),
        ("a.NPZ", None, ["npz"]),
        ("a.dat", b"PK\x03\x04...", ["npz"]),
        ("a.npz", b"<html>", ["npz"]),
        ("a.xyz", b"PK\x03\x04...", ["npz", "xyz"]),
        ("a.xyz", b"", ["xyz"]),
        ("a.dat", b"?", []),
    ],
)
def test_a_file(tmp_path: Path, name: str, content: bytes | None, suggested: list[str]) -> None:
    """Readers are suggested by first bytes, then by name, and no code of theirs is imported."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert [each.contribution.spec.name for each in sniffed(tmp_path / name, **FILES)] == suggested


def test_bytes_that_do_not_fit(tmp_path: Path) -> None:
    """A name that fits with first bytes that do not is suggested, and it says so."""
    (tmp_path / "a.npz").write_bytes(b"<html>")
    (found,) = sniffed(tmp_path / "a.npz", **FILES)
    assert found.because == "its name fits *.npz, but its first bytes do not"


@pytest.mark.parametrize(
    ("name", "contents", "suggested"),
    [
        (
            "a.store",
            {"Manifest__json": b'{"store": 1}'},
            {"store": "its name fits *.store and it holds Manifest.json"},
        ),
        ("a", {"manifest__json": b'{"old": 1}'}, {"store": "it holds manifest.json"}),
        ("a", {"manifest__json": b"{}"}, {}),
        (
            "a.store",
            {"manifest__json": b"{}"},
            {"store": "its name fits *.store, but its manifest.json begins otherwise"},
        ),
        ("a.store", {}, {"store": "its name fits *.store, but it holds no manifest.json"}),
        (
            "a",
            {"X__idx": b"", "Y__idx": b"", "x__pos": b""},
            {"few": "it holds X.idx", "many": "it holds X.idx, x.pos"},
        ),
        ("a", {"x__idx": b""}, {"few": "it holds x.idx"}),
        ("a", {"x__pos": b""}, {}),
        ("a.npz", {}, {"npz": "its name fits *.npz"}),
    ],
)
def test_a_folder(tmp_path: Path, name: str, contents: dict[str, bytes], suggested: dict[str, str]) -> None:
    """A folder is recognised by what it holds, all of it, and by how the first of that begins."""
    found = sniffed(filled(tmp_path / name, **contents), **FILES, **FOLDERS)
    assert {each.contribution.spec.name: each.because for each in found} == suggested


@pytest.mark.parametrize("name", ["", "/", "/../a.store", "/manifest.json/.."])
def test_a_folder_by_any_of_its_paths(tmp_path: Path, name: str) -> None:
    """A slash behind the name, as shells complete it, changes nothing."""
    folder = filled(tmp_path / "a.store", manifest__json=b'{"store": 1}')
    assert [each.weight for each in sniffed(f"{folder}{name}", **FOLDERS)] == [0]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """First bytes that a file in a folder has say nothing of a file that is given itself."""
    folder = filled(tmp_path / "a", manifest__json=b'{"store": 1}', b__store=b'{"store": 1}')
    assert sniffed(folder / "manifest.json", **FOLDERS) == ()
    assert [each.because for each in sniffed(folder / "b.store", **FOLDERS)] == ["its name fits *.store"]


def test_what_cannot_be_read_goes_by_its_name(tmp_path: Path) -> None:
    """A folder in place of the file whose first bytes count, and a path that leads nowhere."""
    (tmp_path / "a.store" / "manifest.json").mkdir(parents=True)
    for path in (tmp_path / "a.store", tmp_path / "missing.store"):
        assert [each.because for each in sniffed(path, **FOLDERS)] == ["its name fits *.store"]


def read_columns(source: Path, /) -> atomloom.Dataset:
    """A reader of folders with an array of each field."""
    arrays = {path.stem: np.load(path) for path in sorted(source.glob("*.npy"))}
    return atomloom.Dataset.from_arrays(arrays, meta={"source": source.name})


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Path]:
    """A folder that an installed reader knows, and another reader of folders beside that."""
    folder = filled(tmp_path / "columns")
    rng = np.random.default_rng(0)
    np.save(folder / "Z.npy", np.tile([8, 1, 1], (4, 1)))
    np.save(folder / "R.npy", np.arange(3.0)[:, None] + rng.normal(scale=0.1, size=(4, 3, 3)))
    specs = [
        ReaderSpec(name="columns", load=f"{__name__}:read_columns", matches=Matches(holds=("Z.npy", "R.npy"))),
        ReaderSpec(name="rows", load="no.such:module", matches=Matches(holds=("Z.npy", "rows.txt"))),
    ]
    plugin = SimpleNamespace(api=1, atomloom_readers=atomloom.hookimpl(lambda: specs))
    use(Registry(found=[find([])[0], Found("a", "m", "loom-a", "1.0", plugin)]))
    yield folder
    use(None)


@pytest.mark.parametrize("name", ["columns", "columns/", "."])
def test_a_folder_is_inspected_like_a_file(columns: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is recognised and named, whatever way leads to it."""
    monkeypatch.chdir(columns if name == "." else columns.parent)
    seen = CliRunner().invoke(main, ["inspect", name, "--unit", "R=angstrom"], catch_exceptions=False)
    assert seen.stdout.startswith("columns: 4 frames of 3 atoms, read as columns")


def test_a_folder_is_converted_like_a_file(columns: Path) -> None:
    """The converted file has its frames and names the folder as their origin."""
    target = columns.parent / "out.npz"
    done = CliRunner().invoke(
        main, ["convert", str(columns), str(target), "--unit", "R=angstrom"], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert read(target).meta["converted_from"] == [origin(columns)]
    np.testing.assert_array_equal(read(target)["R"], np.load(columns / "R.npy").reshape(-1, 3))


def test_two_readers_that_know_a_folder(columns: Path) -> None:
    """Nothing is guessed between readers that are as likely, whatever each of them found in the folder."""
    (columns / "rows.txt").touch()
    with pytest.raises(AmbiguousName, match=r"columns and rows could read it\. Choose one with --reader"):
        read(columns)


def test_folders_that_nobody_knows(columns: Path) -> None:
    """It is said that it is a folder, and what can be named instead; a path that is missing is not taken for one."""
    (columns / "Z.npy").unlink()
    todo = f"Name the files in it, such as '{columns}/*.npz', or a reader with --reader."
    with pytest.raises(UnknownName) as unknown:
        read(columns)
    assert str(unknown.value) == f"Cannot read '{columns}': no installed reader knows this kind of folder. {todo}"
    with pytest.raises(DataError, match=r"there is no such file\. Did you mean columns\?"):
        read(columns.with_name("column"))
