"""What commands print: tables for people and for programs. Progress bars are `atomloom.progress`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.settings import settings

if TYPE_CHECKING:
    from rich.console import Console

_GAP = "  "

json_option = click.option("--json", "json_output", is_flag=True, help="Print JSON, for programs.")
"""The option ``--json`` of every listing; the command gets it as `json_output`."""


def console() -> Console:
    """A rich console on stdout."""
    from rich.console import Console

    return Console()


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], json_output: bool = False) -> None:
    """Print a table: as JSON if asked, with rules on a terminal, as aligned plain text otherwise.

    In JSON it is a list of objects whose keys are the columns in lower case, with ``_`` for spaces.
    """
    listed = [tuple(row) for row in rows]
    if json_output:
        keys = [column.lower().replace(" ", "_") for column in columns]
        echo_json([dict(zip(keys, row, strict=True)) for row in listed])
    elif sys.stdout.isatty():
        _rich_table(columns, listed)
    else:
        click.echo(plain(columns, listed))


def echo_json(value: Any) -> None:
    """Print JSON; what JSON has no number for, NaN and the infinities, becomes null."""
    import json

    click.echo(json.dumps(_jsonable(value), indent=2, allow_nan=False))


def plain(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table as aligned text, numbers to the right.

    >>> print(plain(["name", "frames"], [("water", 12), ("ethanol", 1000)]))
    name     frames
    water        12
    ethanol    1000
    """
    cells = [tuple(columns), *(tuple(map(_cell, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [_numeric(column) for column in zip(*rows, strict=True)] or [False] * len(columns)
    return "\n".join(_line(row, widths, right) for row in cells)


def note(message: str) -> None:
    """Tell a person something beside the result, on stderr; nothing with ``--quiet``."""
    if not settings().quiet:
        click.echo(message, err=True)


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(row, widths, right, strict=True)
    )
    return _GAP.join(padded).rstrip()


def _rich_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    shown = Table()
    right = [_numeric(column) for column in zip(*rows, strict=True)] or [False] * len(columns)
    for column, to_right in zip(columns, right, strict=True):
        shown.add_column(column, justify="right" if to_right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(escape(_cell(value)) for value in row))
    console().print(shown)


def _numeric(values: Iterable[Any]) -> bool:
    return all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple | set | frozenset):
        return " ".join(map(_cell, value))
    return " ".join(str(value).split())


def _jsonable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(each) for each in value]
    return value if isinstance(value, str | int | bool | None) else str(value)
