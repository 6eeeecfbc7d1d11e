"""Reports as text: complete, aligned, within the page, harmless, and in ASCII if need be."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from atomloom.report import (
    Axis,
    Bars,
    Column,
    Curve,
    HeatMap,
    Heights,
    Histogram,
    KeyFigure,
    KeyFigures,
    Points3D,
    Report,
    Scatter,
    Section,
    Series,
    Table,
    Text,
    parity,
    renderers,
    to_text,
)


@pytest.fixture(autouse=True)
def no_renderers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if core were alone."""
    monkeypatch.setattr(renderers, "installed", lambda: ())


def shown(*blocks: Any, width: int = 80, ascii: bool = False) -> str:
    """The text of blocks, without the report's own head and foot."""
    text = to_text(Report("R", (Section("S", blocks),)), width, ascii)
    return text.partition("\n─\n\n" if not ascii else "\n-\n\n")[2].partition("\n\nFor this report")[0]


def test_key_figures_stand_with_uncertainty_unit_and_note() -> None:
    """One line each, aligned."""
    figures = (KeyFigure("MAE", 0.01234, "eV", 0.0005, "240 frames"), KeyFigure("space group", "P 1"))
    assert shown(KeyFigures(figures, "Key")) == "Key\n  MAE          0.0123(5) eV  240 frames\n  space group  P 1"


def test_numbers_stand_on_their_points() -> None:
    """Whole numbers, NaN and dashes end where the others have their point; the unit has a line of its own."""
    cells = [("a", 10.25), ("b", -0.5), ("c", None), ("d", math.nan)]
    text = shown(Table((Column("id", kind="text"), Column("E", "eV")), cells))
    assert text.splitlines() == [
        "id         E",
        "          eV",
        "────────────",
        "a    10.25",
        "b    -0.5000",
        "c     –",
        "d   NaN",
    ]


def test_a_column_shows_its_uncertainty() -> None:
    """A column that names its uncertainties swallows them."""
    table = Table((Column("q", uncertainty="esd"), Column("esd")), [(0.523, 0.021), (0.5, None)])
    assert [line.strip() for line in shown(table).splitlines()] == ["q", "───────", "0.52(2)", "0.5000"]


