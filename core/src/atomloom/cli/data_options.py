"""The options of every command that reads data, and the data that they lead to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.settings import settings

if TYPE_CHECKING:
    from atomloom.pipeline import Harmonised

runs_option = click.option(
    "--runs", "root", default="runs", show_default=True, metavar="FOLDER", help="The folder that holds the runs."
)
"""Where runs are."""


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--reader``, ``--as``, ``--unit`` and ``--drop-bad``."""
    for option in reversed(
        (
            click.option(
                "--reader", metavar="NAME", default="", help="Reader to use; else the file's look suggests one."
            ),
            click.option("--as", "meanings", multiple=True, metavar="FIELD=MEANING", help="Settle what a field is."),
            click.option("--unit", "units", multiple=True, metavar="FIELD=UNIT", help="Settle the unit of a field."),
            click.option("--drop-bad", is_flag=True, help="Leave out frames with NaN or infinite positions."),
        )
    ):
        command = option(command)
    return command


def read_data(
    paths: Sequence[str], reader: str, meanings: Sequence[str], units: Sequence[str], drop_bad: bool
) -> Harmonised:
    """What these paths hold, harmonised as the options say."""
    from atomloom.harmonizing import Choices, pairs
    from atomloom.pipeline import load_paths

    choices = Choices.of({"as": pairs("--as", meanings), "unit": pairs("--unit", units), "drop_bad": drop_bad})
    return load_paths(paths, reader=reader, choices=choices)


@contextmanager
def watched() -> Iterator[None]:
    """Progress bars for a person at a terminal, none with ``--quiet`` or into a file."""
    from atomloom.progress import showing_progress

    with showing_progress(not settings().quiet and sys.stderr.isatty()):
        yield
