"""Tables and limits, in words and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Limit(NamedTuple):
    """Something that was measured and what it must not fall below, or rise above.

    Args:
        name: what it is.
        found: the measured value.
        limit: what is asked.
        least: whether that is the least, and not the most.
    """

    name: str
    found: float
    limit: float
    least: bool = True

    @property
    def kept(self) -> bool:
        """Whether it is as asked."""
        return self.found >= self.limit if self.least else self.found <= self.limit


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> None:
    """Print a table, the first column to the left and the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    print(f"\n{title}\n")
    for row in (heads, *rows):
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([row[0].ljust(len(first)), *others]).rstrip())
    for note in notes:
        print(f"  {note}")


def verdict(limits: Sequence[Limit]) -> int:
    """Print all limits, if there are any; 1 if one is missed."""
    rows = [
        (name, f"{found:.4g}", f"{'at least' if least else 'at most'} {limit:g}", "" if kept else "MISSED")
        for (name, found, limit, least), kept in ((each, each.kept) for each in limits)
    ]
    if rows:
        table("Limits", ("", "found", "asked", ""), rows)
    return int(not all(each.kept for each in limits))
