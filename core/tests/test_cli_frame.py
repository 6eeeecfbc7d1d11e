"""The frame of the command line: help without imports, errors as paragraphs, tables for people and programs."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import atomloom as public
from atomloom.cli import output
from atomloom.cli.frame import atomloom
from atomloom.cli.table import COMMANDS
from atomloom.errors import DataError
from atomloom.registry import Found, Registry, resolve, use
from atomloom.registry.find import find
from atomloom.specs import BackendSpec, CommandSpec

HEAVY = ("numpy", "msgspec", "safetensors", "rich", "tomllib", "torch", "jax", "pandas", "gemmi", "h5py", "ase")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[..., Any]], None]]:
    """Registers a function as the command `go` of a plugin."""
    module = ModuleType("frame_example")
    monkeypatch.setitem(sys.modules, "frame_example", module)
    spec = CommandSpec(name="go", summary="Go", load="frame_example:go")
    hooks = SimpleNamespace(api=1, atomloom_commands=public.hookimpl(lambda: [spec]))

    def register(function: Callable[..., Any]) -> None:
        module.go = function if isinstance(function, click.Command) else click.command("go")(function)  # type: ignore[attr-defined]

    use(Registry(found=[find([])[0], Found("mine", "frame_example", "loom-mine", "1.0", hooks)]))
    yield register
    use(None)


def run(*arguments: str) -> Result:
    """Run ``atomloom`` in this process."""
    return CliRunner().invoke(atomloom, list(arguments), prog_name="atomloom")


def raising(error: BaseException) -> Callable[[], None]:
    """A command that ends in this."""

    def go() -> None:
        raise error

    return go


def fresh(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    given = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=given, check=False)


@pytest.mark.parametrize(
    "code",
    [
        "import atomloom",
        "import atomloom; atomloom.ReaderSpec, atomloom.hookimpl, atomloom.Plugin",
        "import sys; sys.argv[1:] = ['--help']; from atomloom.cli import main; main()",
        "import sys; sys.argv[1:] = ['plugins']; from atomloom.cli import main; main()",
        "import sys; sys.argv[1:] = ['plugins', '--json']; from atomloom.cli import main; main()",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    """Importing atomloom, its help and the list of plugins import none of what costs time, whatever is installed."""
    listing = f"import atexit, sys; atexit.register(lambda: print(*({HEAVY!r} & sys.modules.keys()), file=sys.stderr))"
    done = fresh(listing.replace(repr(HEAVY), f"set({HEAVY!r})") + "\n" + code)
    assert (done.returncode, done.stderr.strip()) == (0, "")


@pytest.mark.parametrize("each", COMMANDS, ids=lambda each: each.name)
def test_every_command_is_there_and_has_help(each: Any) -> None:
    """What the static table names is a click command with help, and options that say what they are."""
    found = resolve(each.load)
    assert isinstance(found, click.Command)
    assert found.help
    assert each.summary
    assert [option.name for option in found.params if isinstance(option, click.Option) and not option.help] == []
    assert run(each.name, "--help").exit_code == 0


def test_help_lists_the_commands_by_group() -> None:
    """Every command stands in the help with its line; so does how to complete names with Tab."""
    shown = run("--help")
    assert shown.exit_code == 0
    assert all(each.summary in shown.output and f"{each.group}:" in shown.output for each in COMMANDS)
    assert "_ATOMLOOM_COMPLETE=bash_source" in shown.output


def test_no_command_shows_help() -> None:
    """``atomloom`` alone is ``atomloom --help``."""
    assert run().output == run("--help").output
    assert run().exit_code == 0


def test_version() -> None:
    """``--version`` is that of the distribution."""
    assert run("--version").output == f"atomloom {public.__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DataError("read 'x'", "it is empty", "Look"), 2, "atomloom: Cannot read 'x': it is empty. Look.\n"),
        (KeyboardInterrupt(), 130, "atomloom: interrupted.\n"),
        (click.Abort(), 1, "atomloom: aborted.\n"),
        (
            click.ClickException("it is odd"),
            1,
            "atomloom: Cannot run `atomloom go`: it is odd. `atomloom go --help` shows how it is called.\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left", "out/x.npz"),
            2,
            "atomloom: Cannot use 'out/x.npz': the disk is full. Free some space or choose another place.\n",
        ),
        (OSError(errno.EROFS, "Read-only", "x"), 2, "atomloom: Cannot use 'x': the file system is read-only."),
        (PermissionError(errno.EACCES, "Denied", "x"), 2, "atomloom: Cannot use 'x': permission is denied."),
        (MemoryError(), 1, "atomloom: Cannot finish `atomloom go`: the memory does not suffice."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_errors_are_a_paragraph_and_a_code(command: Any, error: BaseException, code: int, message: str) -> None:
    """However a command ends, a person sees one paragraph on stderr, and a program the right exit code."""
    command(raising(error))
    done = run("go")
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr.lstrip("\n").startswith(message)
    assert "Traceback" not in done.stderr


def test_a_bug_says_where_it_is(command: Any) -> None:
    """An error that nobody foresaw is called a bug, with its place and how to see the traceback."""
    command(raising(ZeroDivisionError("division by zero\nand more")))
    done = run("go")
    assert done.exit_code == 1
    assert "Cannot finish `atomloom go`: this is a bug, in " in done.stderr
    assert "(ZeroDivisionError: division by zero). Report it with the output of `atomloom info`" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in run("--debug", "go").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plugins", "--jsn"], "no such option '--jsn'. Did you mean '--json'? `atomloom plugins --help` shows how"),
        (["plugins", "wy"], "Cannot run `atomloom plugins`: no such command 'wy'"),
        (["plugins", "why"], "Cannot run `atomloom plugins why`: missing argument 'NAME'."),
        (["plugins", "--debug"], "Options of atomloom itself stand before the command, as `atomloom --debug ...`."),
        (["-p", "mine", "plugins"], "'mine' is not of the form no:PLUGIN"),
        (["pluginz"], "Cannot find the command 'pluginz': no installed plugin brings it. Did you mean 'plugins'"),
        (["mine:og"], "Cannot find the command 'og': no installed plugin brings it. Did you mean 'go'"),
        (["plugins", "why", "mime"], "Cannot tell about the plugin 'mime': no installed plugin is called 'mime'."),
        (["fields", "frces"], "Cannot find the field 'frces': no installed plugin brings it. Did you mean 'F'"),
        (["hooks", "reader"], "Cannot show the hook 'reader': there is no such hook. Did you mean 'atomloom_readers'?"),
    ],
    ids=" ".join,
)
def test_slips_are_answered_with_the_nearest(command: Any, arguments: list[str], message: str) -> None:
    """What cannot be understood is answered with what was probably meant, and exit code 2."""
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_result_of_a_command_is_no_exit_code(command: Any) -> None:
    """A command that returns a number has not failed."""
    command(lambda: 3)
    assert run("go").exit_code == 0


def test_what_is_no_command_is_the_plugins_fault(command: Any) -> None:
    """A spec that leads to something else than a click command is said so."""
    sys.modules["frame_example"].go = "went"  # type: ignore[attr-defined]
    assert "what the plugin registers as 'go' is a str, no command" in run("go").stderr


def test_broken_pipe_is_quiet() -> None:
    """A reader that goes away, as `head` does, is no error to tell about."""
    shell = f"{sys.executable} -m atomloom fields | true"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk_under_stdout() -> None:
    """A listing that cannot be written is a paragraph, not a traceback from the interpreter's end."""
    with open("/dev/full", "w") as full:
        arguments = [sys.executable, "-m", "atomloom", "fields"]
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert (
        done.stderr
        == "atomloom: Cannot write 'the output': the disk is full. Free some space or choose another place.\n"
    )


