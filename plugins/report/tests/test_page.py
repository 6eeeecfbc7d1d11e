"""The page as text: what is in it, that it is valid, that nothing in it is markup that was meant as a name."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import html5lib
import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomloom.report import (
    Axis,
    Column,
    Curve,
    Figure,
    KeyFigure,
    KeyFigures,
    Link,
    Links,
    Report,
    Scatter,
    Section,
    Series,
    Table,
    Text,
    Unknown,
    parity,
)
from atomloom_report import gallery, interactive
from atomloom_report.gallery import NASTY
from atomloom_report.html import html, render
from atomloom_report.tables import MOST_ROWS, to_csv
from atomloom_report.words import visible

HTML = "{http://www.w3.org/1999/xhtml}"


def parsed(page: str) -> Any:
    """The elements of a page; any error in its HTML raises."""
    return html5lib.HTMLParser(strict=True).parse(page)


def elements(page: str, tag: str) -> list[Any]:
    """All elements of one kind."""
    return list(parsed(page).iter(HTML + tag))


def text_of(element: Any) -> str:
    """The words within an element."""
    return "".join(element.itertext())


def policy_of(page: str) -> str:
    """The content security policy of a page."""
    return next(str(e.get("content")) for e in elements(page, "meta") if e.get("http-equiv"))


def page_with(*blocks: Any, **texts: Any) -> str:
    """The page of a report with one section."""
    return html(Report(texts.pop("title", "T"), (Section("S", blocks),), **texts))


@pytest.fixture(scope="module")
def page(page_file: Path) -> str:
    """The gallery's page as text."""
    return page_file.read_text("utf-8")


def test_gallery_is_valid_html(page: str) -> None:
    """A strict parser finds no error in the page with every block and every edge case."""
    assert text_of(elements(page, "h1")[0]) == "A gallery of reports"


def test_page_asks_for_nothing(page: str) -> None:
    """No element loads anything, and the page forbids its browser to: no address but data and files beside it."""
    tree = parsed(page)
    assert not [e for e in tree.iter() if e.get("src") or e.tag in (f"{HTML}link", f"{HTML}iframe", f"{HTML}base")]
    targets = [e.get("href") for e in tree.iter() if e.get("href")]
    assert all(re.match(r"#|data:text/csv|report\.(json|txt)$|notes\.txt$", target) for target in targets)
    policy = policy_of(page)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy


def test_policy_names_every_script(page: str) -> None:
    """Each script runs by its hash alone, so that no other one can."""
    scripts = [e for e in elements(page, "script") if not e.get("type")]
    assert len(scripts) == 3
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy_of(page)


def test_every_name_is_shown_and_none_is_markup(page: str) -> None:
    """A name with tags, quotes, templates, dollars and an emoji is on the page verbatim, and makes no element."""
    tree = parsed(page)
    shown = [text_of(e) for e in tree.iter() if e.tag.removeprefix(HTML) in ("h3", "dt", "dd", "td", "span", "p")]
    assert sum(NASTY in text for text in shown) >= 8
    assert not list(tree.iter(f"{HTML}b")), "a name became bold"
    assert not list(tree.iter(f"{HTML}u")), "a unit became underlined"


