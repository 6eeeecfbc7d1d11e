"""Tables made ready for the page: cells as texts that align on their points, and the exact values as CSV."""

from __future__ import annotations

import base64
import csv
import io
from typing import NamedTuple

from atomloom.report import Column, Table
from atomloom.report.blocks import Cell
from atomloom_report import words

MOST_ROWS = 2000
"""A page shows so many rows of a table; the CSV always holds all of them."""

UNIT = "unit"
"""The column of text whose cells are units, where the rows of a table differ in theirs."""


class Head(NamedTuple):
    """The head of a column; `fraction` is how many characters its cells need after the point."""

    name: str
    unit: str
    numeric: bool
    fraction: int


class Shown(NamedTuple):
    """A cell: the text up to its point and from there on, and the number to sort by (empty for text)."""

    whole: str
    fraction: str
    value: str


class Ready(NamedTuple):
    """A table for the template; `csv` is the address of a download of all its values."""

    title: str
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Shown, ...], ...]
    left_out: int
    csv: str
    file: str


def ready(table: Table, name: str) -> Ready:
    """What the template needs of `table`, whose download shall be called `name`."""
    hidden = {column.uncertainty for column in table.columns if column.uncertainty}
    columns = [(place, column) for place, column in enumerate(table.columns) if column.name not in hidden]
    rows = tuple(tuple(_shown(table, row, *each) for each in columns) for row in table.rows[:MOST_ROWS])
    return Ready(
        title=words.visible(table.title),
        caption=table.caption,
        heads=tuple(_head(column, [row[i] for row in rows]) for i, (_, column) in enumerate(columns)),
        rows=rows,
        left_out=max(len(table.rows) - MOST_ROWS, 0),
        csv=f"data:text/csv;charset=utf-8;base64,{base64.b64encode(to_csv(table).encode()).decode()}",
        file=f"{words.slug(name, 'table')}.csv",
    )


def to_csv(table: Table) -> str:
    """All cells with every digit, under heads with their units; nothing for a cell without a value.

    >>> to_csv(Table((Column("residue", kind="text"), Column("MAE", "eV")), [("ALA", 0.1), ("GLY", None)]))
    'residue,MAE (eV)\\r\\nALA,0.1\\r\\nGLY,\\r\\n'
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([column.title for column in table.columns])
    writer.writerows([[_exact(cell) for cell in row] for row in table.rows])
    return file.getvalue()


def _exact(cell: Cell) -> str:
    if isinstance(cell, float):
        return "NaN" if cell != cell else repr(cell)
    return "" if cell is None else str(cell)


def _head(column: Column, cells: list[Shown]) -> Head:
    numeric = column.kind != "text"
    fraction = max((len(cell.fraction) for cell in cells), default=0) if numeric else 0
    return Head(words.visible(column.name), words.unit(column.unit), numeric, fraction)


def _shown(table: Table, row: tuple[Cell, ...], place: int, column: Column) -> Shown:
    cell = row[place]
    if column.kind == "text":
        write = words.unit if column.name == UNIT else words.visible
        return Shown("–" if cell is None else write(str(cell)), "", "")
    spread = row[[each.name for each in table.columns].index(column.uncertainty)] if column.uncertainty else None
    text = column.text(cell, spread)
    at = _point(text)
    return Shown(text[:at], text[at:], _exact(cell))


def _point(text: str) -> int:
    at = text.find(".")
    return at if at >= 0 else next((i for i, c in enumerate(text) if i and c in "e( "), len(text))
