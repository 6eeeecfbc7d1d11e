"""Tables, code and headings in Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, which scrolls by itself where the screen is narrow; empty cells show a dash."""
    lines = [columns, ["---"] * len(columns), *(tuple(_cell(cell) for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def code(text: str) -> str:
    """Code within a line.

    >>> code("a b")
    '`a b`'
    """
    return f"`{text}`" if text else ""


def words(names: Iterable[str]) -> str:
    """Names as code, with commas.

    >>> words(["Z", "R"])
    '`Z`, `R`'
    """
    return ", ".join(map(code, names))


def block(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def docstring(text: str) -> str:
    """A docstring as Markdown: its literal blocks as Python, its double backticks as single ones."""
    parts = re.split(r"^(?:[^\n]*)::\n\n((?:(?:    [^\n]*)?\n)+)", text + "\n", flags=re.MULTILINE)
    prose, literal = parts[::2], parts[1::2]
    shown = [part.replace("``", "`") for part in prose]
    examples = [block("python", textwrap.dedent(part)) for part in literal]
    return "\n".join(piece for pair in zip(shown, [*examples, ""], strict=True) for piece in pair)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split()) or "–"