@settings(max_examples=40, deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_text_stays_text(title: str, name: str, prose: str) -> None:
    """Whatever the words are, the page is valid and says them."""
    page = page_with(
        Table((Column(name, name, kind="text"),), ((name,),), title=name),
        KeyFigures((KeyFigure(name, name, name),)),
        Text(prose),
        title=title,
        facts={name: prose},
    )
    tree = parsed(page)
    assert text_of(next(tree.iter(f"{HTML}h1"))) == visible(title)
    assert text_of(next(tree.iter(f"{HTML}td"))) == visible(name)


def test_all_blocks_are_there(page: str) -> None:
    """Titles, captions, notes, facts and units of all blocks stand on the page."""
    words = re.sub(r"\s+", " ", text_of(parsed(page)))
    for expected in (
        "1,200 test frames",
        "0.0123(5) eV",
        "4,000 of 50,000 points hold NaN or infinity. 3,",
        "Bands are one standard deviation over five seeds.",
        "made by",
        "2026-11-21 12:00 UTC",
        "A block of the kind ‘hologram’ stands here, which only a newer atomloom can show.",
        "There are no rows.",
        "The table has no columns.",
        "There is nothing to draw.",
        "kcal/mol/e",
    ):
        assert expected in words, expected


def test_same_report_same_bytes(report: Report, page: str) -> None:
    """Neither time nor the order of a hash gets into the page."""
    code = "from atomloom_report import gallery, html as h; import sys; sys.stdout.reconfigure(encoding='utf-8')"
    code += "; sys.stdout.write(h.html(gallery.report()))"
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert made.stdout.decode() == page


def test_plotly_comes_once_and_only_when_needed(page: str) -> None:
    """Pages without flat figures are small; those with any hold plotly.js once, compressed."""
    assert page.count('id="plotly"') == 1
    without = page_with(Text("All is well."), Table((Column("n"),), ((1.0,),)))
    assert 'id="plotly"' not in without
    assert len(without) < 40_000
    assert len(page_with(parity("E", np.zeros(3), np.zeros(3), Axis()))) < 2_200_000


def test_a_million_points_are_thinned_and_it_says_so() -> None:
    """The page stays small and says how many points it draws; the statistics are those of all."""
    x = np.random.default_rng(0).normal(size=1_000_000)
    page = page_with(parity("E", x + 0.1, x, Axis("energy", "eV")))
    assert "4,000 of 1,000,000 points are drawn." in page
    assert "<dd>1000000</dd>" in page
    assert len(page) < 2_400_000


def test_a_long_table_is_cut_and_its_csv_is_not() -> None:
    """Beyond a limit the rows are in the CSV file only, and the page says how many."""
    rows = tuple((i,) for i in range(MOST_ROWS + 1000))
    page = page_with(Table((Column("i", kind="integer"),), rows, title="Long"))
    assert page.count("<tr>") == MOST_ROWS + 1
    assert "1,000 more rows are in the CSV file." in page
    assert len(_csv(page)) == len(rows) + 1


def test_csv_holds_every_digit() -> None:
    """The download gives back the very floats, hidden uncertainties included, under heads with their units."""
    values = [0.1, 1e-300, -1 / 3, float("nan"), float("inf"), 12345678.123456789]
    columns = [
        (Column("a,b", "eV", precision=1, uncertainty="s"), values),
        (Column("s", "eV"), [0.5] * 6),
        (Column("name", kind="text"), ["x", 'quo"te', "new\nline", "ä 🧪", "", None]),
    ]
    head, *rows = _csv(page_with(Table.of(columns, title="T")))
    assert head == ["a,b (eV)", "s (eV)", "name"]
    assert np.array_equal([float(row[0]) for row in rows], values, equal_nan=True)
    assert [row[2] for row in rows] == ["x", 'quo"te', "new\nline", "ä 🧪", "", ""]


def _csv(page: str) -> list[list[str]]:
    link = next(e for e in elements(page, "a") if e.get("download"))
    content = base64.b64decode(link.get("href").partition("base64,")[2]).decode()
    return list(csv.reader(io.StringIO(content, newline="")))


def test_numbers_stand_on_their_points() -> None:
    """Every cell of a column has the same room behind the point."""
    page = page_with(Table((Column("E", "eV"),), ((1.5,), (100.25,), (-3e-9,), (None,))))
    cells = elements(page, "td")
    assert [cell.text for cell in cells] == ["1", "100", "-3", "–"]
    assert {span.get("style") for cell in cells for span in cell} == {"width:7ch"}
    assert [text_of(cell) for cell in cells] == ["1.500", "100.2", "-3.000e-9", "–"]


def test_sections_make_contents() -> None:
    """Many sections are listed with working anchors, two of one name have two; a section without title goes on."""
    names = ("Energy", "Energy", "水", "")
    page = html(Report("T", tuple(Section(name, (Text("x"),)) for name in names)))
    links = [
        e.get("href") for e in elements(page, "a") if e.get("href", "").startswith("#") and e.get("class") != "skip"
    ]
    assert links == ["#energy", "#energy-2", "#section"]
    assert [e.get("id") for e in elements(page, "section")] == ["energy", "energy-2", "section", None]
    assert not elements(page_with(Text("x")), "nav")


def test_links_are_quoted() -> None:
    """A path with spaces, hashes and quotes leads to its file."""
    page = page_with(Links((Link('my plots/100% #1 "x".png', "a plot"),)))
    link = next(e for e in elements(page, "a") if "plots" in e.get("href", ""))
    assert link.get("href") == "my%20plots/100%25%20%231%20%22x%22.png"
    assert link.text == 'my plots/100% #1 "x".png'


def test_unknown_blocks_are_named() -> None:
    """A block of a newer version is mentioned rather than dropped."""
    assert "A block of the kind ‘&lt;i&gt;’ stands here" in page_with(Unknown("<i>", {"type": "<i>"}))


FIGURES = [block for block in gallery.report().blocks if isinstance(block, Figure)]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{type(figure).__name__}-{figure.title[:16]}")
def test_drawings_are_what_plotly_knows(figure: Figure) -> None:
    """plotly's own validation accepts every trace and the layout."""
    drawn = interactive.drawing(figure)
    if drawn:
        go.Figure(drawn)


def test_places_that_an_axis_has_not_are_gaps() -> None:
    """NaN, infinity and what a log axis cannot show become gaps, never zero."""
    series = Series("s", np.arange(4.0), np.array([1.0, 0.0, np.nan, np.inf]))
    drawn = interactive.drawing(Curve(title="", series=(series,), y=Axis("y", scale="log")))
    assert drawn is not None
    assert drawn["data"][0]["y"] == [1.0, None, None, None]


def test_identity_spans_both_axes_alike() -> None:
    """With an identity line both axes show the same range, which holds all points."""
    drawn = interactive.drawing(parity("E", [0.0, 5.0], [1.0, 2.0], Axis()))
    assert drawn is not None
    x, y = drawn["layout"]["xaxis"]["range"], drawn["layout"]["yaxis"]["range"]
    assert x == y
    assert x[0] < 0 < 5 < x[1]


def test_log_axes_are_log_on_the_page() -> None:
    """The axis has its scale, and its range is in powers of ten."""
    figure = Scatter(
        title="", series=(Series("", np.array([1.0, 100.0]), np.array([1.0, 100.0])),), identity=True,
        x=Axis(scale="log"), y=Axis(scale="log"),
    )  # fmt: skip
    drawn = interactive.drawing(figure)
    assert drawn is not None
    assert drawn["layout"]["xaxis"]["type"] == "log"
    assert np.allclose(drawn["layout"]["xaxis"]["range"], [-0.08, 2.08])


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A page that cannot be made leaves the one before it."""
    render(Report("before"), tmp_path)

    class Strange(Unknown, frozen=True, tag="strange"):
        @property
        def kind(self) -> str:
            raise RuntimeError("no kind")

    with pytest.raises(Exception, match=r"no kind|attribute"):
        render(Report("after", (Section("", (Strange("x", {}),)),)), tmp_path)
    assert "before" in (tmp_path / "index.html").read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_csv_of_no_rows() -> None:
    """A table without rows has its head as CSV."""
    assert to_csv(Table((Column("E", "eV"),), ())) == "E (eV)\r\n"
