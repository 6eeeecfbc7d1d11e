"""What happens to all commands when a plugin of each kind of misfortune is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ALL = tuple(sorted(file.parent.name for file in Path(__file__).parents[1].glob("fixtures/*/pyproject.toml")))
BROKEN = {
    "import_broken": "ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
    "exiting": "SystemExit: 3",
    "raising": "atomloom_readers: RuntimeError: the licence server does not answer",
    "wrong_api": "it was written for api 99, and this atomloom speaks api 1",
    "misspelt": "there is no hook 'atomloom_reader' (did you mean 'atomloom_readers'?)",
}
VERSIONS = {"import_broken": "0.3", "exiting": "0.4", "raising": "0.5", "wrong_api": "99.0", "misspelt": "0.7"}

Atomloom = Callable[..., Any]


def plugins(atomloom: Atomloom, *names: str) -> dict[str, dict[str, Any]]:
    """What ``atomloom plugins --json`` says, by plugin."""
    listed = json.loads(atomloom("plugins", "--json", plugins=names).stdout)
    return {each["plugin"]: each for each in listed["plugins"]}


@pytest.mark.parametrize("command", [["--help"], ["plugins"], ["fields"], ["hooks"], ["info"], ["greet", "you"]])
def test_every_command_works_beside_broken_plugins(atomloom: Atomloom, command: list[str]) -> None:
    """With all the fixture plugins installed, a command does what it does without them, and exits 0."""
    done = atomloom(*command, plugins=ALL)
    assert done.code == 0, done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plugin_is_listed(atomloom: Atomloom, name: str) -> None:
    """A broken plugin is listed as failed, with distribution, version and reason."""
    record = plugins(atomloom, name)[name]
    assert (record["status"], record["version"]) == ("failed", VERSIONS[name])
    assert record["distribution"] == f"loomfix-{name.replace('_', '-')}"
    assert record["problems"] == [BROKEN[name]]


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plugin_is_in_help_and_in_not_found(atomloom: Atomloom, name: str) -> None:
    """The help and every "not found" message name what failed, with its version and reason."""
    shown = " ".join(atomloom("--help", plugins=(name,), COLUMNS="200").stdout.split())
    missing = atomloom("fields", "nonesuch", plugins=(name,))
    assert missing.code == 2
    for text in (shown, missing.stderr):
        assert f"loomfix-{name.replace('_', '-')} {VERSIONS[name]}" in text
        assert BROKEN[name] in text


@pytest.mark.parametrize("name", ["import_broken", "exiting", "raising"])
def test_why_prints_the_traceback(atomloom: Atomloom, name: str) -> None:
    """``atomloom plugins why NAME`` prints the traceback, beginning with the plugin's own code."""
    done = atomloom("plugins", "why", name, plugins=(name,))
    assert done.code == 0
    first_frame = done.stdout.split("Traceback (most recent call last):\n")[1].splitlines()[0]
    assert f"loomfix_{name}" in first_frame


@pytest.mark.parametrize("name", ["raising", "misspelt"])
def test_the_rest_of_a_broken_plugin_works(atomloom: Atomloom, name: str) -> None:
    """A plugin with one hook that raises or is misspelt keeps what its other hooks bring."""
    record = plugins(atomloom, name)[name]
    assert list(record["brings"]) == ["losses"]


def test_good_plugins_bring_what_they_say(atomloom: Atomloom) -> None:
    """A typed plugin and one of marked functions are equally well found, and their code runs when it is asked for."""
    found = plugins(atomloom, "good", "functions", "nothing")
    assert found["good"]["brings"] == {"readers": ["good"], "models": ["good-model"], "commands": ["greet"]}
    assert found["functions"]["brings"] == {"fields": ["volume"], "readers": ["lines"]}
    assert (found["nothing"]["status"], found["nothing"]["brings"]) == ("loaded", {})
    done = atomloom("greet", "you", "--times", "2", plugins=("good",))
    assert (done.stdout, done.code) == ("Hello you\nHello you\n", 0)


