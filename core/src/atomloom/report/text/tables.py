"""Tables as aligned text: numbers on their decimal points, units in the head, wide tables in parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, chop_cells

from atomloom.report.blocks import Table
from atomloom.report.text.style import Style, pad

GAP = "  "
NARROWEST = 12
"""A column of text is not wrapped to fewer columns of the terminal than this."""


@dataclass(frozen=True)
class _Strip:
    """A column that is ready to be set: head lines, cells (of several lines if folded), and the side they lean to."""

    head: tuple[str, ...]
    cells: tuple[str, ...]
    right: bool

    @property
    def width(self) -> int:
        return max((cell_len(line) for text in (*self.head, *self.cells) for line in text.split("\n")), default=0)


def table(block: Table, style: Style) -> list[str]:
    """The lines of a table, without its title and caption.

    >>> from atomloom.report import Column
    >>> block = Table((Column("E", "eV"), Column("n", kind="integer")), [(-1.5, 12), (10.25, 7)])
    >>> print("\\n".join(table(block, Style())))
         E   n
        eV
    ──────────
    -1.500  12
    10.25    7
    """
    strips = _strips(block, style)
    if not strips:
        return []
    parts = _parts(_fitted(strips, style.width), style.width)
    lines = [_set(part, style) for part in parts]
    return [line for number, part in enumerate(lines) for line in ([""] if number else []) + part]


def _strips(block: Table, style: Style) -> list[_Strip]:
    hidden = {column.uncertainty for column in block.columns if column.uncertainty}
    strips = []
    for place, column in enumerate(block.columns):
        if column.name in hidden:
            continue
        cells = [row[place] for row in block.rows]
        spreads = block.cells(column.uncertainty) if column.uncertainty else [None] * len(cells)
        texts = [column.text(cell, spread) for cell, spread in zip(cells, spreads, strict=True)]
        head = tuple(filter(None, (style.words(column.name), style.words(column.unit))))
        written = [style.words(text) for text in texts]
        aligned = written if column.kind == "text" else _on_the_point(written)
        strips.append(_Strip(head, tuple(aligned), column.kind != "text"))
    return strips


def _on_the_point(texts: list[str]) -> list[str]:
    # Whole numbers, dashes and NaN end where the others have their point.
    halves = [(text[: (at := _point(text))], text[at:]) for text in texts]
    left, right = (max((len(half[side]) for half in halves), default=0) for side in (0, 1))
    return [before.rjust(left) + after.ljust(right) for before, after in halves]


def _point(text: str) -> int:
    at = text.find(".")
    return at if at >= 0 else next((i for i, c in enumerate(text) if i and c in "e( "), len(text))


def _fitted(strips: list[_Strip], width: int) -> list[_Strip]:
    # Text columns give way evenly, the widest first, as long as that helps.
    total = sum(strip.width for strip in strips) + len(GAP) * (len(strips) - 1)
    widths = [strip.width for strip in strips]
    wordy = [i for i, strip in enumerate(strips) if not strip.right]
    while total > width and wordy and widths[widest := max(wordy, key=widths.__getitem__)] > NARROWEST:
        widths[widest] -= 1
        total -= 1
    return [
        strip if widths[i] == strip.width else _Strip(_folded_head(strip, widths[i]), _folded(strip, widths[i]), False)
        for i, strip in enumerate(strips)
    ]


def _folded_head(strip: _Strip, width: int) -> tuple[str, ...]:
    return tuple(line for head in strip.head for line in fold(head, width))


def _folded(strip: _Strip, width: int) -> tuple[str, ...]:
    return tuple("\n".join(fold(cell, width)) for cell in strip.cells)


def fold(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, broken at spaces where there are any.

    >>> fold("per-residue force errors", 12)
    ['per-residue', 'force errors']
    """
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            chopped = chop_cells(word, width) or [""]
            lines = lines + chopped if lines[-1] else chopped
    return lines


def _parts(strips: list[_Strip], width: int) -> list[list[_Strip]]:
    # A table that is still too wide comes in parts, each with the first column.
    parts = [[strips[0]]]
    room = width - strips[0].width
    for strip in strips[1:]:
        needed = strip.width + len(GAP)
        if needed > room and len(parts[-1]) > 1:
            parts.append([strips[0]])
            room = width - strips[0].width
        parts[-1].append(strip)
        room -= needed
    return parts


def _set(part: list[_Strip], style: Style) -> list[str]:
    widths = [strip.width for strip in part]
    depth = max(len(strip.head) for strip in part)
    lines = []
    for level in range(depth):
        heads = (strip.head[level] if level < len(strip.head) else "" for strip in part)
        lines.append(_joined(heads, part, widths))
    lines.append(style.glyph("─", "-") * (sum(widths) + len(GAP) * (len(part) - 1)))
    for row in zip(*(strip.cells for strip in part), strict=True):
        for texts in zip_longest(*(cell.split("\n") for cell in row), fillvalue=""):
            lines.append(_joined(texts, part, widths))
    return lines


def _joined(texts: Iterable[str], part: list[_Strip], widths: list[int]) -> str:
    padded = (pad(t, w, s.right) for t, s, w in zip(texts, part, widths, strict=True))
    return GAP.join(padded).rstrip()
