"""A report as one HTML file that needs nothing else: no network, no other file, no plugin of the browser.

=================  =================================================================================
``page.html``      the template: what is where
``page.css``       how it looks: light and dark, on paper, on a phone
``page.js``        theme, sorting of tables, where in the contents a reader is
``figures.js``     unpacks plotly.js and draws the flat figures
``space.js``       draws points, surfaces and molecules in space, which one can turn
=================  =================================================================================
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from atomloom.report import (
    Block,
    Figure,
    HeatMap,
    Hexbin,
    KeyFigures,
    Links,
    Points3D,
    Report,
    Surface3D,
    Table,
    Text,
    Unknown,
)
from atomloom.report.markup import paragraphs
from atomloom.runs.atomic import atomic_file
from atomloom_report import bundle, interactive, words
from atomloom_report.interactive import space
from atomloom_report.tables import Ready, ready

CONTENTS = 3
"""A report of so many sections has a table of contents."""


class Shown(NamedTuple):
    """A block for the template: which of its macros sets it, and what that needs."""

    macro: str
    content: Any


class Drawn(NamedTuple):
    """A figure for the template; `plot` and `scene` are JSON for the scripts, at most one of them is not empty.

    `scaled` says that its colours stand for numbers.
    """

    title: str
    legend: Markup
    plot: Markup
    scene: Markup
    bar: space.Bar | None
    height: int
    scaled: bool
    numbers: Ready | None
    file: str


class Part(NamedTuple):
    """A section for the template."""

    title: str
    anchor: str
    blocks: tuple[Shown, ...]


def render(report: Report, folder: Path, /) -> Path:
    """Write ``index.html`` into `folder`, complete or not at all."""
    content = html(report)
    with atomic_file(folder / "index.html") as file:
        file.write(content)
    return folder / "index.html"


def html(report: Report) -> str:
    """The page of a report; the same text for the same report.

    >>> "<h1>Dimers &amp; more</h1>" in html(Report("Dimers & more"))
    True
    """
    parts = tuple(_parts(report))
    figures = [
        figure for part in parts for shown in part.blocks if shown.macro == "figures" for figure in shown.content
    ]
    plotted, in_space = any(f.plot for f in figures), any(f.scene for f in figures)
    scripts = [bundle.script(name) for name, needed in (("figures.js", plotted), ("space.js", in_space)) if needed]
    first = bundle.script("page.js")
    packed = [bundle.plotly().digest] if plotted else []
    page = _template().render(
        report=report,
        title=words.visible(report.title),
        summary=[words.markup(paragraph) for paragraph in paragraphs(report.summary)],
        facts=_facts(report),
        parts=parts,
        contents=[part for part in parts if part.title] if sum(bool(part.title) for part in parts) >= CONTENTS else [],
        policy=bundle.policy([*packed, *map(bundle.digest, (first, *scripts))]),
        style=Markup(bundle.script("page.css")),
        first=Markup(first),
        scripts=[Markup(script) for script in scripts],
        plotly=bundle.plotly().packed if plotted else "",
    )
    return page.strip() + "\n"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("atomloom_report", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"markup": words.markup, "big": words.big, "unit": words.unit, "visible": words.visible}
    return environment.get_template("page.html")


def _facts(report: Report) -> list[tuple[str, str]]:
    facts = {**report.facts, "created": f"{report.created:%Y-%m-%d %H:%M} UTC"}
    return [(words.visible(name), words.visible(value)) for name, value in facts.items()]


def _parts(report: Report) -> Iterator[Part]:
    taken: Counter[str] = Counter()
    for section in report.sections:
        anchor = words.slug(section.title, "section")
        taken[anchor] += 1
        anchor += f"-{taken[anchor]}" if taken[anchor] > 1 else ""
        yield Part(words.visible(section.title), anchor, tuple(_together(map(_shown, section.blocks))))


def _together(blocks: Iterator[Shown]) -> Iterator[Shown]:
    # Figures that follow each other stand side by side where there is room.
    row: list[Drawn] = []
    for shown in blocks:
        if shown.macro == "figure":
            row.append(shown.content)
            continue
        if row:
            yield Shown("figures", row)
            row = []
        yield shown
    if row:
        yield Shown("figures", row)


def _shown(block: Block) -> Shown:
    match block:
        case Text():
            return Shown("text", [words.markup(paragraph) for paragraph in block.paragraphs])
        case KeyFigures():
            return Shown("key_figures", block)
        case Table():
            return Shown("table", ready(block, block.title))
        case Links():
            links = [(quote(link.path.replace("\\", "/")), link) for link in block.links]
            return Shown("links", {"title": block.title or "Files", "links": links})
        case Figure():
            return Shown("figure", _drawn(block))
        case Unknown():
            return Shown("unknown", block.kind)
    raise TypeError(f"{type(block).__name__} is no block of a report")


def _drawn(figure: Figure) -> Drawn:
    in_space = space.drawing(figure) if isinstance(figure, Points3D | Surface3D) else None
    flat = interactive.drawing(figure)
    legend = (figure.thinned(space.MANY if in_space else interactive.MANY)).legend
    return Drawn(
        title=words.visible(figure.title),
        legend=words.markup(legend),
        plot=_json(flat) if flat else Markup(""),
        scene=_json(in_space.scene) if in_space else Markup(""),
        bar=in_space.bar if in_space else None,
        height=flat["layout"]["height"] if flat else 0,
        scaled=isinstance(figure, Hexbin | HeatMap),
        numbers=ready(figure.numbers, figure.title) if figure.numbers else None,
        file=words.slug(figure.title, "figure"),
    )


def _json(content: Any) -> Markup:
    # Within a script element only "<" could end it early.
    return Markup(json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))
