"""The frame of the command line: the lazy group, its help and the options before every command."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NoReturn

import click

from atomloom.cli import errors
from atomloom.cli.settings import Settings, set_up_logging
from atomloom.cli.table import COMMANDS, Command
from atomloom.errors import AtomloomError
from atomloom.registry import Contribution, Registry, block, registry, resolve

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_FROM_PLUGINS = "From plugins"
_LABELLED = tuple[str, str]


class Frame(click.Group):
    """A group that knows its commands by name and imports them when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of core's and the plugins' commands."""
        return [name for _, rows in _sections(registry()) for name, _ in rows]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is no such."""
        try:
            return _imported(cmd_name)
        except AtomloomError:
            return None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str, click.Command, list[str]]:
        """Import the command that the arguments name, or say which there are; completion asks for no errors."""
        if ctx.resilient_parsing:
            return super().resolve_command(ctx, args)  # type: ignore[return-value]  # None for a name cut short
        return args[0], _imported(args[0]), args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by group, and the plugins that failed."""
        known = registry()
        for heading, rows in _sections(known):
            with formatter.section(heading):
                formatter.write_dl(rows)
        failed = [(each.name, f"{each.whence}: {each.reason}") for each in known.plugins if each.problems]
        if failed:
            with formatter.section("Failed plugins (`atomloom plugins why NAME` says more)"):
                formatter.write_dl(failed)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands without importing them, and the options."""
        from click.shell_completion import CompletionItem

        rows = (row for _, rows in _sections(registry()) for row in rows)
        commands = [CompletionItem(name, help=summary) for name, summary in rows if name.startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # click's has two overloads
        """Run the command and exit: every error becomes a paragraph and an exit code."""
        given = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            code = super().main(given, prog_name, **extra)
            sys.stdout.flush()
        except BrokenPipeError:
            errors.silence_stdout()
            sys.exit(1)
        except SystemExit:
            raise
        except BaseException as error:
            if isinstance(error, OSError):
                errors.silence_stdout()
            sys.exit(errors.report(error, _shown(given), debug="--debug" in _before_command(given)))
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; what it returns is not an exit code."""
        super().invoke(ctx)


def _imported(name: str) -> click.Command:
    own = next((each for each in COMMANDS if each.name == name), None)
    command = resolve(own.load, whence="core") if own else registry().get("commands", name).load()
    if not isinstance(command, click.Command):
        raise click.ClickException(f"what the plugin registers as {name!r} is a {type(command).__name__}, no command")
    return command


def _sections(known: Registry) -> Iterator[tuple[str, list[_LABELLED]]]:
    for group in dict.fromkeys(each.group for each in COMMANDS):
        yield group, [_row(each) for each in COMMANDS if each.group == group]
    others = [each for each in known.all("commands") if each.plugin != "core"]
    if others:
        yield _FROM_PLUGINS, [(_typed(each, others), each.spec.summary) for each in others]


def _row(command: Command) -> _LABELLED:
    return command.name, command.summary


def _typed(command: Contribution, others: Sequence[Contribution]) -> str:
    """The name to type: with the plugin in front of it where the short one is taken."""
    name: str = command.spec.name
    taken = sum(each.spec.name == name for each in others) > 1 or any(each.name == name for each in COMMANDS)
    return f"{command.plugin}:{name}" if taken else name


def _before_command(arguments: Sequence[str]) -> list[str]:
    return list(takewhile(lambda each: each.startswith(("-", "no:")), arguments))


def _shown(arguments: Sequence[str]) -> str:
    """The command line without what may be long or private."""
    command = arguments[len(_before_command(arguments)) :][:1]
    return " ".join(["atomloom", *command])


def _block(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    other = next((value for value in values if not value.startswith("no:")), None)
    if other is not None:
        raise click.BadParameter(f"{other!r} is not of the form no:PLUGIN", context, option)
    block(value.removeprefix("no:") for value in values)
    return values


def _version(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked:
        from importlib_metadata import version

        click.echo(f"atomloom {version('atomloom')}")
        context.exit()


def _help(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(context.get_help())
        context.exit()


@click.group(
    cls=Frame,
    invoke_without_command=True,
    add_help_option=False,
    subcommand_metavar="COMMAND [ARGUMENTS]...",
    epilog=(
        'Tab completion: `eval "$(_ATOMLOOM_COMPLETE=bash_source atomloom)"` in ~/.bashrc, '
        "the same with zsh_source in ~/.zshrc, or "
        "`_ATOMLOOM_COMPLETE=fish_source atomloom | source` in fish's config."
    ),
)
@click.option(
    "-p",
    "blocked",
    multiple=True,
    metavar="no:PLUGIN",
    is_eager=True,
    expose_value=False,
    callback=_block,
    help="Do without a plugin; may be repeated. ATOMLOOM_BLOCK=a,b does it for every command.",
)
@click.option("-v", "--verbose", count=True, help="Say more; -vv says everything.")
@click.option("--quiet", is_flag=True, help="No progress bars and no notes.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--version", is_flag=True, expose_value=False, callback=_version, help="Show the version.")
@click.option("-h", "--help", is_flag=True, expose_value=False, callback=_help, help="Show this message.")
@click.pass_context
def atomloom(context: click.Context, verbose: int, quiet: bool, debug: bool) -> None:
    """Read any molecular or crystallographic data set, harmonise its fields, fit a model to it and judge the result."""
    from atomloom.progress import showing_progress  # a help text has none

    context.obj = Settings(verbose, quiet, debug)
    set_up_logging(context.obj)
    context.with_resource(showing_progress(not quiet and sys.stderr.isatty()))
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
