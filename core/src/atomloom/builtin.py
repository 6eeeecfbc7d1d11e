"""Core's own contributions, brought through the same hooks as any plugin's."""

from __future__ import annotations

from collections.abc import Iterable

from atomloom.hooks import hookimpl
from atomloom.specs import CommandSpec, Field

api = 1


@hookimpl
def atomloom_fields() -> Iterable[Field]:
    """The canonical fields."""
    from atomloom.fields import CANONICAL

    return CANONICAL


@hookimpl
def atomloom_commands() -> Iterable[CommandSpec]:
    """The commands of the static table, which the command line reads without asking the registry."""
    from atomloom.cli.table import COMMANDS

    return (CommandSpec(name=each.name, summary=each.summary, load=each.load) for each in COMMANDS)
