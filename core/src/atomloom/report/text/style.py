"""The characters of a text report: Unicode, or plain ASCII where a terminal knows no more."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass

from rich.cells import cell_len

_SPELLINGS = {
    "±": "+/-", "×": "x", "·": "*", "−": "-", "–": "-", "—": "-", "…": "...", "µ": "u", "μ": "u", "Å": "A",
    "°": "deg", "²": "^2", "³": "^3", "⁻": "^-", "¹": "1", "₂": "2", "₃": "3", "Σ": "sum ", "Δ": "Delta ", "√": "sqrt",
    "≤": "<=", "≥": ">=", "≈": "~", "→": "->", "σ": "sigma", "χ": "chi", "α": "alpha", "β": "beta", "γ": "gamma",
    "“": '"', "”": '"', "‘": "'", "’": "'",
}  # fmt: skip
_ASCII = str.maketrans(_SPELLINGS)


@dataclass(frozen=True)
class Style:
    """Width and characters of a text report.

    Args:
        width: of the page in columns.
        ascii: whether to do without any character beyond ASCII.
    """

    width: int = 80
    ascii: bool = False

    def glyph(self, unicode: str, plain: str) -> str:
        """The one of the two that this style may use."""
        return plain if self.ascii else unicode

    def words(self, text: str) -> str:
        """`text` fit for a terminal: on one line, without control characters, in ASCII if need be.

        >>> Style(ascii=True).words("0.1 ± 0.2 Å" + chr(27))
        '0.1 +/- 0.2 A'
        """
        text = " ".join("".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C").split())
        return _plain(text) if self.ascii else text

    def wrap(self, text: str, indent: str = "", hanging: str | None = None) -> list[str]:
        """`text` as lines that fit; the lines after the first start with `hanging` (or `indent`)."""
        later = indent if hanging is None else hanging
        return textwrap.wrap(
            self.words(text), max(self.width, len(later) + 8), initial_indent=indent, subsequent_indent=later
        )

    def heading(self, text: str, unicode: str, plain: str) -> list[str]:
        """A title over its underline; empty for no title."""
        lines = self.wrap(text)
        return [*lines, self.glyph(unicode, plain) * max(map(cell_len, lines))] if lines else []


def _plain(text: str) -> str:
    spelt = unicodedata.normalize("NFKD", text.translate(_ASCII))
    return "".join(c if c.isascii() else "?" for c in spelt if not unicodedata.combining(c))


def pad(text: str, width: int, right: bool = False) -> str:
    """`text` filled up with spaces to `width` columns of a terminal, on its left if it is to stand `right`.

    >>> pad("水", 4) + "|"
    '水  |'
    """
    spaces = " " * (width - cell_len(text))
    return spaces + text if right else text + spaces
