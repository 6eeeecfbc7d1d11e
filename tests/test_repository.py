"""What may be in the repository at all."""

from __future__ import annotations

import re
import subprocess
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLUGINS = [path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))]
MEGABYTES = 2
HOMES = ("home", "root", "work", "Users", "opt", "mnt", "srv")
MACHINE_PATH = re.compile(rf"(?<![\w.~-])/(?:{'|'.join(HOMES)})/\w|[A-Z]:\\+Users\\")
REGISTRY = re.compile(r"pypi\.(?:org|python)|pythonhosted|index-url|download\.pytorch|artifactory", re.IGNORECASE)
PICKLE_NAMES = {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".dill"}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!\w+:|#)([^)#\s]+)")


@cache
def tracked() -> tuple[Path, ...]:
    """The files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this tree is not a git repository")
    return tuple(path for path in (ROOT / name for name in listed.stdout.split("\0") if name) if path.is_file())


def texts() -> list[tuple[Path, str]]:
    """The tracked files that are text, with what they say; all but this one, which names what it looks for."""
    contents = ((path, path.read_bytes()) for path in tracked() if path != Path(__file__))
    return [(path, content.decode("utf-8", "replace")) for path, content in contents if b"\0" not in content]


def matches(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern occurs, as ``file:line: text``."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def pickled(path: Path) -> bool:
    """Whether a file is a pickle, or a zip archive with one in it."""
    if path.suffix in PICKLE_NAMES or re.match(rb"\x80[\x02-\x05]", path.read_bytes()[:2]):
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(Path(member).suffix in PICKLE_NAMES for member in archive.namelist())


def test_names_no_machine() -> None:
    """No tracked file holds a path of somebody's machine."""
    assert matches(MACHINE_PATH) == []


def test_names_no_registry() -> None:
    """Where packages come from is the user's pip configuration, never a file of ours."""
    assert matches(REGISTRY) == []


def test_no_pickles() -> None:
    """Nobody has to trust a binary of ours: no tracked file is a pickle or holds one."""
    assert [path.relative_to(ROOT).as_posix() for path in tracked() if pickled(path)] == []


def test_files_are_small() -> None:
    """A clone stays small: data sets are made by scripts or fetched, not tracked."""
    assert [path.name for path in tracked() if path.stat().st_size > MEGABYTES * 2**20] == []


def test_links_lead_somewhere() -> None:
    """Every relative link in a Markdown file leads to a file."""
    pages = [(path, text) for path, text in texts() if path.suffix == ".md" and "template" not in path.parts]
    assert [
        f"{path.name}: {to}" for path, text in pages for to in LINK.findall(text) if not (path.parent / to).exists()
    ] == []


def test_noxfile_and_makefile_name_no_plugin() -> None:
    """A new plugin is tested without an edit outside its folder."""
    for name in ("noxfile.py", ".ci/run", "Makefile"):
        # An example of how to choose some may name them.
        lines = [line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if 'PLUGINS="' not in line]
        for plugin in PLUGINS:
            named = re.compile(rf"(?:atomloom[-_]|plugins/|[\"']){plugin.name}\b")
            assert not [line for line in lines if named.search(line)], f"{name} names {plugin.name}"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda folder: folder.name)
def test_plugin_is_complete(plugin: Path) -> None:
    """A plugin has the names, the files and the entry point that its place in the tree promises."""
    package = f"atomloom_{plugin.name.replace('-', '_')}"
    project = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == f"atomloom-{plugin.name}"
    assert project["license"] == "BSD-3-Clause"
    for path in ("README.md", f"src/{package}/__init__.py", f"src/{package}/plugin.py", f"src/{package}/py.typed"):
        assert (plugin / path).is_file(), f"{plugin.name} has no {path}"
    assert list(plugin.glob("tests/test_*.py")), f"{plugin.name} has no tests"
    points = project.get("entry-points", {}).get("atomloom", {})
    assert any(value.startswith(f"{package}.plugin") for value in points.values()), f"{plugin.name} has no entry point"
