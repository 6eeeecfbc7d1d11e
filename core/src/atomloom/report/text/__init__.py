"""Reports as text, for a terminal and for ``report.txt``: complete, whatever is installed."""

from __future__ import annotations

from rich.cells import cell_len

from atomloom.report import renderers
from atomloom.report.blocks import KeyFigure, KeyFigures, Links, Table, Text, Unknown
from atomloom.report.document import Report
from atomloom.report.figure import Figure
from atomloom.report.markup import paragraphs
from atomloom.report.piece import Block
from atomloom.report.quantity import with_unit
from atomloom.report.text.figures import figure
from atomloom.report.text.style import Style, pad
from atomloom.report.text.tables import table

HINT = "For this report as a page with interactive plots: `pip install atomloom-report`, then make the report again."
"""How a text ends where nothing that is installed can make a page."""

NARROWEST = 40
"""A page narrower than this is set as wide as this: nothing readable fits."""


def to_text(report: Report, width: int = 80, ascii: bool = False) -> str:
    """The whole report as text of `width` columns, in Unicode or in plain ASCII.

    >>> print(to_text(Report("Dimers", summary="All is well.", facts={"run": "runs/dimers"})).splitlines()[0])
    Dimers
    """
    style = Style(max(width, NARROWEST), ascii)
    parts = [
        style.heading(report.title, "═", "="),
        _prose(report.summary, style),
        _facts(report, style),
    ]
    for section in report.sections:
        parts += [style.heading(section.title, "─", "-"), *(_block(block, style) for block in section.blocks)]
    parts.append([] if renderers.has_page() else style.wrap(HINT))
    text = "\n\n".join("\n".join(line.rstrip() for line in part) for part in parts if part) + "\n"
    return text.encode("ascii", "replace").decode() if ascii else text


def _block(block: Block, style: Style) -> list[str]:
    match block:
        case Text():
            return _prose(block.text, style)
        case KeyFigures():
            return [*style.wrap(block.title), *_key_figures(block.figures, style)]
        case Table():
            caption = style.wrap(block.caption)
            return [*style.wrap(block.title), *table(block, style), *([""] if caption else []), *caption]
        case Links():
            return [*style.wrap(block.title or "Files"), *_links(block, style)]
        case Figure():
            return figure(block, style)
        case Unknown():
            return style.wrap(f"A block of the kind '{block.kind}' stands here, which only a newer atomloom can show.")
    raise TypeError(f"{type(block).__name__} is no block of a report")


def _prose(text: str, style: Style) -> list[str]:
    lines: list[str] = []
    for paragraph in paragraphs(text):
        lines += [*([""] if lines else []), *style.wrap(paragraph)]
    return lines


def _facts(report: Report, style: Style) -> list[str]:
    facts = {**report.facts, "created": f"{report.created:%Y-%m-%d %H:%M} UTC"}
    names = [style.words(name) for name in facts]
    left = max(map(cell_len, names))
    return _hanging([(pad(name, left), text) for name, text in zip(names, facts.values(), strict=True)], style)


def _key_figures(figures: tuple[KeyFigure, ...], style: Style) -> list[str]:
    names = [style.words(figure.name) for figure in figures]
    values = [style.words(with_unit(figure.text, figure.unit)) for figure in figures]
    left, middle = (max(map(cell_len, texts), default=0) for texts in (names, values))
    left = min(left, style.width // 2)
    heads = [f"{pad(name, left)}  {pad(value, middle)}" for name, value in zip(names, values, strict=True)]
    return _hanging([(head, figure.note) for head, figure in zip(heads, figures, strict=True)], style)


def _links(block: Links, style: Style) -> list[str]:
    paths = [style.words(link.path) for link in block.links]
    left = min(max(map(cell_len, paths), default=0), style.width // 2)
    return _hanging([(pad(path, left), link.text) for path, link in zip(paths, block.links, strict=True)], style)


def _hanging(pairs: list[tuple[str, str]], style: Style) -> list[str]:
    # The second text beside the first one, or below it where too little room is left.
    lines = []
    for head, text in pairs:
        indent = " " * (cell_len(head) + 4)
        if style.width - len(indent) < style.width // 4:
            lines += [*style.wrap(head, "  ", "    "), *style.wrap(text, "    ")]
        else:
            beside = style.wrap(text, indent) or [indent]
            lines += [f"  {head}  {beside[0][len(indent) :]}".rstrip(), *beside[1:]]
    return lines
