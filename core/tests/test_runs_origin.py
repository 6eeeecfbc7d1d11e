"""Where a run comes from: versions, fingerprints of data, and what to cite."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy
import pytest

from atomloom.errors import DataError
from atomloom.runs import bibliography, describe, fingerprint, used
from atomloom.runs.bibtex import merged, parse
from atomloom.runs.fingerprint import BLOCK, BLOCKS
from atomloom.runs.versions import versions
from atomloom.specs import ModelSpec


def test_versions_name_what_has_a_say() -> None:
    """Python, the core and its requirements are there with their true versions."""
    found = versions()
    assert found["numpy"] == numpy.__version__
    assert next(iter(found)) == "python"
    assert "atomloom" in found
    assert "pytest" not in found, "requirements of extras do not count"


def test_a_description_repeats_itself(tmp_path: Path) -> None:
    """All but the time is the same when the same is done again, and it is plain JSON."""
    (tmp_path / "a").write_bytes(b"data")

    def once() -> dict[str, object]:
        return describe(data=[tmp_path / "a"], seeds={"model": 7}, split={"train": 8})

    first, second = once(), once()
    assert first.pop("created")
    assert second.pop("created")
    assert json.dumps(first) == json.dumps(second)


def changed(path: Path, position: int) -> None:
    """Change a byte."""
    with path.open("r+b") as file:
        file.seek(position)
        file.write(b"x")


@pytest.mark.parametrize("size", [1, BLOCK + 1, BLOCK * BLOCKS, BLOCK * BLOCKS * 3 + 5])
@pytest.mark.parametrize("where", ["start", "end"])
def test_a_changed_file_has_another_fingerprint(tmp_path: Path, size: int, where: str) -> None:
    """The first and the last byte count for any size; files from 64 MiB on are sampled, and it says so."""
    path = tmp_path / "a"
    path.touch()
    os.truncate(path, size)
    before = fingerprint(path)
    assert before["bytes"] == size
    assert before["sampled"] == (size >= 64 * 2**20)
    changed(path, 0 if where == "start" else size - 1)
    assert fingerprint(path)["hash"] != before["hash"]
    os.truncate(path, size + 1)
    assert fingerprint(path)["bytes"] == size + 1


def test_the_fingerprint_of_a_folder(tmp_path: Path) -> None:
    """Names and contents count, the folder's own place does not."""
    hashes = []
    for number, (name, text) in enumerate([("a", "1"), ("a", "1"), ("b", "1"), ("a", "2")]):
        folder = tmp_path / str(number) / "sub"
        folder.mkdir(parents=True)
        (folder / name).write_text(text)
        hashes.append(fingerprint(folder.parent)["hash"])
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_data_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing file is an error with its path."""
    with pytest.raises(DataError, match=r"^Cannot read '.*gone': it cannot be opened \(No such file"):
        fingerprint(tmp_path / "gone")


def test_each_work_is_cited_once() -> None:
    """Two contributions that cite one work give one entry; two works of one key are told apart."""
    one = ModelSpec(name="a", load="a:b", cite=("@article{x, title={One}}", "@article{y, title={Two}}"))
    two = ModelSpec(name="b", load="a:b", cite=('@article{x,\n title = "One"\n}', "@article{y, title={Three}}"))
    text = bibliography({"used": [used("models", one, "p"), used("models", two, "q")]})
    assert [entry.key for entry in parse(text)] == ["atomloom", "x", "y", "y-2"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no entry",
        "@article{x",
        "@article{x, title = {never closed",
        '@article{x, title = "never closed',
        "@{,}",
        "}{@",
    ],
)
def test_bibtex_that_is_cut_short_does_no_harm(text: str) -> None:
    """Citations come from plugins, so none may break a run."""
    assert len(merged(parse(text))) <= 1
    assert bibliography({"used": [{"bibtex": text}]}).startswith("@software{atomloom")
    bibliography({"used": [{"bibtex": text}]}, "text")


def test_fields_of_an_entry() -> None:
    """Braces within braces, quotes, bare numbers and line breaks are read."""
    entry = parse('@Article{k, title={A {Big}\n one}, year = 1999, journal="J, K", pages={1--2}}')[0]
    assert dict(entry.fields) == {"title": "A {Big} one", "year": "1999", "journal": "J, K", "pages": "1--2"}
    assert entry.as_text() == "k (1999). A Big one. J, K 1-2."