def test_wide_tables_come_in_parts_with_their_first_column() -> None:
    """Every cell is there, no line is longer than the page, and each part starts with the names."""
    columns = (Column("name", kind="text"), *(Column(f"quantity {i}", precision=2) for i in range(20)))
    lines = shown(Table(columns, [("row", *range(20))]), width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert all(f"{i}.00" in "\n".join(lines) for i in range(20))
    heads = [line for line in lines if "quantity" in line]
    assert len(heads) > 3
    assert all(line.startswith("name") for line in heads)


BLOCKS = (
    Text("word " * 60),
    KeyFigures((KeyFigure("a name of some length " * 3, 1.0, "eV", 0.1, "note " * 20),)),
    Table((Column("text", kind="text"), Column("E")), [("long words of text " * 9, 1.0)], caption="caption " * 20),
    Curve(title="title " * 30, series=(Series("s", np.arange(50), np.sin(np.arange(50))),), x=Axis("x" * 20)),
    Curve(title="two", series=tuple(Series(f"series {i}", [0, 1], [i, 2 * i]) for i in range(12))),
    parity("parity", np.arange(9.0), np.arange(9.0) ** 2, Axis("energy", "eV")),
    Histogram.of("H", {"a": np.arange(99.0) ** 3}, Axis("e", "eV")),
    Bars(title="B", labels=("a label that goes on and on " * 3, "b"), series=(Heights("s", [1e-9, -2], [1, 1e-10]),)),
    HeatMap(title="M", values=np.eye(12), color=Axis("correlation")),
    Points3D(title="P", points=np.eye(3), values=[1, 2, 3]),
)


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
@pytest.mark.parametrize("ascii", [False, True])
def test_nothing_is_wider_than_the_page(block: Any, width: int, ascii: bool) -> None:
    """At every width, each line of each kind of block fits."""
    text = to_text(Report("R", (Section("S", (block,)),)), width, ascii)
    assert max(map(cell_len, text.splitlines())) <= width
    assert not ascii or text.isascii()


ODD = [math.nan, math.inf, -math.inf, 0.0, -1.0, 5e-324, 1.7e308, -1.7e308, 1.0, 1e17, 1e17 + 16]
VALUES = st.lists(st.sampled_from(ODD) | st.floats(), max_size=6)
SCALES = st.sampled_from(["linear", "log"])


@settings(max_examples=60, deadline=None)
@given(VALUES, SCALES, SCALES, st.booleans())
def test_any_values_can_be_drawn(values: list[float], across: Any, up: Any, ascii: bool) -> None:
    """Whatever the arrays hold, every figure has a text, with all its parts in place."""
    x, y = Axis("x", "eV", across), Axis("y", "eV", up)
    series = (Series("a", values, values[::-1], values, values), Series("b", [], []))
    blocks = (
        Curve(title="figure", series=series, x=x, y=y),
        Scatter(title="figure", series=series[:1], x=x, y=y, identity=across == up),
        Histogram.of("figure", {"a": values}, x),
        Bars(title="figure", labels=["l"] * len(values), series=(Heights("h", values, values[::-1]),), y=y),
        HeatMap(title="figure", values=np.array([values]), color=y),
        Points3D(title="figure", points=np.ones((len(values), 3)), values=values, color=y),
        Table((Column("E"), Column("F", precision=2)), [(v, v) for v in values]),
        KeyFigures(tuple(KeyFigure("k", v, uncertainty=u) for v, u in zip(values, values[::-1], strict=True))),
    )
    text = to_text(Report("R", (Section("S", blocks),)), ascii=ascii)
    assert text.count("figure") == 6
    assert max(map(cell_len, text.splitlines())) <= 80


def test_a_straight_line_is_drawn_from_corner_to_corner() -> None:
    """The one curve whose picture everybody knows."""
    lines = shown(Curve(title="C", series=(Series("", [0, 1], [0, 1]),)), width=40, ascii=True).splitlines()
    rows = [line for line in lines if "*" in line]
    assert len(rows) == 14
    assert rows[-1].split()[0] == "0.0"
    assert rows[-1].index("*") == rows[-1].index("+") + 1
    assert [row.index("*") for row in rows] == sorted((row.index("*") for row in rows), reverse=True)


def test_histogram_lines_are_as_long_as_their_counts() -> None:
    """Bars are proportional, an empty bin has none, and a single value is visible."""
    figure = Histogram.of("H", {"": [0.0] * 100 + [2.0] * 50 + [3.0]}, Axis("e"), bins=4)
    bars = [line.count("#") for line in shown(figure, ascii=True).splitlines() if ".." in line]
    assert bars == [60, 0, 30, 1]


def test_error_bars_reach_as_far_as_the_error() -> None:
    """The whisker runs from value - error to value + error on the scale of the bars."""
    figure = Bars(title="B", labels=("a",), series=(Heights("", [3], [1]),))
    (line,) = (line for line in shown(figure, ascii=True).splitlines() if line.startswith("a "))
    bar = line[3:63]
    assert bar.index("|") / bar.rindex("|") == pytest.approx(2 / 4, abs=0.02)
    assert line.endswith("3.0 +/- 1.0")


def test_control_characters_never_reach_the_terminal() -> None:
    """A name cannot move the cursor, change colours or break a line of a table."""
    name = "\x1b[31mred\x07\r\nnext\x9b"
    table = Table((Column(name, kind="text"),), [(name,)], title=name, caption=name)
    blocks = (table, Text(name), KeyFigures((KeyFigure(name, name, name, note=name),), name))
    text = to_text(Report(name, (Section(name, blocks),), name, {name: name}))
    assert set(text) & set(map(chr, [*range(10), *range(11, 32), *range(127, 160)])) == set()


def test_names_with_markup_are_verbatim() -> None:
    """Only running text has markup: a column called *a* or <b> keeps its name."""
    text = to_text(Report("*R* <b>", (Section("`S`", (Table((Column("*a*"), Column("<i>")), []),)),)))
    assert all(name in text for name in ("*R* <b>", "`S`", "*a*", "<i>"))


def test_wide_characters_keep_columns_aligned() -> None:
    """A character that takes two columns of a terminal counts as two."""
    lines = shown(Table((Column("n", kind="text"), Column("E", precision=0)), [("水", 1), ("ab", 2)])).splitlines()
    assert cell_len(lines[-2]) == cell_len(lines[-1])


def test_an_empty_report_is_a_title() -> None:
    """No sections, no blocks, no rows and no points are all legal."""
    empty = (
        Table((), ()),
        KeyFigures(()),
        Text(""),
        Bars(title="B", labels=(), series=()),
        Curve(title="C", series=()),
    )
    text = to_text(Report("R", (Section("", empty),)))
    assert "There are no bars." in text
    assert "There are no series." in text
    assert to_text(Report("")).strip()


def test_the_text_tells_how_to_get_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a renderer of pages the text ends with the command; with one it does not."""
    assert to_text(Report("R")).endswith("make the report again.\n")
    html = SimpleNamespace(spec=SimpleNamespace(suffix=".html"))
    monkeypatch.setattr(renderers, "installed", lambda: (html,))
    assert "pip install" not in to_text(Report("R"))
