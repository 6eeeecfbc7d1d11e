"""Core's commands as data: ``atomloom --help`` lists them from here and imports none of them."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """A command of core.

    Args:
        name: as it is typed.
        group: the heading that ``atomloom --help`` lists it under.
        summary: one line.
        load: ``"module:attribute"`` of the click command.
    """

    name: str
    group: str
    summary: str
    load: str


COMMANDS = (
    Command("plugins", "Plugins", "What is installed, what failed and why", "atomloom.cli.plugins:plugins"),
    Command("fields", "Plugins", "The fields that data sets are read to, with units", "atomloom.cli.fields:fields"),
    Command("hooks", "Plugins", "What a plugin can bring, and who brings it", "atomloom.cli.hooks:hooks"),
    Command("new", "Plugins", "Start a plugin of your own", "atomloom.cli.new:new"),
    Command("info", "Plugins", "Versions, devices and memory: what a bug report needs", "atomloom.cli.info:info"),
)
"""In the order in which ``atomloom --help`` lists them; groups in the order of their first command."""
