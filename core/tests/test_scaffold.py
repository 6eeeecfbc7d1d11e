"""A plugin started from the template is whole, and nothing is ever overwritten."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from atomloom.cli.new import new
from atomloom.errors import InputError, TargetError
from atomloom.scaffold import kinds, start_plugin


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("name", ["maps", "atomloom-maps", "my-maps"])
def test_started_plugin_is_valid(name: str, kind: str, tmp_path: Path) -> None:
    """Every file is named for the plugin, parses, and no placeholder is left."""
    folder = start_plugin(name, kind, tmp_path)
    plain = name.removeprefix("atomloom-")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    module = f"atomloom_{plain.replace('-', '_')}"
    assert (project["name"], project["entry-points"]["atomloom"]) == (folder.name, {plain: f"{module}.plugin"})
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert folder / "src" / module / "py.typed" in files
    for path in files:
        assert "NAME" not in path.relative_to(folder).as_posix() + path.read_text()
        if path.suffix == ".py":
            ast.parse(path.read_text())


@pytest.mark.parametrize("name", ["", "Maps", "2d", "a b", "a--b", "a_b", "../up", "class", "atomloom-"])
def test_unfit_name_is_refused(name: str, tmp_path: Path) -> None:
    """A name that cannot be a package's is refused before anything is written."""
    with pytest.raises(InputError, match="becomes the name of a package"):
        start_plugin(name, "reader", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_is_kept(tmp_path: Path) -> None:
    """A second plugin of one name does not touch the first."""
    readme = start_plugin("maps", "reader", tmp_path) / "README.md"
    readme.write_text("mine")
    with pytest.raises(TargetError, match="it exists"):
        start_plugin("maps", "reader", tmp_path)
    assert readme.read_text() == "mine"


def test_command_says_how_to_go_on(tmp_path: Path) -> None:
    """`atomloom new plugin` names the folder and the commands that try it; without a kind it names the kinds."""
    told = CliRunner().invoke(new, ["plugin", "maps", "--reader", "--in", str(tmp_path)])
    assert told.exit_code == 0
    assert f"pip install -e '{tmp_path / 'atomloom-maps'}[test]'" in told.output
    asked = CliRunner().invoke(new, ["plugin", "other", "--in", str(tmp_path)])
    assert asked.exit_code == 2
    assert "Say what it shall bring: --harmonizer or --loss or --model" in asked.output
