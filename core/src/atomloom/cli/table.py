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
    Command("demo", "Start", "A complete small job of each installed plugin", "atomloom.cli.demo:demo"),
    Command("inspect", "Data", "What a file holds and how it would be read", "atomloom.cli.inspect:inspect"),
    Command("convert", "Data", "From any reader to any writer", "atomloom.cli.convert:convert"),
    Command("plan", "Fitting", "How an experiment would be fitted, or why not", "atomloom.cli.fit:plan"),
    Command("run", "Fitting", "Fit an experiment", "atomloom.cli.fit:run"),
    Command("resume", "Fitting", "Go on with a run where it stopped", "atomloom.cli.fit:resume"),
    Command("search", "Fitting", "Try options within ranges, keep the best", "atomloom.cli.search:search"),
    Command("train", "Fitting", "Fit a model from flags", "atomloom.cli.train:train"),
    Command("evaluate", "Fitting", "Judge a run by a post-processor", "atomloom.cli.evaluate:evaluate"),
    Command("predict", "Fitting", "Predict with a run for other data", "atomloom.cli.evaluate:predict"),
    Command("select", "Fitting", "Which frames to label next", "atomloom.cli.select:select"),
    Command("runs", "Runs", "History: list, show, compare, watch, rm", "atomloom.cli.runs:runs"),
    Command("cite", "Runs", "The literature that a run's user should cite", "atomloom.cli.cite:cite"),
    Command("plugins", "Plugins", "What is installed, what failed and why", "atomloom.cli.plugins:plugins"),
    Command("fields", "Plugins", "The fields that data sets are read to, with units", "atomloom.cli.fields:fields"),
    Command("hooks", "Plugins", "What a plugin can bring, and who brings it", "atomloom.cli.hooks:hooks"),
    Command("new", "Plugins", "Start a plugin of your own", "atomloom.cli.new:new"),
    Command("info", "Plugins", "Versions, devices and memory: what a bug report needs", "atomloom.cli.info:info"),
)
"""In the order in which ``atomloom --help`` lists them; groups in the order of their first command."""
