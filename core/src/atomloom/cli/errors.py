"""What a person sees when a command fails: one paragraph on stderr and an exit code.

2    what was asked cannot be done as asked; nothing was changed
1    something failed, or a bug
130  Ctrl-C
"""

from __future__ import annotations

import errno
import sys
from contextlib import suppress
from typing import Final

import click

from atomloom.errors import AtomloomError, TargetError

BUG: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

BEFORE_COMMANDS: Final = ("-p", "-v", "--verbose", "--quiet", "--debug", "--version")
"""The options of ``atomloom`` itself, which people also try behind a command."""

_DENIED = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG}
)
"""Errors of the system that say something about a path, and nothing about a bug."""


def report(error: BaseException, command: str, *, debug: bool) -> int:
    """Tell a person what went wrong and return the exit code."""
    message, code = _told(error, command)
    if debug and not isinstance(error, click.exceptions.Abort):
        from traceback import format_exception

        click.echo("".join(format_exception(error)).rstrip(), err=True)
    if message:
        click.echo(f"atomloom: {message}", err=True)
    return code


def interrupted(error: BaseException) -> bool:
    """Whether it was Ctrl-C, which click may have turned into an `Abort`."""
    origin = error.__cause__ or error.__context__
    return isinstance(error, KeyboardInterrupt) or (
        isinstance(error, click.exceptions.Abort) and isinstance(origin, KeyboardInterrupt)
    )


def _told(error: BaseException, command: str) -> tuple[str, int]:
    if interrupted(error):
        return "interrupted.", INTERRUPTED
    if isinstance(error, click.exceptions.Abort):
        return "aborted.", 1
    if isinstance(error, AtomloomError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        return _usage(error, command), error.exit_code
    if isinstance(error, OSError) and error.errno in _DENIED:
        return str(_denied(error)), TargetError.exit_code
    if isinstance(error, MemoryError):
        return f"Cannot finish `{command}`: the memory does not suffice. Use smaller batches or fewer frames.", 1
    return _bug(error, command), BUG


def _usage(error: click.ClickException, command: str) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else command
    found = " ".join(error.format_message().split()).rstrip(".")
    stop = "" if found.endswith("?") else "."
    return f"Cannot run `{path}`: {found[:1].lower()}{found[1:]}{stop} {_hint(error, path)}"


def _hint(error: click.ClickException, path: str) -> str:
    if isinstance(error, click.NoSuchOption) and error.option_name in BEFORE_COMMANDS:
        return f"Options of atomloom itself stand before the command, as `atomloom {error.option_name} ...`."
    return f"`{path} --help` shows how it is called."


def _denied(error: OSError) -> TargetError:
    from atomloom.runs.targets import target_error

    return target_error(error.filename, error, "use") if error.filename else target_error("the output", error)


def _bug(error: BaseException, command: str) -> str:
    first = next(iter(str(error).splitlines()), "")
    what = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return (
        f"Cannot finish `{command}`: this is a bug, in {_where(error)} ({what.rstrip('.')}). "
        f"Report it with the output of `atomloom info`; `atomloom --debug ...` shows the traceback."
    )


def _where(error: BaseException) -> str:
    """The innermost line of atomloom or a plugin that the error passed through, since it is theirs to mend."""
    last, ours = "an unknown place", ""
    trace = error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        last = f"{module}, line {trace.tb_lineno}"
        if module.partition(".")[0] in _ours():
            ours = last
        trace = trace.tb_next
    return ours or last


def _ours() -> set[str]:
    from atomloom.registry import current

    registry = current()
    records = registry.plugins if registry else ()
    return {"atomloom", *(record.reference.partition(".")[0].partition(":")[0] for record in records)}


def silence_stdout() -> None:
    """Nobody can read on, after a broken pipe or on a full disk: the interpreter's last flush must not complain."""
    import os

    null = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # a stdout without a file has nothing to flush
        os.dup2(null, sys.stdout.fileno())
