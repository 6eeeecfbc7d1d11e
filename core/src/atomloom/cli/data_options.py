"""The options of every command that reads data, and the data that they lead to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from atomloom.cli.settings import settings

if TYPE_CHECKING:
    from atomloom.harmonizing import Choices
    from atomloom.pipeline import Harmonised

runs_option = click.option(
    "--runs", "root", default="runs", show_default=True, metavar="FOLDER", help="The folder that holds the runs."
)
"""Where runs are."""

level_option = click.option(
    "--level", metavar="NAME", help="Level of theory to predict at, of those that the run was fitted to."
)
"""Which of several levels is wanted."""


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--reader``, ``--option``, ``--as``, ``--unit`` and ``--drop-bad``."""
    reader = "Reader to use; else the file's look suggests one."
    for option in reversed(
        (
            click.option("--reader", metavar="NAME", default="", help=reader),
            click.option("--option", "given", multiple=True, metavar="NAME=VALUE", help="Set an option of the reader."),
            click.option("--as", "meanings", multiple=True, metavar="FIELD=MEANING", help="Settle what a field is."),
            click.option("--unit", "units", multiple=True, metavar="FIELD=UNIT", help="Settle the unit of a field."),
            click.option(
                "--drop-bad", is_flag=True, help="Leave out frames whose positions or energies are no numbers."
            ),
        )
    ):
        command = option(command)
    return command


class DataOptions(NamedTuple):
    """What these options were set to."""

    reader: str = ""
    given: Sequence[str] = ()
    meanings: Sequence[str] = ()
    units: Sequence[str] = ()
    drop_bad: bool = False

    @property
    def reader_options(self) -> dict[str, Any]:
        """The options of the reader, each a TOML value where it is one and a text otherwise."""
        from atomloom.harmonizing import pairs

        return {name: _value(text) for name, text in pairs("--option", self.given).items()}

    @property
    def choices(self) -> Choices:
        """What the user settles about the fields."""
        from atomloom.harmonizing import Choices, pairs

        settled = {"as": pairs("--as", self.meanings), "unit": pairs("--unit", self.units), "drop_bad": self.drop_bad}
        return Choices.of(settled)


def read_data(paths: Sequence[str], options: DataOptions) -> Harmonised:
    """What these paths hold, harmonised as the options say."""
    from atomloom.pipeline import load_paths

    return load_paths(paths, reader=options.reader, options=options.reader_options, choices=options.choices)


def _value(text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


@contextmanager
def watched() -> Iterator[None]:
    """Progress bars for a person at a terminal, none with ``--quiet`` or into a file."""
    from atomloom.progress import showing_progress

    with showing_progress(not settings().quiet and sys.stderr.isatty()):
        yield
