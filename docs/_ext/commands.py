"""Every command with its help, as the command line prints it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from atomloom.cli.frame import atomloom

from .markdown import block

WIDTH = 88


def all_commands(_: str) -> str:
    """One section for each command, subcommands under their group."""
    root = click.Context(atomloom, info_name="atomloom", terminal_width=WIDTH, max_content_width=WIDTH)
    return "\n".join(_pages(atomloom, root, 2))


def _pages(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    yield f"{'#' * level} {context.command_path}\n\n{block('text', command.get_help(context))}"
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None:
            inner = click.Context(found, context, name, terminal_width=WIDTH, max_content_width=WIDTH)
            yield from _pages(found, inner, min(level + 1, 4))
