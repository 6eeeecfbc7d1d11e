"""What the conformance kit makes of the fixture plugins, installed as a third party's would be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Atomloom = Callable[..., Any]


@pytest.mark.parametrize("name", ["good", "functions"])
def test_good_plugins_pass(atomloom: Atomloom, name: str) -> None:
    """A typed plugin and one of marked functions pass all checks that apply to them."""
    done = atomloom("plugins", "check", f"loomfix-{name}", plugins=(name,))
    assert done.code == 0, done.stdout
    assert ", 0 failed, 0 waived" in done.stdout


@pytest.mark.parametrize(
    ("name", "failed", "said"),
    [
        ("import_broken", "hooks", "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"),
        ("exiting", "hooks", "SystemExit: 3"),
        ("raising", "hooks", "atomloom_readers: RuntimeError: the licence server does not answer"),
        ("wrong_api", "api", "it was written for api 99, and this atomloom speaks api 1"),
        ("misspelt", "hooks", "there is no hook 'atomloom_reader' (did you mean 'atomloom_readers'?)"),
    ],
)
def test_broken_plugins_fail(atomloom: Atomloom, name: str, failed: str, said: str) -> None:
    """What went wrong when a plugin was loaded is a failure of a check, and the others run."""
    done = atomloom("plugins", "check", f"loomfix-{name.replace('_', '-')}", "--json", plugins=(name,))
    assert done.code == 1
    checks = {each["check"]: each for each in json.loads(done.stdout)["checks"] if each["what"] == f"plugin {name}"}
    assert (checks[failed]["result"], checks[failed]["said"]) == ("failed", said)
    assert checks["units"]["result"] == "passed"


def test_nothing_to_check_is_told(atomloom: Atomloom) -> None:
    """A plugin that registers nothing is told so: exit code 2."""
    done = atomloom("plugins", "check", "loomfix-nothing", plugins=("nothing",))
    assert done.code == 2
    assert "the plugin nothing (loomfix-nothing 0.0) registers nothing" in done.stderr


def test_a_blocked_plugin_is_told(atomloom: Atomloom) -> None:
    """A plugin that is blocked is not checked as if it were broken."""
    done = atomloom("-p", "no:good", "plugins", "check", "good", plugins=("good",))
    assert done.code == 2
    assert "the plugin good (loomfix-good 1.0) is blocked" in done.stderr