def complete(*words: str) -> list[str]:
    """What Tab in bash offers."""
    environment = {"_ATOMLOOM_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": "1"}
    done = fresh("from atomloom.cli import main; main()", **environment)
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.split()]


def test_tab_completes_commands_and_options() -> None:
    """Tab offers the commands that begin so, and the options."""
    assert complete("atomloom", "plu") == ["plugins"]
    assert complete("atomloom", "--verb") == ["--verbose"]
    assert complete("atomloom", "nothing-like-this") == []


def test_blocking_holds_for_one_call(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``-p no:PLUGIN`` leaves a plugin out of this call and not of the next, wherever it stands before the command."""
    monkeypatch.setattr("atomloom.registry.loom.find", lambda: [find([])[0], Found("mine", "no.such")])
    use(None)
    for arguments in (["-p", "no:mine", "--help"], ["--help", "-p", "no:mine"]):
        assert "Failed plugins" not in run(*arguments).output
    assert "Failed plugins" in run("--help").output


def test_unknown_plugin_cannot_be_blocked() -> None:
    """A slip in ``-p no:`` is said, or the plugin would be used unnoticed."""
    done = run("-p", "no:nobody", "fields")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Cannot block the plugin 'nobody': no installed plugin is called 'nobody'." in done.stderr
    run("fields")


@pytest.mark.parametrize(
    "arguments", [["plugins"], ["fields"], ["hooks"], ["info"], ["fields", "E"], ["hooks", "models"]]
)
def test_listings_have_json(arguments: list[str]) -> None:
    """Every listing is JSON with --json, and text without."""
    assert json.loads(run(*arguments, "--json").stdout)
    assert run(*arguments).stdout


def test_fields_by_alias() -> None:
    """``atomloom fields ALIAS`` lists the fields that go by it."""
    listed = json.loads(run("fields", "q", "--json").stdout)
    assert {"quadrupole", "total_charge"} <= {each["field"] for each in listed}


def test_hooks_show_signature_example_and_who() -> None:
    """``atomloom hooks NAME`` has what is needed to implement one."""
    shown = run("hooks", "readers").stdout
    assert shown.startswith("atomloom_readers() -> Iterable[ReaderSpec]\n")
    assert "Example::" in shown
    assert "Implemented by: core" in shown


def test_info_asks_backends_that_say_so() -> None:
    """The devices of a backend are listed where it says how to ask, and a failure of that is no failure of `info`."""
    specs = [BackendSpec(name=name, load="a:b", devices=f"platform:{name}") for name in ("machine", "no_such")]
    hooks = SimpleNamespace(api=1, atomloom_backends=public.hookimpl(lambda: specs))
    use(Registry(found=[find([])[0], Found("mine", target=hooks)]))
    try:
        devices = json.loads(run("info", "--json").stdout)["devices"]
    finally:
        use(None)
    assert "has no 'no_such'" in devices["no_such"]


def test_json_of_a_table() -> None:
    """JSON has a key per column and no NaN."""
    click_command = click.command()(lambda: output.table(("a name", "x"), [("b", float("nan"))], json_output=True))
    assert json.loads(CliRunner().invoke(click_command).output) == [{"a_name": "b", "x": None}]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "name  frames"),
        ([("a", None), ("b", 10)], "name  frames\na\nb         10"),
        ([("two\nlines", True)], "name       frames\ntwo lines  yes"),
        ([(("x", "y"), 1 / 3)], "name    frames\nx y   0.333333"),
    ],
)
def test_plain_tables(rows: list[tuple[Any, ...]], expected: str) -> None:
    """Plain tables align, with numbers to the right; a cell is one line."""
    assert output.plain(("name", "frames"), rows) == expected


def test_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal a table has rules, and what looks like markup is shown as it is."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    output.table(("name",), [("[red]x[/red]",)])
    shown = capsys.readouterr().out
    assert "[red]x[/red]" in shown
    assert "━" in shown
