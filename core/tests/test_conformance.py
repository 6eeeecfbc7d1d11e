"""The conformance kit: what is right passes, each thing that is wrong is caught, and a crash is one failure of many."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner, Result

from atomloom.cli.frame import atomloom
from atomloom.registry import registry
from atomloom.testing import check, checks, planning, running
from atomloom.testing.isolating import run_isolated

pytest_plugins = ["pytester"]

Install = Callable[..., None]
BEHAVIOURS = {
    "reader": ("schema", "slices", "source", "matches"),
    "writer": ("round_trip", "whole"),
    "harmonizer": ("pure", "gives"),
    "loss": ("truth", "padding", "gradient", "backends"),
    "post-processor": ("run_kept",),
    "renderer": ("renders",),
    "command": ("help",),
    "backend": ("ops",),
    "model": (
        *("permutation", "rotation", "reflection", "translation", "padding", "batch", "conservative"),
        *("size-consistent", "charge", "predicts", "repeatable", "saved", "fits"),
    ),
}
BROKEN = [(kind, name) for kind, names in BEHAVIOURS.items() for name in names]


def results(distribution: str, what: str, *, without: str = "", only: str = "") -> dict[str, check.Result]:
    """What becomes of each check of one thing in a distribution, by name, run in this process."""
    planned = [each for each in planning.plan(registry(), distribution) if each.of == what]
    chosen = [each for each in planned if each.check.name != without and only in ("", each.check.name)]
    return {each.check.name: running.run(each, registry()) for each in chosen}


def run(*arguments: str) -> Result:
    """Run ``atomloom`` in this process."""
    return CliRunner().invoke(atomloom, list(arguments), prog_name="atomloom")


def failures(found: Mapping[str, check.Result]) -> dict[str, str]:
    """What failed and why."""
    return {name: result.said for name, result in found.items() if result.outcome == "failed"}


@pytest.mark.parametrize(("kind", "name"), BROKEN, ids=lambda value: value)
def test_a_broken_promise_is_caught_by_its_check(install: Install, kind: str, name: str) -> None:
    """A contribution that breaks one promise fails the check of that name, and no other."""
    install("plugin")
    slow = "" if name == "fits" else "fits"
    found = failures(results("loomwrong-plugin", f"{kind} {name}", without=slow))
    assert list(found) == [name], found


def test_every_behaviour_has_something_that_breaks_it() -> None:
    """A check that nothing fails in these tests might as well not be there."""
    known = {(each.kind, each.name) for each in checks.CHECKS if each.group == "behaves"}
    singular = planning.SINGULAR
    assert {(singular[kind], name) for kind, name in known} == set(BROKEN)


@pytest.mark.parametrize("what", ["model right", "reader read", "loss squared"])
def test_what_is_right_passes(install: Install, what: str) -> None:
    """Contributions that keep all promises pass all checks; the model claims all that can be claimed."""
    install("plugin")
    assert failures(results("loomwrong-plugin", what)) == {}


def test_a_gradient_is_measured_where_there_is_one(install: Install) -> None:
    """The remark of the check says which backend differentiated."""
    install("plugin")
    assert results("loomwrong-plugin", "loss squared", only="gradient")["gradient"].said == "by differentiating"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("permutation", "E is off by "),
        ("conservative", "F is off by "),
        ("charge", "mono is off by "),
    ],
)
def test_a_broken_symmetry_is_a_number(install: Install, name: str, said: str) -> None:
    """A failure says how far off which field is, what would be rounding, and the precision."""
    install("plugin")
    found = results("loomwrong-plugin", f"model {name}", only=name)[name].said
    assert said in found
    assert "would be rounding" in found
    assert found.endswith("(float64)")


DECLARED = {
    "plugin declaring": {
        "hooks": "ReaderSpec 'silent': its waivers are {'slices': ' '}, not a mapping of checks to written reasons",
        "repeatable": "atomloom_losses returns loss",
        "summary": "no summary: readers summary",
        "units": "the unit of weight is not understood: ",
        "waivers": "readers odd waives slcies, and the checks that apply to it are ",
    },
    "reader example": {"example": "it has no example, a function (folder, /) -> path of a tiny file or folder"},
    "reader load": {"load": "the module 'loomwrong.code' has no 'nowhere'"},
}


@pytest.mark.parametrize("what", DECLARED)
def test_wrong_declarations_are_caught(install: Install, what: str) -> None:
    """What a spec leaves out or gets wrong is a failure that names it."""
    install("declaring")
    found = failures(results("loomwrong-declaring", what))
    for name, said in DECLARED[what].items():
        assert said in found[name]
    assert what != "plugin declaring" or set(found) == set(DECLARED[what])


def test_without_example_there_is_one_failure(install: Install) -> None:
    """What cannot be tried is not a row of failures that all say the same."""
    install("declaring")
    assert list(results("loomwrong-declaring", "reader example")) == ["load", "example"]


def test_heavy_imports_are_caught(install: Install) -> None:
    """A plugin whose module imports what costs time fails, and the message names it."""
    install("heavy")
    found = failures(results("loomwrong-heavy", "plugin heavy"))
    assert found == {"light": "importing loomwrong.heavy imports numpy, for which every command would wait"}


def test_the_end_of_the_interpreter_is_one_failure(install: Install) -> None:
    """An exit and a segmentation fault fail their own checks; all others run, and waivers are counted."""
    install("crashing")
    done = run("plugins", "check", "loomwrong-crashing", "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["failed"], told["waived"]) == (2, 2)
    said = {(each["what"], each["check"]): each["said"] for each in told["checks"] if each["result"] == "failed"}
    assert said == {
        ("harmonizer killing", "pure"): "it ended the interpreter (exit code 7)",
        ("harmonizer crashing", "pure"): "it ended the interpreter (signal SIGSEGV)",
    }
    last = [each["result"] for each in told["checks"] if each["what"] == "harmonizer harmless"]
    assert last == ["passed"] * 4


def test_a_check_that_does_not_end_is_one_failure(install: Install) -> None:
    """A check is given up after its time, and the next one runs."""
    install("endless")
    planned = [each for each in planning.plan(registry(), "loomwrong-endless") if each.check.name == "pure"]
    found = {each.of: result for each, result in run_isolated(planned, seconds=10.0)}
    assert found["harmonizer endless"].said == "it did not end within 10 seconds"
    assert found["harmonizer harmless"].outcome == "passed"


def test_waivers_and_failures_are_printed(install: Install) -> None:
    """People see each check with its result, each waiver with its reason, each failure with its promise, and sums."""
    install("crashing")
    shown = run("plugins", "check", "crashing").stdout
    assert "waived: harmonizer killing, gives: It would be the same crash" in shown
    assert "failed: harmonizer killing, pure: it ended the interpreter (exit code 7)\n  promise: It changes" in shown
    assert ", 2 failed, 2 waived\n" in shown


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("atomlom", "no installed plugin is called 'atomlom' ... Did you mean 'atomloom'"),
        ("click", " is installed and names no plugin. Give it an entry point in the group 'atomloom'"),
    ],
)
def test_what_cannot_be_checked_is_told(name: str, message: str) -> None:
    """A name that nothing has, or that brings no plugin, is bad input: exit code 2 and what to do."""
    done = run("plugins", "check", name)
    assert done.exit_code == 2
    for part in message.split(" ... "):
        assert part in done.stderr


def test_a_plugin_that_registers_nothing_is_told(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to check is not the same as nothing wrong."""
    install("code")
    monkeypatch.setattr(__import__("loomwrong.code").code, "api", 1, raising=False)
    done = run("plugins", "check", "loomwrong-code")
    assert done.exit_code == 2
    assert "the plugin code (loomwrong-code 1.0) registers nothing. Give it a hook" in done.stderr


def test_pytest_runs_every_check_as_a_test(install: Install, pytester: Any) -> None:
    """The class gives one test for each check, called like it; waived ones are skipped with their reason."""
    install("endless")
    pytester.makepyfile(
        "from atomloom.testing import PluginConformance as Base\n"
        "class TestIt(Base):\n"
        "    distribution = 'loomwrong-endless'\n"
    )
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-rs", "-v", "-k", "harmless")
    done.stdout.fnmatch_lines(["*test_conformance[[]harmonizer/harmless/pure[]] PASSED*", "*It would wait as well*"])