def test_commands_of_plugins_are_in_the_help(atomloom: Atomloom) -> None:
    """The help has a section for the commands that plugins bring; where the short name is taken, the long one."""
    shown = atomloom("--help", plugins=("good", "shadowing", "twin_one", "twin_two")).stdout
    names = [line.split()[0] for line in shown.split("From plugins:\n")[1].split("\n\n")[0].splitlines()]
    fixtures = ["greet", "shadowing:fields", "twin_one:twin", "twin_two:twin"]
    assert [name for name in names if name in fixtures] == fixtures  # beside those of installed plugins


def test_two_plugins_of_one_name(atomloom: Atomloom) -> None:
    """Two plugins bring one command: the short name is refused with both versions, each long name works."""
    both = ("twin_one", "twin_two")
    done = atomloom("twin", plugins=both)
    assert done.code == 2
    assert "twin_one (loomfix-twin-one 1.0) and twin_two (loomfix-twin-two 2.0) each bring one" in done.stderr
    assert "Write 'twin_one:twin' or 'twin_two:twin', or block one with `-p no:twin_two`" in done.stderr
    assert atomloom("twin_two:twin", plugins=both).stdout == "twin two\n"
    assert atomloom("-p", "no:twin_two", "twin", plugins=both).stdout == "twin one\n"
    assert atomloom("twin", plugins=both, ATOMLOOM_BLOCK="loomfix-twin-one").stdout == "twin two\n"


def test_field_that_two_plugins_disagree_about(atomloom: Atomloom) -> None:
    """The conflict is reported by ``atomloom plugins`` and names both plugins; everything else works."""
    done = atomloom("plugins", plugins=("twin_one", "twin_two"))
    assert done.code == 0
    assert (
        "conflict: twin_one (loomfix-twin-one 1.0) and twin_two (loomfix-twin-two 2.0) declare the field 'pressure' "
        "differently: unit 'GPa' and 'eV/angstrom^3'"
    ) in done.stdout
    assert atomloom("fields", "pressure", plugins=("twin_one", "twin_two")).code == 2


def test_core_commands_cannot_be_shadowed(atomloom: Atomloom) -> None:
    """A plugin's command of a core name is reported, core's is what runs, and the long name reaches the other."""
    assert "forces" in atomloom("fields", plugins=("shadowing",)).stdout
    assert "which core has" in atomloom("plugins", plugins=("shadowing",)).stdout
    assert atomloom("shadowing:fields", plugins=("shadowing",)).stdout == "the other fields\n"


def test_slow_plugin_is_flagged(atomloom: Atomloom) -> None:
    """``atomloom plugins`` shows how long an import takes, and which is slow."""
    found = plugins(atomloom, "slow", "nothing")
    assert (found["slow"]["slow"], found["nothing"]["slow"]) == (True, False)
    assert "slow is slow" in atomloom("plugins", plugins=("slow",)).stdout


def test_plugins_print_to_stderr(atomloom: Atomloom) -> None:
    """What a plugin prints on import does not spoil the output of a command."""
    done = atomloom("fields", "--json", plugins=("exiting",))
    assert json.loads(done.stdout)
    assert "I was not asked" in done.stderr


def test_twice_on_the_path_counts_once(atomloom: Atomloom, installed: Path) -> None:
    """A distribution that is on the path twice is one plugin."""
    done = atomloom("plugins", "--json", plugins=("good",), PYTHONPATH=f"{installed}:{installed}:{installed.parent}")
    names = [each["plugin"] for each in json.loads(done.stdout)["plugins"]]
    assert len(names) == len(set(names))
    assert "good" in names


HEAVY = ("numpy", "torch", "jax", "pandas", "gemmi", "h5py", "ase", "rich", "msgspec")


@pytest.mark.parametrize(("command", "heavy"), [("--help", set()), ("plugins", set()), ("greet", {"numpy"})])
def test_heavy_modules_stay_out(atomloom: Atomloom, command: str, heavy: set[str]) -> None:
    """With plugins installed whose code needs numpy, only using that code imports it."""
    done = atomloom(command, plugins=("functions", "good", "twin_one"), PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert imported & set(HEAVY) == heavy
