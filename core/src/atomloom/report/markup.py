"""The light markup of running text: `code` and *emphasis*, nothing else.

Texts, captions and summaries are marked up; names, labels, units and table cells never are and come out verbatim.
As in Markdown, a stretch of code may stand in two or more backticks so that it can hold one itself, and a star inside
a word or between spaces is just a star: ``2 * 3 * 4``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_MARK = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"  # as many backticks again, no more and no less
    r"|(?<![\w*])\*(?P<emphasis>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])",
    re.DOTALL,
)


class Span(NamedTuple):
    """A stretch of text of one kind; `text` is plain and still to be escaped by the renderer."""

    kind: Literal["plain", "code", "emphasis"]
    text: str


def spans(text: str) -> Iterator[Span]:
    """Take marked-up text apart.

    >>> [tuple(span) for span in spans("Read `a*b*`, *twice*.")]
    [('plain', 'Read '), ('code', 'a*b*'), ('plain', ', '), ('emphasis', 'twice'), ('plain', '.')]
    """
    done = 0
    for match in _MARK.finditer(text):
        if match.start() > done:
            yield Span("plain", text[done : match.start()])
        if match["code"] is not None:
            yield Span("code", _unpadded(match["code"]))
        else:
            yield Span("emphasis", match["emphasis"])
        done = match.end()
    if done < len(text):
        yield Span("plain", text[done:])


def code(name: str) -> str:
    """`name` as a stretch of code, whatever it holds, for a sentence that quotes it.

    >>> print(code("train"), code("a`b"))
    `train` ``a`b``
    """
    longest = max((len(run) for run in re.findall("`+", name)), default=0)
    ticks = "`" * (longest + 1)
    edges = {name[:1], name[-1:]}
    pad = " " if name.strip(" ") and ("`" in edges or edges == {" "}) else ""
    return f"{ticks}{pad}{name}{pad}{ticks}"


def paragraphs(text: str) -> tuple[str, ...]:
    """The paragraphs of `text`, which empty lines set apart, each on one line."""
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return tuple(part for part in parts if part)


def _unpadded(text: str) -> str:
    padded = len(text) > 2 and text[0] == text[-1] == " " and text.strip(" ")
    return text[1:-1] if padded else text
