"""Text, key figures, tables and links: the blocks of a section that are not figures."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from atomloom.errors import DataError
from atomloom.report.arrays import WORDS
from atomloom.report.markup import paragraphs
from atomloom.report.piece import Block, Piece, agree, one_of
from atomloom.report.quantity import fixed, number, quantity

KINDS = ("text", "number", "integer")
"""What `Column.kind` may be."""

Cell = str | float | int | None
"""A table cell; None where there is nothing to say."""


class Text(Block, frozen=True, tag="text"):
    """Paragraphs, set apart by empty lines, with `code` and *emphasis* as their only markup (see `markup`)."""

    text: str

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The paragraphs, each on one line."""
        return paragraphs(self.text)


class KeyFigure(Piece, frozen=True):
    """One number that a reader should take home.

    Args:
        name: such as ``"MAE of the energy"``; verbatim.
        value: a float, an int, or a word (``"P 21 21 21"``).
        unit: such as ``"eV"``.
        uncertainty: standard uncertainty in the same unit; None, or anything not finite, where it is unknown.
        note: a short remark, such as ``"240 test frames"``; verbatim.
        digits: significant digits of a float that comes without an uncertainty.
    """

    name: str
    value: float | int | str
    unit: str = ""
    uncertainty: float | None = None
    note: str = ""
    digits: int = 4

    def __post_init__(self) -> None:
        """Turn numpy's numbers into Python's, and the JSON words of non-finite floats into floats."""
        known = self.uncertainty is not None and math.isfinite(self.uncertainty)
        self._settle(value=_value(self.value), uncertainty=abs(float(self.uncertainty or 0)) if known else None)

    @property
    def text(self) -> str:
        """The value with its uncertainty, without the unit.

        >>> KeyFigure("MAE", 0.5213, "eV", 0.0031).text
        '0.521(3)'
        """
        return self.value if isinstance(self.value, str) else quantity(self.value, self.uncertainty, self.digits)


class KeyFigures(Block, frozen=True, tag="key-figures"):
    """A group of key figures, which renderers set as one."""

    figures: tuple[KeyFigure, ...]
    title: str = ""

    def __post_init__(self) -> None:
        """Accept any iterable."""
        self._settle(figures=tuple(self.figures))


class Column(Piece, frozen=True):
    """The head of a table's column, and how its cells are written.

    Args:
        name: verbatim.
        unit: of every cell.
        kind: ``"text"``, ``"number"`` (float) or ``"integer"``.
        precision: digits after the decimal point; None for four significant digits.
        uncertainty: the name of another column of this table that holds this one's standard uncertainties: the text
            then shows both as 0.52(3), and a page may show them in one cell.
    """

    name: str
    unit: str = ""
    kind: Literal["text", "number", "integer"] = "number"
    precision: int | None = None
    uncertainty: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown kind."""
        self._settle(kind=one_of(f"the column {self.name!r}", self.kind, KINDS))

    @property
    def title(self) -> str:
        """Name and unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def text(self, cell: Cell, spread: Cell = None) -> str:
        """A cell of this column as people read it, with its standard uncertainty `spread` if that is a number.

        >>> Column("E", "eV", precision=2).text(1.2345), Column("E", "eV").text(1.2345, 0.01)
        ('1.23', '1.234(10)')
        """
        if cell is None:
            return "–"
        if isinstance(cell, float | int) and isinstance(spread, float | int):
            return quantity(cell, spread)
        if isinstance(cell, float):
            return number(cell) if self.precision is None else fixed(cell, self.precision)
        return str(cell)


class Table(Block, frozen=True, tag="table"):
    """Rows of cells under named columns.

    >>> table = Table((Column("residue", kind="text"), Column("MAE", "eV/angstrom", precision=3)), [("ALA", 0.02)])
    >>> table.cells("MAE")
    (0.02,)
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    caption: str = ""

    def __post_init__(self) -> None:
        """Check the shape, and give every cell the type of its column."""
        columns = tuple(self.columns)
        kinds = [column.kind for column in columns]
        rows = tuple(self._row(number, tuple(row), kinds) for number, row in enumerate(self.rows, 1))
        self._settle(columns=columns, rows=rows)
        names = [column.name for column in columns]
        for column in columns:
            if column.uncertainty:
                one_of(f"the column {column.name!r} with its uncertainty", column.uncertainty, tuple(names))

    @classmethod
    def of(cls, columns: Iterable[tuple[Column, Iterable[Any]]], **texts: str) -> Table:
        """A table from pairs of a column and its cells, arrays included.

        >>> Table.of([(Column("n", kind="integer"), [1, 2]), (Column("E", "eV"), [0.5, 1.5])]).rows
        ((1, 0.5), (2, 1.5))
        """
        heads, cells = [], []
        for column, values in columns:
            heads.append(column)
            cells.append(list(values))
        agree("a table", **{column.name: len(values) for column, values in zip(heads, cells, strict=True)})
        return cls(tuple(heads), tuple(zip(*cells, strict=True)), **texts)

    def cells(self, name: str) -> tuple[Cell, ...]:
        """The cells of the (first) column `name`, from top to bottom."""
        place = [column.name for column in self.columns].index(name)
        return tuple(row[place] for row in self.rows)

    def _row(self, number: int, row: tuple[Any, ...], kinds: Sequence[str]) -> tuple[Cell, ...]:
        agree(f"row {number} of the table {self.title!r}", columns=len(kinds), row=len(row))
        try:
            return tuple(_cell(value, kind) for value, kind in zip(row, kinds, strict=True))
        except (TypeError, ValueError) as error:
            asked = f"make row {number} of the table {self.title!r}"
            raise DataError(asked, str(error), "Give its cells the kinds of their columns, or None") from error


class Link(Piece, frozen=True):
    """A file that belongs to the report: `path` relative to the report's folder, `text` says what it is."""

    path: str
    text: str = ""


class Links(Block, frozen=True, tag="links"):
    """Files to look at next."""

    links: tuple[Link, ...]
    title: str = ""

    def __post_init__(self) -> None:
        """Accept any iterable, and refuse an address or an absolute path: a report may be moved and sent."""
        self._settle(links=tuple(self.links))
        for link in self.links:
            if link.path.startswith(("/", "\\")) or ":" in link.path.partition("/")[0]:
                asked, found = f"link to {link.path!r} in a report", "it is not relative to the report's folder"
                raise DataError(asked, found, "Give the path from report.json to the file")


class Unknown(Block, frozen=True, tag="unknown"):
    """A block that a newer version wrote: kept as it is, and named by renderers."""

    kind: str
    content: dict[str, Any]


def _value(value: Any) -> float | int | str:
    if isinstance(value, str):
        return WORDS.get(value, value)
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return int(value) if hasattr(value, "__index__") else float(value)


def _cell(value: Any, kind: str) -> Cell:
    if value is None:
        return None
    if kind == "text":
        return str(value)
    if kind == "integer":
        return operator.index(value)
    return float(WORDS[value] if isinstance(value, str) and value in WORDS else value)
