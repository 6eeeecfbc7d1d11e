"""What all figures have in common."""

from __future__ import annotations

from typing import Self

import msgspec

from atomloom.report.blocks import Table
from atomloom.report.piece import Block


class Figure(Block, frozen=True, kw_only=True):
    """Arrays to be drawn, with words.

    Args:
        title: verbatim, without markup.
        caption: a sentence or two, with the light markup of `Text`.
        statistics: the numbers that go with the picture; computed from all points where a figure knows how.
        remarks: in a figure made from more points than it holds (a histogram, a thinned figure), the notes on all of
            these points and on what was done to them; None for the notes that follow from the points it holds.
    """

    title: str
    caption: str = ""
    statistics: Table | None = None
    remarks: tuple[str, ...] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what a reader of the plot would not see: points left out, thinned or empty series."""
        return self._left_out() if self.remarks is None else self.remarks

    @property
    def legend(self) -> str:
        """The caption with the notes, as every renderer shows it."""
        return " ".join(filter(None, (self.caption, *self.notes)))

    @property
    def numbers(self) -> Table | None:
        """The statistics as every renderer shows them: None without rows, no column of names if nothing has a name."""
        table = self.statistics
        if table is None or not table.rows:
            return None
        if table.columns[0].kind != "text" or any(row[0] for row in table.rows):
            return table
        return Table(table.columns[1:], tuple(row[1:] for row in table.rows), caption=table.caption)

    def thinned(self, many: int) -> Self:
        """This figure with at most about `many` points, which its notes then say; by default the figure itself."""
        return self

    def _left_out(self) -> tuple[str, ...]:
        return ()

    def _replaced(self, **changes: object) -> Self:
        return msgspec.structs.replace(self, **changes)
