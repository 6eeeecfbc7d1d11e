"""A small drawing of characters: dots (eight to a character in braille, one in ASCII) over shaded areas."""

from __future__ import annotations

import numpy as np

from atomloom.report.arrays import Array
from atomloom.report.text.style import Style

BRAILLE = 0x2800
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # rows and columns of a braille character


class Canvas:
    """`height` lines of `width` characters; places run from (0, 0) at the lower left to (1, 1) at the upper right.

    >>> canvas = Canvas(4, 1, Style(ascii=True))
    >>> canvas.dots(np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    >>> canvas.lines()
    ['*  *']
    """

    def __init__(self, width: int, height: int, style: Style) -> None:
        self.width, self.height, self.style = width, height, style
        self._cells = np.full((height, width), " ")
        self._dots = np.zeros((4 * height, 2 * width), dtype=bool)

    def mark(self, x: Array, y: Array, character: str) -> None:
        """Put `character` at these places; NaN and what lies outside is ignored."""
        rows, columns = self._indices(x, y, self.height, self.width)
        self._cells[rows, columns] = character

    def dots(self, x: Array, y: Array) -> None:
        """Fine dots at these places, which cover marks."""
        rows, columns = self._indices(x, y, *self._dots.shape)
        self._dots[rows, columns] = True

    def lines(self) -> list[str]:
        """The drawing from top to bottom."""
        blocks = self._dots.reshape(self.height, 4, self.width, 2)
        if self.style.ascii:
            drawn = np.where(blocks.any(axis=(1, 3)), "*", self._cells)
        else:
            codes = np.einsum("hrwc,rc->hw", blocks, _BITS)
            braille = np.array([chr(BRAILLE + code) for code in range(256)])[codes]
            drawn = np.where(codes > 0, braille, self._cells)
        return ["".join(row).rstrip() for row in drawn]

    def _indices(self, x: Array, y: Array, height: int, width: int) -> tuple[Array, Array]:
        inside = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
        columns = np.minimum((x[inside] * width).astype(int), width - 1)
        rows = height - 1 - np.minimum((y[inside] * height).astype(int), height - 1)
        return rows, columns


def trace(x: Array, y: Array, fineness: int) -> tuple[Array, Array]:
    """Places along the lines between neighbouring points, `fineness` on each; a NaN interrupts the line."""
    if x.size < 2:
        return x, y
    along = np.linspace(0, 1, fineness)
    with np.errstate(invalid="ignore"):  # a gap stays a gap
        across, up = ((v[:-1, None] + np.diff(v)[:, None] * along).ravel() for v in (x, y))
    return across, up
